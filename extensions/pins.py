"""The pinned versions of ``pins.yaml``, for the templates: ``pins`` and, for workflows, ``action('owner/name')``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import yaml
from jinja2 import Environment
from jinja2.ext import Extension

PINS_FILE = Path(__file__).resolve().parent.parent / "pins.yaml"
_ACTION_PIN = re.compile(r"[0-9a-f]{40} # v\d+\.\d+\.\d+")


def load(path: Path = PINS_FILE) -> dict[str, dict[str, str]]:
    """Read the pins.

    Args:
        path: the YAML file.

    Returns:
        Versions by group and name, for example ``{"tools": {"uv": "0.13.9"}}``.

    Raises:
        ValueError: a pin is not a string; YAML reads an unquoted ``3.10`` as a number and loses the zero.
    """
    pins: dict[str, dict[str, str]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    for group, entries in pins.items():
        for name, version in entries.items():
            if not isinstance(version, str):
                raise ValueError(f"{path.name}: {group}.{name} must be a quoted string, found {version!r}")
    return pins


class Actions:
    """What a workflow writes behind ``uses:``, from the pinned commits.

    Args:
        pinned: commit and version, such as ``3d3c... # v7.0.1``, by the action's ``owner/name``.

    Raises:
        ValueError: a pin is of another form.
    """

    golden_path_reads = ("pins.yaml",)  # what it returns follows from them: the engine need not ask twice

    def __init__(self, pinned: Mapping[str, str]) -> None:
        for name, pin in pinned.items():
            if not _ACTION_PIN.fullmatch(pin):
                raise ValueError(f"{PINS_FILE.name}: actions.{name} must be '<40 hex digits> # vX.Y.Z', found {pin!r}")
        self._pinned = dict(pinned)

    def __call__(self, name: str) -> str:
        """Return the reference of one action.

        Args:
            name: ``owner/name``, or ``owner/name/path`` for an action in a folder of the repository.

        Returns:
            For example ``actions/checkout@3d3c... # v7.0.1``.

        Raises:
            KeyError: there is no pin for it.
        """
        repository = "/".join(name.split("/")[:2])
        if repository not in self._pinned:
            raise KeyError(f"{PINS_FILE.name} has no action {repository}: add it with its commit and version")
        return f"{name}@{self._pinned[repository]}"


class PinsExtension(Extension):
    """Offer the pins to the templates as the globals ``pins`` and ``action``."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        pins = load()
        environment.globals["pins"] = pins
        environment.globals["action"] = Actions(pins["actions"])
