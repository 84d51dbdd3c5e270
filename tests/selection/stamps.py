"""Which tests were green, with which inputs, and when: one small file each, outside the checkout."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

KEPT = 20  # for each suite and language


@dataclass(frozen=True)
class Stamp:
    """That tests were green.

    Attributes:
        suite: name of their suite.
        language: that they ran for; empty where they have none.
        key: the hash of their inputs.
        when: in UTC, as ISO 8601 without fractions of a second.
        tests: how many they were.
    """

    suite: str
    language: str
    key: str
    when: str
    tests: int

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.suite}{'-' if self.language else ''}{self.language}-{self.key}.json"

    @property
    def title(self) -> str:
        """How it is called in a line."""
        return f"{self.suite} [{self.language}]" if self.language else self.suite


def now() -> str:
    """Return the time as a stamp has it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def load(folder: Path) -> dict[tuple[str, str, str], Stamp]:
    """Return all stamps, by suite, language and key; one that cannot be read is none.

    Args:
        folder: where they are; it need not be there.
    """
    found = {}
    for file in sorted(folder.glob("*.json")):
        try:
            stamp = Stamp(**json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            continue
        if stamp.file == file.name:
            found[stamp.suite, stamp.language, stamp.key] = stamp
    return found


def save(folder: Path, stamp: Stamp) -> None:
    """Keep a stamp, and of its suite and language only the newest.

    Args:
        folder: where they are.
        stamp: to keep.
    """
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{stamp.file}.{os.getpid()}"
    partial.write_text(json.dumps(asdict(stamp)), encoding="utf-8")
    partial.replace(folder / stamp.file)
    same = [one for one in load(folder).values() if (one.suite, one.language) == (stamp.suite, stamp.language)]
    for old in sorted(same, key=lambda one: one.when, reverse=True)[KEPT:]:
        (folder / old.file).unlink(missing_ok=True)
