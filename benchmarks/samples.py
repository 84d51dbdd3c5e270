"""Repeated measurements of one thing."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Measure:
    """What is measured.

    Attributes:
        name: as a reader sees it.
        unit: of the values.
    """

    name: str
    unit: str


@dataclass
class Samples:
    """The values of one measure, one a round."""

    measure: Measure
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The value in the middle."""
        return statistics.median(self.values)

    def __str__(self) -> str:
        """The median and, in brackets, the least and the greatest, for example ``21 ms (19 to 25)``."""
        low, high = _digits(min(self.values)), _digits(max(self.values))
        return f"{_digits(self.median)} {self.measure.unit} ({low} to {high})"


def _digits(value: float) -> str:
    """Three significant digits, or all digits before the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def ratio(one: Samples, other: Samples) -> str:
    """Return how often the other's median goes into the one's, with two decimals."""
    return f"{one.median / other.median:.2f}"


def ratio_of_rounds(one: Samples, other: Samples) -> str:
    """Return the median of the ratios of each round, with two decimals: a slow round is slow for both."""
    return f"{statistics.median(a / b for a, b in zip(one.values, other.values, strict=True)):.2f}"


def alternating(subjects: Sequence[str], rounds: int) -> Iterator[tuple[int, str]]:
    """Yield round (from 1) and subject, each round in the reverse order of the one before.

    What slows the machine for a while then falls on all subjects alike, and none is always the first.
    """
    for number in range(1, rounds + 1):
        for subject in subjects if number % 2 else reversed(subjects):
            yield number, subject
