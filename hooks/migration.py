"""Migrations: what a version asks of files that are the service's own, which no rendering brings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from packaging.version import Version

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
    file = service / ANSWERS
    answers = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}
    lines = []
    for one in of(version):
        lines += [f"  {line} ({one.name})" for line in one.run(service, answers)]
    return lines


def rewrite(file: Path, change: Callable[[str], str]) -> bool:
    """Change a text file, its line ends and mode kept; whoever interrupts it leaves the old one or the new one.

    Args:
        file: which.
        change: from the old text to the new one; lines end in ``\\n`` in it.

    Returns:
        Whether it changed.
    """
    raw = file.read_bytes().decode("utf-8")
    windows = "\r\n" in raw
    text = raw.replace("\r\n", "\n") if windows else raw
    changed = change(text)
    if changed == text:
        return False
    fresh = file.with_name(f"{file.name}.golden-path")
    fresh.write_bytes((changed.replace("\n", "\r\n") if windows else changed).encode("utf-8"))
    fresh.chmod(file.stat().st_mode & 0o777)
    fresh.replace(file)
    return True
