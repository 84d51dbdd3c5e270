"""What a change may make worse: the section `baseline` of slo.yaml."""

from collections.abc import Mapping
from numbers import Real
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from golden_path.baseline.quality import METRICS
from golden_path.service.errors import WrongInputError

SOURCE = Path("slo.yaml")


# Fewer say nothing of a model; and a batch of them is a request of the measurement.
LEAST_HELD_OUT = 20


class Limits(NamedTuple):
    """The limits.

    Attributes:
        latency: at most so many times that of the base.
        throughput: at least so many times that of the base.
        memory: at most so many times that of the base.
        metric: of the model, by name.
        loss: by how much it may be worse than that of the base.
    """

    latency: float
    throughput: float
    memory: float
    metric: str
    loss: float


def read(text: str) -> Limits:
    """Return the limits in the text of slo.yaml.

    Raises:
        WrongInputError: they are not there, or make no sense.
    """
    try:
        given = yaml.safe_load(text)
    except yaml.YAMLError:
        raise WrongInputError("slo.yaml is no YAML") from None
    found = given.get("baseline") if isinstance(given, Mapping) else None
    if not isinstance(found, Mapping):
        raise WrongInputError(f"slo.yaml needs baseline, with {', '.join(Limits._fields)}")
    if unknown := sorted(map(str, found.keys() - {*Limits._fields})):
        raise WrongInputError(f"slo.yaml: baseline has no {', '.join(unknown)}; it has {', '.join(Limits._fields)}")
    if (metric := found.get("metric")) not in METRICS:
        raise WrongInputError(f"slo.yaml: baseline.metric must be one of {', '.join(METRICS)}, not {metric!r}")
    return Limits(
        _number(found, "latency", 1, 100), _number(found, "throughput", 0, 1), _number(found, "memory", 1, 100),
        str(metric), _number(found, "loss", 0, 1),
    )  # fmt: skip


def _number(found: Mapping[str, Any], name: str, least: float, most: float) -> float:
    value = found.get(name)
    if isinstance(value, bool) or not isinstance(value, Real) or not least <= float(value) <= most:
        raise WrongInputError(f"slo.yaml: baseline.{name} must be a number from {least} to {most}, not {value!r}")
    return float(value)
