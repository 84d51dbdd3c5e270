"""How far a distribution has moved: the population stability index (PSI)."""

import math
from collections.abc import Sequence

from .bins import shares

# The share that an empty bin counts as: without it, a bin that is empty on one side would make the index infinite. The
# recording rule in .golden-path/slo/drift.yaml has the same.
FLOOR = 0.001


def psi(expected: Sequence[int], actual: Sequence[int]) -> float:
    """Return the index of two counts of the same bins: 0 where they are alike; from about 0.25 on they clearly differ.

    Raises:
        ValueError: one counts nothing, or they are not of the same bins.
    """
    pairs = zip(shares(expected), shares(actual), strict=True)
    return sum((max(a, FLOOR) - max(e, FLOOR)) * math.log(max(a, FLOOR) / max(e, FLOOR)) for e, a in pairs)
