"""Three-way merge of data: what a YAML, TOML or JSON file says, without how it is written.

Mappings are merged by key. Lists are merged by element where each element is told from the others: scalars by
themselves, mappings by what names them (``NAMES``). Whatever both sides changed differently is a ``ClashError``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

# What tells one mapping of a list from another, the first of these that all have.
NAMES = (("id",), ("name",), ("package-ecosystem", "directory"), ("repo",), ("key",), ("path",), ("uses",))
# Lists in which the order means something, so two additions at one place are a question.
ORDERED = frozenset({"steps", "args", "command", "entrypoint", "run", "initContainers", "patches", "plugins"})
_NOTHING: Any = object()


class ClashError(Exception):
    """Both sides changed the same thing; the message says which."""


def merge(base: Any, ours: Any, theirs: Any, place: tuple[str, ...] = ()) -> Any:
    """Merge.

    Args:
        base: before both changes.
        ours: one side; its order is kept.
        theirs: the other side.
        place: keys that lead here.

    Returns:
        The merged data; the arguments are not changed.

    Raises:
        ClashError: a person has to decide.
    """
    if theirs == base or ours == theirs:
        return ours
    if ours == base:
        return theirs
    if isinstance(ours, dict) and isinstance(theirs, dict) and isinstance(base, dict):
        return _mappings(base, ours, theirs, place)
    if isinstance(ours, list) and isinstance(theirs, list) and isinstance(base, list):
        return _lists(base, ours, theirs, place)
    raise ClashError(".".join(place) or "the whole")


def _mappings(
    base: Mapping[Any, Any], ours: Mapping[Any, Any], theirs: Mapping[Any, Any], place: tuple[str, ...]
) -> Any:
    merged = {}
    for key in [*ours, *(key for key in theirs if key not in ours)]:
        one = _one(base.get(key, _NOTHING), ours.get(key, _NOTHING), theirs.get(key, _NOTHING), (*place, str(key)))
        if one is not _NOTHING:
            merged[key] = one
    return merged


def _one(base: Any, ours: Any, theirs: Any, place: tuple[str, ...]) -> Any:
    """Merge one value that a side may not have."""
    if theirs is base or ours is theirs or theirs == base or ours == theirs:
        return ours
    if ours is base or ours == base:
        return theirs
    if _NOTHING in (ours, theirs) or base is _NOTHING:
        raise ClashError(".".join(place))
    return merge(base, ours, theirs, place)


def _lists(base: Sequence[Any], ours: Sequence[Any], theirs: Sequence[Any], place: tuple[str, ...]) -> Any:
    naming = _naming((base, ours, theirs))
    if naming is None:
        raise ClashError(".".join(place))
    old, mine, new = ({naming(one): one for one in side} for side in (base, ours, theirs))
    if any(len(named) != len(side) for named, side in zip((old, mine, new), (base, ours, theirs), strict=True)):
        raise ClashError(".".join(place))
    if [key for key in new if key in old] != [key for key in old if key in new]:
        raise ClashError(f"{'.'.join(place)}: its order")
    merged: list[Hashable] = []
    values: dict[Hashable, Any] = {}
    for key in mine:
        one = _one(old.get(key, _NOTHING), mine[key], new.get(key, _NOTHING), (*place, str(key)))
        if one is not _NOTHING:
            merged.append(key)
            values[key] = one
    sequence = list(new)
    for number, key in enumerate(sequence):
        if key in mine or key in old:
            if key in old and key not in mine and new[key] != old[key]:
                raise ClashError(".".join((*place, str(key))))
            continue
        before = next((other for other in reversed(sequence[:number]) if other in values), None)
        at = merged.index(before) + 1 if before is not None else 0
        added = at
        while added < len(merged) and merged[added] not in old and merged[added] not in new:
            added += 1  # what the other side added at the same place comes first
        if added > at and place and place[-1] in ORDERED:
            raise ClashError(f"{'.'.join(place)}: both added at one place")
        merged.insert(added, key)
        values[key] = new[key]
    return [values[key] for key in merged]


def _naming(sides: Sequence[Sequence[Any]]) -> Callable[[Any], Hashable] | None:
    """How the elements of a list are told apart; None where they cannot be."""
    every = [one for side in sides for one in side]
    if not any(isinstance(one, dict | list) for one in every):
        return lambda one: one
    if not all(isinstance(one, dict) for one in every):
        return None
    for names in NAMES:
        if all(_named(one, names) for one in every) and all(
            len({_key(one, names) for one in side}) == len(side) for side in sides
        ):
            return lambda one, names=names: _key(one, names)  # type: ignore[misc]
    return None


def _key(one: Mapping[Any, Any], names: Sequence[str]) -> Hashable:
    return tuple(one[name] for name in names)


def _named(one: Mapping[Any, Any], names: Sequence[str]) -> bool:
    return all(name in one and not isinstance(one[name], dict | list) for name in names)
