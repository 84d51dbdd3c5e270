"""How good a model is on data that it has not seen, by what its service answers."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

# As in scikit-learn: the logarithm of 0 would make one wrong answer outweigh everything.
_LEAST = 1e-15
Answers = Sequence[Mapping[str, Any]]


def accuracy(labels: Sequence[str], answers: Answers) -> float:
    """The share of predictions that are right."""
    return sum(bool(one["prediction"] == label) for label, one in zip(labels, answers, strict=True)) / len(labels)


def f1_macro(labels: Sequence[str], answers: Answers) -> float:
    """The mean of the F1 of all classes."""
    predicted = [one["prediction"] for one in answers]
    scores = []
    for name in {*labels, *predicted}:
        right = sum(bool(a == b == name) for a, b in zip(labels, predicted, strict=True))
        scores.append(2 * right / (labels.count(name) + predicted.count(name)))
    return sum(scores) / len(scores)


def log_loss(labels: Sequence[str], answers: Answers) -> float:
    """The mean of what each probability of the right class misses, as a logarithm; the less, the better."""
    shares = [one["probabilities"].get(label, 0.0) for label, one in zip(labels, answers, strict=True)]
    return -sum(math.log(min(max(share, _LEAST), 1)) for share in shares) / len(labels)


METRICS: dict[str, Callable[[Sequence[str], Answers], float]] = {
    "accuracy": accuracy, "f1_macro": f1_macro, "log_loss": log_loss,
}  # fmt: skip
_LESS_IS_BETTER = {"log_loss"}


def loss(metric: str, base: float, head: float) -> float:
    """Return by how much the head is worse; negative where it is better."""
    return head - base if metric in _LESS_IS_BETTER else base - head
