"""Values as the contract's types, strictly: what is text is read, and nothing is rounded or guessed."""

import datetime as dt
import decimal
import math
import numbers
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pandas as pd

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_INTEGER = re.compile(r"[+-]?\d+")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?")
_BOOLEAN = {"true": True, "false": False}


class Typed(NamedTuple):
    """A column as its type: values, with nothing where one is missing, and whether each is of another type."""

    values: "pd.Series[Any]"
    wrong: "pd.Series[bool]"


def typed(series: "pd.Series[Any]", kind: str) -> Typed:
    """Read a column.

    Args:
        series: as it was delivered: text, or of any type.
        kind: a type of the contract.
    """
    dtype = series.dtype
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype) and kind in ("number", "integer"):
        known = pd.to_numeric(series).astype("float64")
        broken = known.isin([math.inf, -math.inf])
        if kind == "integer":
            broken |= known.notna() & (known % 1 != 0)
        return Typed(known.mask(broken), broken)
    read = [_read(value, kind) for value in series.astype(object)]
    wrong = pd.Series([one is _WRONG for one in read], index=series.index, dtype=bool)
    values = pd.Series([None if one is _WRONG else one for one in read], index=series.index, dtype=object)
    if kind in ("number", "integer"):
        values = values.astype("float64")
    elif kind in ("date", "timestamp"):
        values = pd.to_datetime(values, utc=True)
    return Typed(values, wrong)


_WRONG = object()


def _read(value: Any, kind: str) -> Any:
    """The value, None where it is missing, or _WRONG. Empty text is missing: CSV knows no difference."""
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        text = value if kind == "string" else value.strip()
        return _TEXTS.get(kind, str)(text) if text else None
    return _VALUES[kind](value)


def _when(pattern: re.Pattern[str]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return _utc(dt.datetime.fromisoformat(text)) if pattern.fullmatch(text) else _WRONG
        except ValueError:
            return _WRONG

    return read


def _utc(value: dt.datetime) -> dt.datetime:
    """Without a zone it is UTC, as the standard says."""
    return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


def _finite(value: float) -> Any:
    return value if math.isfinite(value) else _WRONG


def _number(value: Any) -> Any:
    real = (isinstance(value, numbers.Real) and not isinstance(value, bool)) or isinstance(value, decimal.Decimal)
    return _finite(float(value)) if real else _WRONG


def _integer(value: Any) -> Any:
    number = _number(value)
    return number if number is _WRONG or number.is_integer() else _WRONG


def _boolean(value: Any) -> Any:
    return bool(value) if type(value).__name__ in ("bool", "bool_") else _WRONG


def _timestamp(value: Any) -> Any:
    return _utc(value) if isinstance(value, dt.datetime) else _WRONG


def _date(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return _utc(value) if value.time() == dt.time() else _WRONG
    return dt.datetime.combine(value, dt.time(), dt.UTC) if isinstance(value, dt.date) else _WRONG


_TEXTS: dict[str, Callable[[str], Any]] = {
    "number": lambda text: _finite(float(text)) if _NUMBER.fullmatch(text) else _WRONG,
    "integer": lambda text: _finite(float(text)) if _INTEGER.fullmatch(text) else _WRONG,
    "boolean": lambda text: _BOOLEAN.get(text.lower(), _WRONG),
    "date": _when(_DATE),
    "timestamp": _when(_TIMESTAMP),
}
_VALUES: dict[str, Callable[[Any], Any]] = {
    "string": lambda _: _WRONG,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
}
