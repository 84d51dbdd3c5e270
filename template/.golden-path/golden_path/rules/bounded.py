"""Reading YAML that somebody else wrote: bounded in size, depth, repetitions and digits, so in time and memory.

A document of a few lines can stand for billions of values (anchors that double), for itself (an anchor inside what it
names), or for a number that takes minutes. Needs Copier's dependencies only, since the hooks of services use it too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

LARGEST = 1 << 20  # bytes of a document
DEEPEST = 100  # values within values
MOST = 100_000  # values, each alias counted with all that it stands for
DIGITS = 100  # characters of a number

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NUMBER = re.compile(r"[-+]?(?:0[xX][\da-fA-F_]+|[\d_.:]+(?:[eE][-+]?\d+)?)")


class TooMuchError(yaml.YAMLError):
    """A document that is no answers file, settings file or manifest of a person's: too large, too deep, or cyclic."""


def load(text: str | bytes, loader: Any = _LOADER, *, largest: int = LARGEST) -> Any:
    """Read one document.

    Args:
        text: the document.
        loader: a safe loader of PyYAML's.
        largest: how many bytes it may have.

    Returns:
        What it says.

    Raises:
        YAMLError: it is not valid, or not bounded.
    """
    check(text, largest=largest)
    try:
        return yaml.load(text, Loader=loader)  # noqa: S506 - a safe one
    except _ODD as error:
        raise TooMuchError(f"has a value that cannot be read: {error}") from None


def load_all(text: str | bytes, loader: Any = _LOADER, *, largest: int = LARGEST) -> list[Any]:
    """Read all documents of a file; as for ``load``."""
    check(text, largest=largest)
    try:
        return list(yaml.load_all(text, Loader=loader))
    except _ODD as error:
        raise TooMuchError(f"has a value that cannot be read: {error}") from None


# What PyYAML lets through from the constructors of values, for example of a date in month 13.
_ODD = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)


def check(text: str | bytes, *, largest: int = LARGEST) -> None:
    """Refuse what is not bounded; nothing of it is built.

    Args:
        text: a YAML file.
        largest: how many bytes it may have.

    Raises:
        YAMLError: it is not valid, or not bounded.
    """
    if len(text) > largest:
        raise TooMuchError(f"is larger than {largest >> 10} KiB")
    counter = _Counter()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            counter.add(event)
    except (UnicodeError, RecursionError) as error:
        raise TooMuchError(f"cannot be read: {error}") from None


def line(error: Exception) -> str:
    """Return ``:LINE`` of what was wrong; empty where it is not known."""
    mark = getattr(error, "problem_mark", None)
    return f":{mark.line + 1}" if mark else ""


class _Counter:
    """Counts values as the events of a document come, each alias with all that it stands for."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, int] | None] = {}  # by anchor: values, and how deep; None while it is open
        self._open: list[_Open] = []
        self._count = 0

    def add(self, event: Any) -> None:
        """Take the next event.

        Raises:
            TooMuchError: that was too much.
        """
        if isinstance(event, yaml.DocumentStartEvent):
            self._known = {}
        elif isinstance(event, yaml.AliasEvent):
            known = self._known.get(str(event.anchor), (1, 0))
            if known is None:
                raise _at(event, f"the anchor {event.anchor!r} stands for itself")
            self._value(event, *known)
        elif isinstance(event, yaml.ScalarEvent):
            self._value(event, 1, 0)
            if event.anchor:
                self._known[event.anchor] = (1, 0)
            if _large(event):
                raise _at(event, f"has a number of {len(event.value)} digits")
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._open.append(_Open(event.anchor, self._count))
            if event.anchor:
                self._known[event.anchor] = None
            self._value(event, 1, 0)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            done = self._open.pop()
            if done.anchor:
                self._known[done.anchor] = (self._count - done.start, done.depth)
            if self._open:
                self._open[-1].depth = max(self._open[-1].depth, done.depth + 1)

    def _value(self, event: Any, count: int, depth: int) -> None:
        self._count += count
        if self._count > MOST:
            raise _at(event, f"has more than {MOST} values")
        if len(self._open) + depth > DEEPEST:
            raise _at(event, f"has more than {DEEPEST} values within each other")
        if self._open:
            self._open[-1].depth = max(self._open[-1].depth, depth + 1)


@dataclass
class _Open:
    """A mapping or list that has not ended: its anchor, the count where it began, and how deep it is so far."""

    anchor: str | None
    start: int
    depth: int = 1


def _large(event: Any) -> bool:
    """Whether a scalar is a number that nobody wrote by hand."""
    if len(event.value) <= DIGITS:
        return False
    kind = (event.tag or "").rpartition(":")[2]
    return kind in ("int", "float") or (not kind and event.implicit[0] and bool(_NUMBER.fullmatch(event.value)))


def _at(event: Any, reason: str) -> TooMuchError:
    error = TooMuchError(reason)
    error.problem_mark = event.start_mark  # type: ignore[attr-defined]
    return error
