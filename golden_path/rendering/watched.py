"""Lists and mappings that a text can write into: Copier hands the same ones to all texts of a rendering."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any


class ChangedError(Exception):
    """A text has changed a value that others read: what comes of them depends on their order."""


class Watched:
    """The values of a rendering, as they were before the first text."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[Any, Any]] = {}
        self._state: list[str] = []

    def add(self, variables: Mapping[str, Any]) -> None:
        """Keep a copy of what can be changed.

        Args:
            variables: of a rendering; those that Copier makes anew for each text are left out.
        """
        for name, value in variables.items():
            if type(value) in (list, dict) and not name.startswith("_copier") and id(value) not in self._before:
                self._before[id(value)] = value, copy.deepcopy(value)
                self._state.append(repr(value))

    def check(self) -> None:
        """Look whether all is as it was.

        Raises:
            ChangedError: it is not.
        """
        if self._state != [repr(value) for value, _ in self._before.values()]:
            raise ChangedError

    def restore(self) -> None:
        """Put everything back."""
        for value, before in self._before.values():
            value.clear()
            (value.update if isinstance(value, dict) else value.extend)(before)
