"""Data held against their contract by pandera: each rule on its own, with the rows that break it."""

import datetime as dt
import difflib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pandas as pd
import pandera.pandas as pa

from golden_path.data.contract import Contract, Field, Freshness, Quality
from golden_path.data.typed import Typed, typed

_BOUNDS = {
    "minimum": ("at least", pa.Check.ge),
    "maximum": ("at most", pa.Check.le),
    "exclusiveMinimum": ("above", pa.Check.gt),
    "exclusiveMaximum": ("below", pa.Check.lt),
}
_SIMILAR = 0.5


class Outcome(NamedTuple):
    """What became of one rule.

    Attributes:
        assertion: its kind, a word for programs.
        column: that it is about; empty for the table.
        success: whether it holds.
        said: what the data are like, if it does not hold.
        rows: how many break it.
    """

    assertion: str
    column: str
    success: bool
    said: str
    rows: int = 0


def check(frame: pd.DataFrame, contract: Contract, now: dt.datetime) -> list[Outcome]:
    """Hold data against their contract.

    Args:
        frame: the data as they were delivered.
        contract: what they have to keep.
        now: what their age counts to.

    Returns:
        The outcome of every rule. No data keeps no contract.
    """
    frame = frame.reset_index(drop=True)
    found = [Outcome("row_count", "", len(frame) > 0, "there are no rows")]
    columns: dict[str, Typed] = {}
    for field in contract.fields:
        here = list(frame.columns).count(field.column)
        found.append(Outcome("column", field.column, here == 1, _absent(field, frame, contract, here)))
        if here == 1:
            columns[field.name] = typed(frame[field.column], field.type)
            found += _of_column(field, columns[field.name])
    for rule in contract.quality:
        found += _of_table(rule, columns, contract, len(frame))
    for one in contract.freshness:
        found += _of_age(one, columns, contract, now)
    return found


def extra(frame: pd.DataFrame, contract: Contract) -> list[str]:
    """Return the columns that the contract does not know, which break nothing."""
    known = {field.column for field in contract.fields}
    return [str(name) for name in frame.columns if name not in known]


def _absent(field: Field, frame: pd.DataFrame, contract: Contract, here: int) -> str:
    if here:
        return f"is there {here} times"
    similar = difflib.get_close_matches(field.column, extra(frame, contract), 1, _SIMILAR)
    return f"is missing; was it renamed to {similar[0]!r}?" if similar else "is missing"


def _of_column(field: Field, column: Typed) -> Iterator[Outcome]:
    total, sound = len(column.values), column.values[~column.wrong]

    def rule(assertion: str, what: str, rows: Sequence[int]) -> Outcome:
        return Outcome(assertion, field.column, not rows, _counted(rows, total, what), len(rows))

    article = "an" if field.type[0] in "aeiou" else "a"
    yield rule("type", f"not {article} {field.type}", list(column.wrong[column.wrong].index))
    if field.required:
        yield rule("not_null", "missing", _broken(sound, nullable=False))
    if field.unique:
        yield rule("unique", "the same as an earlier one", _again(_broken(sound.dropna(), unique=True), sound))
    for name, bound in field.options.items():
        if name in _BOUNDS:
            word, made = _BOUNDS[name]
            limit = pd.to_datetime(bound, utc=True) if field.type in ("date", "timestamp") else bound
            yield rule("range", f"not {word} {bound}", _broken(sound, checks=made(limit)))
    if "minLength" in field.options:
        least = field.options["minLength"]
        yield rule("length", f"shorter than {least}", _broken(sound, checks=pa.Check.str_length(least)))
    if "maxLength" in field.options:
        most = field.options["maxLength"]
        yield rule("length", f"longer than {most}", _broken(sound, checks=pa.Check.str_length(max_value=most)))
    if "pattern" in field.options:
        made = pa.Check.str_contains(field.options["pattern"])
        yield rule("pattern", f"not like {field.options['pattern']}", _broken(sound, checks=made))
    if field.values:
        yield rule("accepted_values", "none of the values in enum", _broken(sound, checks=pa.Check.isin(field.values)))
    for quality in field.quality:
        rows = _counting(quality, sound)
        said = f"{_counted(rows, total, _WHAT[quality.metric])}: {_limit(quality)}"
        yield Outcome(quality.metric, field.column, quality.holds(len(rows), total), said, len(rows))


_WHAT = {
    "nullValues": "missing",
    "missingValues": "missing, or as good as",
    "invalidValues": "none of the valid values",
    "duplicateValues": "the same as an earlier one",
}


def _counting(quality: Quality, values: "pd.Series[Any]") -> list[int]:
    """The rows that a metric counts."""
    if quality.metric == "nullValues":
        return _broken(values, nullable=False)
    if quality.metric == "missingValues":
        listed = [one for one in quality.arguments["missingValues"] if one is not None]
        return sorted({*_broken(values, nullable=False), *_broken(values, checks=pa.Check.notin(listed))})
    if quality.metric == "duplicateValues":
        return _again(_broken(values.dropna(), unique=True), values)
    rows: set[int] = set()
    if "validValues" in quality.arguments:
        rows |= set(_broken(values, checks=pa.Check.isin(quality.arguments["validValues"])))
    if "pattern" in quality.arguments:
        rows |= set(_broken(values, checks=pa.Check.str_contains(quality.arguments["pattern"])))
    return sorted(rows)


def _of_table(rule: Quality, columns: dict[str, Typed], contract: Contract, total: int) -> Iterator[Outcome]:
    if rule.metric == "rowCount":
        yield Outcome("rowCount", "", rule.holds(total, total), f"there are {total} rows: {_limit(rule)}")
        return
    names = [str(name) for name in rule.arguments.get("properties", [field.name for field in contract.fields])]
    if set(names) <= columns.keys():
        frame = pd.DataFrame({name: columns[name].values for name in names})
        try:
            pa.DataFrameSchema(unique=names).validate(frame, lazy=True)
            rows: list[int] = []
        except pa.errors.SchemaErrors as found:
            alike = sorted(set(found.failure_cases["index"]))
            rows = [int(row) for row in frame.loc[alike].index[frame.loc[alike].duplicated()]]
        what = "the same as an earlier one" + (f" in {', '.join(names)}" if "properties" in rule.arguments else "")
        said = f"{_counted(rows, total, what)}: {_limit(rule)}"
        yield Outcome("duplicateValues", "", rule.holds(len(rows), total), said, len(rows))


def _of_age(one: Freshness, columns: dict[str, Typed], contract: Contract, now: dt.datetime) -> Iterator[Outcome]:
    if one.field not in columns:
        return  # that it is missing is said
    [column] = [field.column for field in contract.fields if field.name == one.field]
    newest = columns[one.field].values.max()
    if pd.isna(newest):
        yield Outcome("freshness", column, False, "has no value that says how old the data are")
        return
    age = (now - newest.to_pydatetime()).total_seconds() / 3600
    said = f"is {age / 24:.1f} days old in the newest row, and may be {one.hours / 24:g}"
    yield Outcome("freshness", column, age <= one.hours, said)


def _broken(values: "pd.Series[Any]", *, nullable: bool = True, **rule: Any) -> list[int]:
    """The rows that break a rule of pandera's, a list of places that begins at 0."""
    if values.empty:
        return []
    try:
        pa.SeriesSchema(nullable=nullable, **rule).validate(values, lazy=True)
    except pa.errors.SchemaErrors as found:
        cases = found.failure_cases
        if cases["index"].isna().any():
            raise TypeError(f"pandera did not run a check: {cases['check'].iloc[0]}") from None
        return sorted({int(row) for row in cases["index"]})
    return []


def _again(rows: Sequence[int], values: "pd.Series[Any]") -> list[int]:
    """Of rows that are alike, all but the first."""
    alike = values.loc[list(rows)]
    return [int(row) for row in alike.index[alike.duplicated()]]


def _counted(rows: Sequence[int], total: int, what: str) -> str:
    """How many rows are like that; never what they hold, which may be somebody's own."""
    if not rows:
        return f"0 of {total} rows are {what}"
    return f"{len(rows)} of {total} rows {'are' if len(rows) > 1 else 'is'} {what}, the first is row {rows[0] + 1}"


def _limit(quality: Quality) -> str:
    words = {"mustBe": "must be", "mustNotBe": "must not be", "mustBeGreaterThan": "must be more than"}
    words |= {"mustBeGreaterOrEqualTo": "must be at least", "mustBeLessThan": "must be less than"}
    words |= {
        "mustBeLessOrEqualTo": "must be at most",
        "mustBeBetween": "must be in",
        "mustNotBeBetween": "must not be in",
    }
    return f"{words[quality.operator]} {quality.value}{' %' if quality.percent else ''}"
