"""Reading YAML with the lines of what is in it; `on` is a word, and unknown tags are no fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from golden_path.rules import bounded


class Map(dict[Any, Any]):
    """A mapping that knows the line of each of its keys, from 1.

    Attributes:
        lines: by key.
    """

    lines: dict[Any, int]


class Sequence(list[Any]):
    """A list that knows the line of each of its items, from 1.

    Attributes:
        lines: by position.
    """

    lines: list[int]


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML 1.2's booleans."""


def _map(loader: Any, node: Any) -> Iterator[Map]:
    found = Map()
    found.lines = {}
    yield found
    found.update(loader.construct_mapping(node))
    found.lines.update({loader.construct_object(key): key.start_mark.line + 1 for key, _ in node.value})


def _sequence(loader: Any, node: Any) -> Iterator[Sequence]:
    found = Sequence()
    found.lines = [one.start_mark.line + 1 for one in node.value]
    yield found
    found.extend(loader.construct_sequence(node))


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":bool") or first in "tTfF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_constructor("tag:yaml.org,2002:map", _map)
_Loader.add_constructor("tag:yaml.org,2002:seq", _sequence)
_Loader.add_multi_constructor("!", lambda *_: None)


def read(text: str) -> list[Any]:
    """Return the documents of a file; none if it is not valid, for example a template of Helm's, or not bounded."""
    try:
        return bounded.load_all(text, _Loader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return []


def line(value: Any, key: Any) -> int:
    """Return the line of a key or a position; 1 if it is not known."""
    lines = getattr(value, "lines", {})
    if isinstance(lines, list):
        return lines[key] if isinstance(key, int) and key < len(lines) else 1
    return int(lines.get(key, 1))


def at(value: Any, *keys: Any) -> Any:
    """Return the value at a place of a document; None if there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def items(value: Any) -> list[Any]:
    """Return a list; an empty one for what is none. A list of a document keeps its lines."""
    return value if isinstance(value, list) else []


def maps(value: Any) -> list[dict[Any, Any]]:
    """Return the mappings of a list; none for what is no list."""
    return [one for one in items(value) if isinstance(one, dict)]
