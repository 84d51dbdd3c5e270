"""The pinned versions of ``pins.yaml``, for the templates."""

from __future__ import annotations

from pathlib import Path

import yaml
from jinja2 import Environment
from jinja2.ext import Extension

PINS_FILE = Path(__file__).resolve().parent.parent / "pins.yaml"


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


class PinsExtension(Extension):
    """Offer the pins to the templates as the global ``pins``."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.globals["pins"] = load()
