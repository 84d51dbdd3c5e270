"""Migrations: what a version asks of files that are the service's own, which no rendering brings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from packaging.version import Version

from golden_path.rules import bounded
from golden_path.untrusted import inside

ANSWERS = ".copier-answers.yml"


@dataclass(frozen=True)
class Migration:
    """One migration.

    Attributes:
        name: of its module.
        version: the release that asks for it; it is run where an update goes over that version.
        run: does it in the root of a service, and returns a line for each file: ``done ...``, or ``skip ...`` with the
            reason where it does not know what stands there. What is done already is neither.
    """

    name: str
    version: str
    run: Callable[[Path, dict[str, Any]], list[str]]


def of(version: str) -> list[Migration]:
    """Return the migrations of a version, in the order in which they are run."""
    from hooks import migrations

    return [one for one in migrations.ALL if Version(one.version) == Version(version)]


def run(service: Path, version: str) -> list[str]:
    """Run the migrations of a version.

    Args:
        service: the root of the service.
        version: as ``copier.yml`` names it.

    Returns:
        What each has done and skipped, a line each.
    """
    try:
        answers = bounded.load(inside.read(service, ANSWERS, largest=bounded.LARGEST))
    except (OSError, yaml.YAMLError):
        answers = {}
    answers = answers if isinstance(answers, dict) else {}
    lines = []
    for one in of(version):
        lines += [f"  {line} ({one.name})" for line in one.run(service, answers)]
    return lines


def names(service: Path, *patterns: str) -> list[str]:
    """Return the paths of files that match patterns as of ``Path.glob``, sorted; links are among them."""
    return sorted({path.relative_to(service).as_posix() for pattern in patterns for path in service.glob(pattern)})


def read(service: Path, name: str) -> str:
    """Return the text of a file of the service.

    Raises:
        OSError: a link leads there, or it cannot be read.
        UnicodeDecodeError: it is no text.
    """
    return inside.read(service, name).decode("utf-8")


def rewrite(service: Path, name: str, change: Callable[[str], str]) -> bool:
    """Change a text file, its line ends and mode kept; whoever interrupts it leaves the old one or the new one.

    Args:
        service: the root of the service.
        name: the path of the file in it.
        change: from the old text to the new one; lines end in ``\\n`` in it.

    Returns:
        Whether it changed.

    Raises:
        OSError: a link leads there, or it cannot be read or written.
        UnicodeDecodeError: it is no text.
    """
    raw = read(service, name)
    windows = "\r\n" in raw
    text = raw.replace("\r\n", "\n") if windows else raw
    changed = change(text)
    if changed == text:
        return False
    inside.write(service, name, (changed.replace("\n", "\r\n") if windows else changed).encode("utf-8"))
    return True


def refused(name: str, error: OSError | UnicodeDecodeError, todo: str) -> str:
    """Return the line for a file that was left alone.

    Args:
        name: of the file.
        error: why.
        todo: what a person should do.
    """
    reason = (error.strerror or "cannot be read") if isinstance(error, OSError) else "is no text"
    return f"skip      {name}: {reason[:1].lower()}{reason[1:]}, so it was not changed; {todo}"
