"""Bins for values, so that their distribution can be compared with that of the training.

A value that alone has more than a bin's share of the training data has a bin of its own: with quantiles alone, a
feature that is constant, or zero most of the time, could move without being seen. What is missing has a bin, too, and
so has a category that the training did not know.
"""

import math
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property

from pydantic import BaseModel, ConfigDict

MISSING = "missing"
OTHER = "other"


def _text(value: float) -> str:
    """The shortest text that is this number of single precision and no other."""
    texts = (f"{value:.{digits}g}" for digits in range(1, 10))
    return next((text for text in texts if array("f", [float(text)])[0] == value), repr(value))


class Bins(BaseModel):
    """The bins of numbers: single values, intervals between edges, and what is missing."""

    model_config = ConfigDict(frozen=True)

    values: tuple[float, ...]
    edges: tuple[float, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        ends = [*map(_text, self.edges), "inf"]
        intervals = (f"({low}, {high}]" for low, high in zip(["-inf", *ends[:-1]], ends, strict=True))
        return (*map(_text, self.values), *intervals, MISSING)

    def index(self, value: float | None) -> int:
        """Return the place of a value's bin among the labels."""
        if value is None or math.isnan(value):
            return len(self.values) + len(self.edges) + 1
        single = self._singles.get(value)
        return len(self.values) + bisect_left(self.edges, value) if single is None else single

    @cached_property
    def _singles(self) -> dict[float, int]:
        return {value: place for place, value in enumerate(self.values)}


class Categories(BaseModel):
    """The bins of names: one each, one for those that are not known, and what is missing."""

    model_config = ConfigDict(frozen=True)

    names: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        return (*self.names, OTHER, MISSING)

    def index(self, name: str | None) -> int:
        """Return the place of a name's bin among the labels."""
        if name is None:
            return len(self.names) + 1
        return self._places.get(name, len(self.names))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}


def bins_of(values: Iterable[float | None], most: int = 10) -> Bins:
    """Return bins with about the same number of these values in each.

    Args:
        values: of the training data, as the model sees them; None or NaN for what is missing.
        most: how many bins a feature without heavy values has.
    """
    known = sorted(value for value in values if value is not None and not math.isnan(value))
    counts = Counter(known)
    heavy = sorted(counts) if len(counts) <= most else sorted(v for v, n in counts.items() if n * most > len(known))
    rest = [value for value in known if value not in set(heavy)]
    wanted = max(1, round(most * len(rest) / len(known))) if known else 1
    places = (len(rest) * part // wanted - 1 for part in range(1, wanted))
    edges = sorted({rest[place] for place in places if place >= 0 and rest[place] != rest[-1]})
    return Bins(values=tuple(heavy), edges=tuple(edges))


def counted(bins: Bins, values: Iterable[float | None]) -> list[int]:
    """Return how many of these numbers are in each bin."""
    return _counted(len(bins.labels), map(bins.index, values))


def counted_names(bins: Categories, names: Iterable[str | None]) -> list[int]:
    """Return how many of these names are in each bin."""
    return _counted(len(bins.labels), map(bins.index, names))


def _counted(size: int, places: Iterable[int]) -> list[int]:
    found = Counter(places)
    return [found[place] for place in range(size)]


def shares(counts: Sequence[int]) -> list[float]:
    """Return the share of each bin; raises ValueError where nothing was counted."""
    total = sum(counts)
    if total == 0:
        raise ValueError("nothing was counted")
    return [count / total for count in counts]
