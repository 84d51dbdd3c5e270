"""Which pinned tools, actions and images of a service are older than those of its template's newest version."""

from __future__ import annotations

import re
from collections.abc import Mapping

import yaml

from golden_path.rules import bounded
from golden_path.source.template import Template
from golden_path.store import git
from golden_path.store.service import Service

FILE = "pins.yaml"
SHORT = 3  # letters of a word that may stand for something else
_DIGEST = re.compile(r"[0-9a-f]{40,64}")


def behind(service: Service, template: Template, newest: str) -> dict[str, tuple[str, str]] | None:
    """Return the pins that a service has as its version of the template wrote them, and that the newest has otherwise.

    A pin that somebody moved in the service already is not among them.

    Args:
        service: the repository.
        template: its template.
        newest: the version to compare with.

    Returns:
        The pin there and the newest one, by name; None where the template has no ``pins.yaml``.
    """
    new = _load(template.at(newest).file(FILE))
    if new is None:
        return None
    old = _load(template.at(service.answers.version).file(FILE)) or {}
    moved = {name: (value, new[name]) for name, value in old.items() if name in new and new[name] != value}
    if not moved:
        return {}
    wanted = {name: _wanted(value) for name, (value, _) in moved.items()}
    patterns = [part for value in sorted(set(wanted.values())) for part in ("-e", value)]
    lines = git.text("grep", "-h", "-I", "-F", *patterns, service.head, cwd=service.path, codes=(0, 1)).splitlines()
    return {name: pair for name, pair in moved.items() if any(_has(line, name, wanted[name]) for line in lines)}


def _load(text: str) -> Mapping[str, str] | None:
    try:
        groups = bounded.load(text)
    except yaml.YAMLError:
        return None
    if not isinstance(groups, dict) or not all(isinstance(one, dict) for one in groups.values()):
        return None
    return {str(name): str(value) for group in groups.values() for name, value in group.items()}


def _wanted(value: str) -> str:
    digest = _DIGEST.search(value)
    return digest[0] if digest else value


def _has(line: str, name: str, value: str) -> bool:
    """Whether a line has a digest, or a plain version beside its tool's name or that name's first word."""
    if _DIGEST.fullmatch(value):
        return value in line
    first = name.split("-")[0]
    named = (first if len(first) > SHORT else name).lower() in line.lower()
    return named and bool(re.search(rf"(?<![\d.]){re.escape(value)}(?![\w.])", line))
