"""The values that the texts of a template read, each looked at once and made comparable."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jinja2

from golden_path.rendering.functions import GLOBALS, UnknownError, declared, is_built_in, is_own
from golden_path.rendering.reads import Reads

DEEPEST = 20  # levels of an answer
_PLAIN = (str, int, bool, type(None))
_SPELLED = (float, datetime.date, datetime.datetime)  # two of them can be equal and be written otherwise


class Values:
    """The values that the texts of one rendering read, each looked at once.

    Args:
        environment: of the rendering.
        context: its variables, as the template's hooks have left them, and those of the environment.
        export: the checkout of the template.
        number: gives each value a number that only it has.
    """

    def __init__(
        self, environment: jinja2.Environment, context: Mapping[str, Any], export: Path, number: Callable[[Any], int]
    ) -> None:
        self._environment, self._context, self._export, self._number = environment, context, export, number
        self._known: dict[tuple[str, str], int | UnknownError] = {}

    def key(self, reads: Reads) -> tuple[Any, ...]:
        """Return what the result of a text follows from.

        Args:
            reads: what it reads.

        Raises:
            UnknownError: that cannot be said of one of its values or functions.
        """
        return tuple(reads.texts), *map(self._once, reads.asked)

    def _once(self, one: tuple[str, str]) -> int:
        if one not in self._known:
            try:
                self._known[one] = self._number((*one, self._look(*one)))
            except UnknownError as error:
                self._known[one] = error
        found = self._known[one]
        if isinstance(found, UnknownError):
            raise found
        return found

    def _look(self, kind: str, name: str) -> Any:
        if kind == "name":
            return self._variable(name)
        there: Mapping[str, Any] = self._environment.filters if kind == "filter" else self._environment.tests
        function = there.get(name)
        if function is None or is_built_in(kind, name, function):
            return None
        return declared(function, self._export)

    def _variable(self, name: str) -> Any:
        if name not in self._context:
            return None
        if name.startswith("_copier") or name == "_external_data":
            raise UnknownError(name)
        value = self._context[name]
        if name in GLOBALS and is_own(name, value):
            return "built in"
        return declared(value, self._export) if callable(value) else ("value", plain(value))


def plain(value: Any, deep: int = 0) -> Any:
    """Return a value so that it can be compared and hashed, and equals no other's.

    Raises:
        UnknownError: it is no plain data.
    """
    if type(value) in _PLAIN:
        return type(value).__name__, value
    if type(value) in _SPELLED:
        return type(value).__name__, repr(value)
    if deep < DEEPEST and type(value) in (list, tuple):
        return type(value).__name__, tuple(plain(one, deep + 1) for one in value)
    if deep < DEEPEST and type(value) is dict:
        return "dict", tuple((plain(key, deep + 1), plain(one, deep + 1)) for key, one in value.items())
    raise UnknownError(type(value).__name__)
