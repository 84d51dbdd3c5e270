"""What the pinned actions take and give: ``actions.json``, from their own ``action.yml``."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("actions.json")


@dataclass(frozen=True)
class Action:
    """One action.

    Attributes:
        inputs: whether each input is required.
        outputs: names.
    """

    inputs: Mapping[str, bool]
    outputs: tuple[str, ...]


@functools.cache
def load() -> dict[str, Action]:
    """Return every action of the pinned repositories, by ``owner/name`` or ``owner/name/path``."""
    repositories = json.loads(FILE.read_text(encoding="utf-8"))
    return {
        name if path == "." else f"{name}/{path}": Action(action["inputs"], tuple(action["outputs"]))
        for name, repository in repositories.items()
        for path, action in repository["actions"].items()
    }
