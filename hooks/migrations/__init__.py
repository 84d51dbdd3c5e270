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
from hooks.migrations import one_folder, overlay_resources, preview_at_once, python_build_script

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


# Oldest first; copier.yml has an entry for each of their versions.
ALL = [
    Migration("python_build_script", "0.1.0", python_build_script.run),
    Migration("preview_at_once", "0.1.0", preview_at_once.run),
    Migration("overlay_resources", "0.1.0", overlay_resources.run),
    Migration("one_folder", "0.2.0", one_folder.run),
]


def of(version: str) -> list[Migration]:
    """Return the migrations of a version, in the order in which they are run."""
    return [one for one in ALL if Version(one.version) == Version(version)]


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
