"""Waiting for what another process does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")


def until(
    look: Callable[[], Seen],
    reached: Callable[[Seen], object] = bool,
    otherwise: Callable[[Seen], object] = lambda seen: f"not reached in time: {seen!r}",
    *,
    seconds: float = 120,
    pause: float = 0.2,
) -> Seen:
    """Look again and again, until it is as wanted.

    Args:
        look: returns what there is to see.
        reached: whether that is what is waited for; true values are, by default.
        otherwise: what to say of the last one if the time is over.
        seconds: how long at most.
        pause: seconds between two looks.

    Returns:
        What was seen at last.

    Raises:
        AssertionError: it was not reached in time.
    """
    end = time.monotonic() + seconds
    while not reached(seen := look()):
        if time.monotonic() > end:
            raise AssertionError(otherwise(seen))
        time.sleep(pause)
    return seen
