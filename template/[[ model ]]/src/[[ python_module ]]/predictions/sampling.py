"""Which predictions are looked at for drift."""

import random
from collections.abc import Callable


def one_in(every: int, chance: Callable[[], float] = random.random) -> Callable[[], bool]:
    """Return what says of each request whether it is in the sample: one in so many, at random; with 0, none.

    At random, since every tenth of what comes in a rhythm would always be the same.
    """
    return lambda: every > 0 and chance() * every < 1
