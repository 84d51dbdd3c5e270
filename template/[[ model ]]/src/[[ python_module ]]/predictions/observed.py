"""The metrics of the model: what it predicted, how long it took, and a sample of what it was given, in bins."""

from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ..model.bins import Bins, Categories, shares
from ..model.card import Card
from ..model.contract import Row
from ..model.runtime import Prediction

# As the requests' own, and finer: a small model takes a fraction of a millisecond.
_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
PREDICTION = "prediction"


class Observed:
    """Every series is there from the start, at 0, so their number is bounded by the model's bins and classes."""

    def __init__(self, card: Card, registry: CollectorRegistry, sampled: Callable[[], bool]) -> None:
        self._sampled = sampled
        self._predictions = Counter(
            "model_predictions", "Predictions by class.", ("model", "prediction"), registry=registry
        )
        self._seconds = Histogram(
            "model_prediction_duration_seconds", "Time in the model.", buckets=_BUCKETS, registry=registry
        )
        info = Gauge("model_info", "The model that runs.", ("model", "revision"), registry=registry)
        info.labels(card.short, card.revision).set(1)
        labels = ("model", "feature", "bin")
        seen = Counter("model_sampled_values", "Sampled values by bin.", labels, registry=registry)
        expected = Gauge("model_reference_ratio", "Share of the training data in each bin.", labels, registry=registry)

        def counters(name: str, bins: Bins | Categories, counts: Sequence[int]) -> list[Counter]:
            for label, share in zip(bins.labels, shares(counts), strict=True):
                expected.labels(card.short, name, label).set(share)
            return [seen.labels(card.short, name, label) for label in bins.labels]

        self._classes = {name: self._predictions.labels(card.short, name) for name in card.target.classes}
        self._columns = [
            (column.bins, counters(column.feature.name, column.bins, column.counts)) for column in card.columns
        ]
        self._target = card.target.bins, counters(PREDICTION, card.target.bins, card.target.counts)

    def note(self, rows: Sequence[Row], predictions: Sequence[Prediction], seconds: float) -> None:
        """Count what was answered; of a request in the sample, what it held as well."""
        self._seconds.observe(seconds)
        for prediction in predictions:
            self._classes[prediction.label].inc()
        if not self._sampled():
            return
        for row in rows:
            for value, (bins, counters) in zip(row, self._columns, strict=True):
                counters[bins.index(value)].inc()
        names, counters = self._target
        for prediction in predictions:
            counters[names.index(prediction.label)].inc()
