"""Base and head, measured in turns: what else the machine does falls on both, and medians of ratios are left."""

import json
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

from golden_path.baseline.load import connected, latencies, rate, request
from golden_path.baseline.quality import METRICS, Answers
from golden_path.baseline.running import Running

NAMES = ("base", "head")
# Each lap starts both anew: one process may be slower than another of the same program for all of its life. If a
# measure is beyond its limit in all laps, there are more of them: the machine may be busy with something else.
LAPS, MOST_LAPS, ROUNDS = 3, 6, 10
_WARM_UP, _SINGLE, _BATCH, _CONNECTIONS, _SECONDS = 100, 40, 20, 4, 0.2

Instances = Sequence[Mapping[str, Any]]


class Side(NamedTuple):
    """What is measured: a folder with a built service, what starts it, and data that its model has not seen."""

    folder: Path
    command: Sequence[str]
    instances: Instances
    labels: Sequence[str]


class Round(NamedTuple):
    """What one of them did in one round: seconds for a prediction, and predictions a second in batches."""

    latency: float
    throughput: float


class Found(NamedTuple):
    """What was measured of both, base first.

    Attributes:
        laps: of each lap, by measure, pairs of values: of each round, and for `memory`, in MiB, one.
        metric: of the model.
    """

    laps: Sequence[Mapping[str, Sequence[tuple[float, float]]]]
    metric: tuple[float, float]

    def ratios(self, name: str) -> list[float]:
        """Return for each lap the median of the ratios of head to base, for a measure."""
        return [statistics.median(head / base for base, head in lap[name]) for lap in self.laps]

    def medians(self, name: str) -> tuple[float, float]:
        """Return the median of each, for a measure."""
        base, head = zip(*(pair for lap in self.laps for pair in lap[name]), strict=True)
        return statistics.median(base), statistics.median(head)


def compare(base: Side, head: Side, metric: str, suspect: Callable[[Found], bool]) -> Found:
    """Measure both.

    Args:
        base: what is changed.
        head: the change.
        metric: of the model, by name.
        suspect: whether all laps so far are reason to measure more of them.

    Raises:
        NoAnswerError: one of them does not start, or does not answer.
    """
    quality = (0.0, 0.0)
    laps: list[Mapping[str, Sequence[tuple[float, float]]]] = []
    while len(laps) < LAPS or (len(laps) < MOST_LAPS and suspect(Found(laps, quality))):
        with _Measured(NAMES[0], base) as one, _Measured(NAMES[1], head) as other:
            if not laps:
                quality = (one.metric(metric), other.metric(metric))
            one.round(_WARM_UP)
            other.round(_WARM_UP)
            rounds = []
            for number in range(ROUNDS):
                # First base, then head; then the other way round.
                done = {each: each.round(_SINGLE) for each in ((one, other) if number % 2 else (other, one))}
                rounds.append((done[one], done[other]))
            pairs = {name: [(getattr(a, name), getattr(b, name)) for a, b in rounds] for name in Round._fields}
            laps.append({**pairs, "memory": [(one.memory(), other.memory())]})
    return Found(laps, quality)


class _Measured(Running):
    """A running one, and what it is asked."""

    def __init__(self, name: str, side: Side) -> None:
        super().__init__(name, side.folder, side.command)
        self._side = side
        self._single = cycle([request("/v1/predictions", one) for one in side.instances])
        self._batches = cycle([_batch(part) for part in _parts(side.instances) if len(part) == _BATCH])

    def metric(self, name: str) -> float:
        """Return how good its model is on the data that it has not seen."""
        with connected(self.name, self.port) as [connection]:
            bodies = [connection.ask(_batch(part)) for part in _parts(self._side.instances)]
        answers: Answers = [one for body in bodies for one in json.loads(body)["predictions"]]
        return METRICS[name](self._side.labels, answers)

    def round(self, number: int) -> Round:
        """Measure so many single predictions, and batches for a while."""
        with connected(self.name, self.port) as [connection]:
            single = statistics.median(latencies(connection, self._single, number))
        with connected(self.name, self.port, _CONNECTIONS) as several:
            return Round(single, rate(several, self._batches, _SECONDS) * _BATCH)


def _batch(instances: Instances) -> bytes:
    return request("/v1/predictions/batch", {"instances": list(instances)})


def _parts(instances: Instances) -> Iterator[Instances]:
    return (instances[start : start + _BATCH] for start in range(0, len(instances), _BATCH))
