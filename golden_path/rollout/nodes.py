"""Reading a YAML file strictly: every mistake is one line with the file, the line and the place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NoReturn, TypeVar

import yaml

from golden_path.errors import Exit, FleetError
from golden_path.rules import bounded
from golden_path.untrusted import foreign

Read = TypeVar("Read")
LARGEST = 8 << 20  # bytes of a fleet.yaml: some ten thousand services
_KINDS = {yaml.MappingNode: "a mapping", yaml.SequenceNode: "a list", yaml.ScalarNode: "one value"}


class Node:
    """A value of the file, with its place.

    Args:
        file: the file's path.
        node: as yaml composed it.
        place: where in the file, for example ``rings[0].require``.
    """

    def __init__(self, file: Path, node: yaml.Node, place: str = "") -> None:
        self._file = file
        self._node = node
        self.place = place

    def wrong(self, text: str) -> NoReturn:
        """Refuse the value.

        Raises:
            FleetError: always.
        """
        line = self._node.start_mark.line + 1
        raise FleetError(f"{self._file}:{line}: {self.place}{': ' if self.place else ''}{text}", Exit.FLEET)

    def _expect(self, kind: type[yaml.Node]) -> None:
        if not isinstance(self._node, kind):
            self.wrong(f"must be {_KINDS[kind]}, not {_KINDS.get(type(self._node), 'this')}")

    def mapping(self, allowed: Iterable[str] | None, required: Iterable[str] = ()) -> dict[str, Node]:
        """Return the values of a mapping by key.

        Args:
            allowed: its keys; None for any.
            required: those that must be there.
        """
        self._expect(yaml.MappingNode)
        found: dict[str, Node] = {}
        known = None if allowed is None else sorted(allowed)
        for key, value in self._node.value:
            if not isinstance(key, yaml.ScalarNode):
                Node(self._file, key, self.place).wrong("a key must be one word")
            name = str(key.value)
            inner = f"{self.place}.{name}" if self.place else name
            one = Node(self._file, value, inner)
            if known is not None and name not in known:
                Node(self._file, key, inner).wrong(f"there is no such key; there are {', '.join(known)}")
            if name in found:
                Node(self._file, key, inner).wrong("stands here twice")
            found[name] = one
        for name in required:
            if name not in found:
                self.wrong(f"{name} is missing")
        return found

    def list(self) -> Iterator[Node]:
        """Return the values of a list that is not empty."""
        self._expect(yaml.SequenceNode)
        if not self._node.value:
            self.wrong("must not be empty")
        for number, one in enumerate(self._node.value):
            yield Node(self._file, one, f"{self.place}[{number}]")

    def text(self) -> str:
        """Return a value as it is written, which is not empty and stands on one line."""
        self._expect(yaml.ScalarNode)
        text = str(self._node.value)
        if not text.strip() or self._node.tag == "tag:yaml.org,2002:null":
            self.wrong("must not be empty")
        if foreign.escaped(text.strip()) != text.strip() or "\t" in text.strip():
            self.wrong("must be on one line, without control characters")
        return text.strip()

    def choice(self, *values: str) -> str:
        """Return one of several words."""
        text = self.text()
        if text not in values:
            self.wrong(f"must be {' or '.join(values)}, not {text!r}")
        return text

    def read(self, reader: Callable[[str], Read]) -> Read:
        """Return what a function makes of the text; its ValueError says what is wrong with it."""
        text = self.text()
        try:
            return reader(text)
        except ValueError as error:
            self.wrong(f"{error}, not {text!r}")


def load(file: Path) -> Node:
    """Read a file.

    Raises:
        FleetError: it is not there, or no YAML.
    """
    try:
        text = file.read_text(encoding="utf-8")
        bounded.check(text, largest=LARGEST)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise FleetError(f"{file} cannot be read: {reason}", Exit.FLEET) from None
    except bounded.TooMuchError as error:
        raise FleetError(f"{file}{bounded.line(error)}: {error}", Exit.FLEET) from None
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or error
        raise FleetError(f"{file}{bounded.line(error)}: is not valid YAML: {problem}", Exit.FLEET) from None
    if node is None:
        raise FleetError(f"{file}:1: is empty; docs/reference/fleet-file.md describes it", Exit.FLEET)
    return Node(file, node)
