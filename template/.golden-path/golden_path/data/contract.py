"""The data contract, a file in the Open Data Contract Standard (ODCS), as the rules that data have to keep.

What the standard's JSON schema does not know is refused, and so is what reads like a rule and is not checked here: a
contract promises nothing that nobody looks at.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import yaml

from golden_path.service.errors import WrongInputError

FOLDER = Path("contracts/data")
TYPES = ("string", "number", "integer", "boolean", "date", "timestamp")
RANGE = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
LENGTH = ("minLength", "maxLength")
# Operators on how many rows break a rule; those of `rowCount` are on how many there are.
OPERATORS: Mapping[str, Callable[[float, Any], bool]] = {
    "mustBe": lambda count, value: count == value,
    "mustNotBe": lambda count, value: count != value,
    "mustBeGreaterThan": lambda count, value: count > value,
    "mustBeGreaterOrEqualTo": lambda count, value: count >= value,
    "mustBeLessThan": lambda count, value: count < value,
    "mustBeLessOrEqualTo": lambda count, value: count <= value,
    "mustBeBetween": lambda count, value: value[0] <= count <= value[1],
    "mustNotBeBetween": lambda count, value: not value[0] <= count <= value[1],
}
METRICS = ("nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount")
HOURS = {"h": 1, "hr": 1, "hour": 1, "hours": 1, "d": 24, "day": 24, "days": 24}


class Quality(NamedTuple):
    """A rule on a number of rows.

    Attributes:
        metric: what is counted, one of METRICS.
        arguments: of the metric.
        operator: one of OPERATORS, and what it compares with.
        value: that.
        percent: whether the share of rows is compared, not their number.
    """

    metric: str
    arguments: Mapping[str, Any]
    operator: str
    value: Any
    percent: bool

    def holds(self, count: int, rows: int) -> bool:
        """Return whether so many of so many rows are within the rule."""
        number = 100 * count / rows if self.percent and rows else count
        return bool(OPERATORS[self.operator](number, self.value))


class Field(NamedTuple):
    """A column: ``name`` is what features call it, ``column`` what the data do."""

    name: str
    column: str
    type: str
    required: bool
    unique: bool
    options: Mapping[str, Any]
    values: tuple[Any, ...]
    quality: tuple[Quality, ...]
    description: str


class Freshness(NamedTuple):
    """How old the newest value of a column may be."""

    field: str
    hours: float


class Contract(NamedTuple):
    """A contract on one table.

    Attributes:
        id: of the contract, and its version.
        version: that.
        table: name of the table.
        fields: its columns.
        quality: rules on the table as a whole.
        freshness: how old it may be.
        unchecked: promises of operation, which its content does not show.
    """

    id: str
    version: str
    table: str
    fields: tuple[Field, ...]
    quality: tuple[Quality, ...]
    freshness: tuple[Freshness, ...]
    unchecked: tuple[str, ...]


def find(folder: Path = FOLDER) -> Path:
    """Return the contract's file.

    Raises:
        WrongInputError: there is none, or more than one.
    """
    found = sorted(folder.glob("*.odcs.yaml"))
    if len(found) != 1:
        raise WrongInputError(
            f"{folder} must have one file *.odcs.yaml, the contract on the training data, not {len(found)}"
        )
    return found[0]


def read(path: Path) -> Contract:
    """Read a contract.

    Args:
        path: of the file.

    Raises:
        WrongInputError: it is none that is checked as a whole; the message names the file and the place in it.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        _of_the_standard(document)
        return _contract(document)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as reason:
        raise WrongInputError(f"{path} is no YAML: {' '.join(str(reason).split())}") from None
    except WrongInputError as reason:
        raise WrongInputError(f"{path}: {reason}") from None


def _of_the_standard(document: Any) -> None:
    """Raises WrongInputError for what the standard's schema refuses."""
    schema = yaml.safe_load(resources.files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8"))
    found = sorted(
        jsonschema.Draft201909Validator(schema).iter_errors(document), key=lambda error: list(map(str, error.path))
    )
    if found:
        worst = jsonschema.exceptions.best_match(found)
        place = "/".join(map(str, worst.absolute_path)) or "the document"
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise WrongInputError(f"{place}: {worst.message[:200]}{more}")


def _contract(document: Mapping[str, Any]) -> Contract:
    tables = document.get("schema", [])
    if len(tables) != 1 or not tables[0].get("properties"):
        raise WrongInputError("schema must have one object with properties, the table that is trained on")
    [table] = tables
    fields = tuple(_field(one) for one in table["properties"])
    for what in ("name", "column"):
        names = [getattr(one, what) for one in fields]
        if twice := {name for name in names if names.count(name) > 1}:
            raise WrongInputError(f"{', '.join(sorted(twice))} is there twice")
    known = {one.name for one in fields}
    quality = tuple(_qualities(table, table["name"], ("rowCount", "duplicateValues")))
    for one in quality:
        if unknown := set(one.arguments.get("properties", ())) - known:
            raise WrongInputError(f"quality of {table['name']}: there is no property {', '.join(sorted(unknown))}")
    aged = [one for one in document.get("slaProperties", []) if one["property"] == "freshness"]
    return Contract(
        str(document["id"]),
        document["version"],
        table["name"],
        fields,
        quality,
        tuple(_freshness(one, table["name"], fields) for one in aged),
        tuple(one["property"] for one in document.get("slaProperties", []) if one not in aged),
    )


def _field(told: Mapping[str, Any]) -> Field:
    name = told.get("name", "")
    kind = told.get("logicalType", "")
    if not name or kind not in TYPES:
        raise WrongInputError(f"{name or 'a property'} needs a name and a logicalType of {', '.join(TYPES)}")
    options = told.get("logicalTypeOptions", {})
    known = (*LENGTH, "pattern") if kind == "string" else () if kind == "boolean" else RANGE
    if unknown := sorted(options.keys() - known):
        raise WrongInputError(
            f"{name}: {', '.join(unknown)} is not checked here: write a quality rule, or leave it out"
        )
    if kind == "string" and "pattern" in options:
        _pattern(name, options["pattern"])
    allowed = ("nullValues", "missingValues", "invalidValues", "duplicateValues")
    return Field(
        name,
        told.get("physicalName") or name,
        kind,
        told.get("required", False) or told.get("primaryKey", False),
        told.get("unique", False) or told.get("primaryKey", False),
        options,
        tuple(one["value"] for one in told.get("enum", [])),
        tuple(_qualities(told, name, allowed)),
        told.get("description", ""),
    )


def _qualities(told: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> Iterator[Quality]:
    arguments: dict[str, set[str]] = {
        "missingValues": {"missingValues"},
        "invalidValues": {"validValues", "pattern"},
        "duplicateValues": {"properties"} if "rowCount" in allowed else set(),
    }
    for one in told.get("quality", []):
        kind = one.get("type", "library")
        if kind == "text":
            continue
        metric, given = one.get("metric", ""), one.get("arguments", {})
        if kind != "library" or metric not in allowed:
            what = f"type {kind}" if kind != "library" else f"metric {metric or one.get('rule', '')}"
            raise WrongInputError(f"quality of {name}: {what} is not checked here, only {', '.join(allowed)}")
        [operator] = [key for key in OPERATORS if key in one]
        if other := sorted(given.keys() - arguments.get(metric, set())):
            raise WrongInputError(f"quality of {name}: {metric} takes no {', '.join(other)}")
        wanted = {"missingValues": "missingValues", "invalidValues": "validValues"}.get(metric)
        if wanted and not given.keys() & arguments[metric]:
            raise WrongInputError(f"quality of {name}: {metric} needs arguments with {wanted}")
        if "pattern" in given:
            _pattern(name, given["pattern"])
        if one.get("unit", "rows") not in ("rows", "percent"):
            raise WrongInputError(f"quality of {name}: unit must be rows or percent")
        number = one[operator]
        if not all(type(each) in (int, float) for each in (number if isinstance(number, list) else [number])):
            raise WrongInputError(f"quality of {name}: {operator} must be a number")
        yield Quality(metric, given, operator, number, one.get("unit") == "percent")


def _pattern(name: str, pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as reason:
        raise WrongInputError(f"{name}: {pattern!r} is no pattern: {reason}") from None


def _freshness(told: Mapping[str, Any], table: str, fields: tuple[Field, ...]) -> Freshness:
    element = str(told.get("element", "")).removeprefix(f"{table}.")
    dated = [one.name for one in fields if one.type in ("date", "timestamp")]
    if element not in dated:
        raise WrongInputError(
            f"freshness needs an element, {table}.COLUMN, a date or timestamp ({', '.join(dated) or 'there is none'})"
        )
    hours, value = HOURS.get(told.get("unit", "d")), told["value"]
    if hours is None or type(value) not in (int, float) or value <= 0:
        raise WrongInputError("freshness needs a value above 0 and a unit, d or h")
    return Freshness(element, value * hours)
