"""Events of OpenLineage, held against the classes that the project generates from its JSON schemas.

The schemas themselves come in no package. The classes have their fields, types and formats, and the address of the
schema that each was made from; what they let through and the schemas do not, such as a field more, is refused here.
"""

from __future__ import annotations

import importlib
import pkgutil
import types
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Any

import attr
from openlineage.client import generated
from openlineage.client.generated import base

MODULES = [
    importlib.import_module(f"{generated.__name__}.{one.name}") for one in pkgutil.iter_modules(generated.__path__)
]  # fmt: skip
CLASSES: dict[str, Any] = {
    name: one for module in MODULES for name, one in vars(module).items() if isinstance(one, type) and attr.has(one)
}
# What each collection of facets may have.
KINDS = {
    ("Run", "facets"): base.RunFacet,
    ("Job", "facets"): base.JobFacet,
    ("InputDataset", "facets"): base.DatasetFacet,
    ("OutputDataset", "facets"): base.DatasetFacet,
    ("InputDataset", "inputFacets"): base.InputDatasetFacet,
    ("OutputDataset", "outputFacets"): base.OutputDatasetFacet,
}


def check(event: Any) -> base.RunEvent:
    """Return an event of a run, which is checked as a whole.

    Args:
        event: what was received.

    Raises:
        ValueError: it is none; the message names the place.
    """
    made = _made(base.RunEvent, event, "event")
    assert isinstance(made, base.RunEvent)
    return made


def _made(wanted: Any, value: Any, place: str) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{place} is {value!r}, not an object")
    hints = typing.get_type_hints(wanted, vars(base) | vars(importlib.import_module(wanted.__module__)))
    fields = {one.name: one for one in attr.fields(wanted)}
    if unknown := value.keys() - fields.keys():
        raise ValueError(f"{place} has {sorted(unknown)}, which {wanted.__name__} has not")
    for name in ("schemaURL", "_schemaURL"):
        if name in fields and value.get(name) != wanted._get_schema():
            raise ValueError(f"{place}: {name} is {value.get(name)}, not {wanted._get_schema()}")
    given = {}
    for name, one in fields.items():
        if name in value:
            where = f"{place}.{name}"
            kind = KINDS.get((wanted.__name__, name))
            made = _facets(kind, value[name], where) if kind else _typed(hints[name], value[name], where)
            if one.init:
                given[one.alias or name] = made
        elif one.default is attr.NOTHING or name in ("producer", "_producer"):
            raise ValueError(f"{place} has no {name}")
    return wanted(**given)


def _facets(kind: type, value: Mapping[str, Any], place: str) -> dict[str, Any]:
    made = {}
    for name, facet in value.items():
        title = str(facet.get("_schemaURL", "")).rpartition("/")[2]
        found = CLASSES.get(title)
        if found is None or not issubclass(found, kind):
            raise ValueError(f"{place}.{name} is a {title or 'facet without a schema'}, no {kind.__name__}")
        if f"{name[0].upper()}{name[1:]}" not in title and name != "version":
            raise ValueError(f"{place}.{name} is a {title}")
        made[name] = _made(found, facet, f"{place}.{name}")
    return made


def _typed(wanted: Any, value: Any, place: str) -> Any:
    origin, inner = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            if type(None) in inner:
                return None
            raise ValueError(f"{place} is null")
        [wanted] = [one for one in inner if one is not type(None)]
        return _typed(wanted, value, place)
    if origin is list:
        if not isinstance(value, list):
            raise ValueError(f"{place} is {value!r}, not a list")
        return [_typed(inner[0], one, f"{place}[{number}]") for number, one in enumerate(value)]
    if origin is dict:
        if not isinstance(value, dict):
            raise ValueError(f"{place} is {value!r}, not an object")
        return {name: _typed(inner[1], one, f"{place}.{name}") for name, one in value.items()}
    if wanted is Any:
        return value
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return wanted(value)
    if attr.has(wanted):
        return _made(wanted, value, place)
    allowed: tuple[type, ...] = (int, float) if wanted is float else (wanted,)
    if not isinstance(value, allowed) or (isinstance(value, bool) and wanted is not bool):
        raise ValueError(f"{place} is {value!r}, not {wanted.__name__}")
    return value
