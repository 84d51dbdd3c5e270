"""Patterns as in ``.gitignore``; services of a fleet have the same patterns and paths, so each is matched once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

MOST = 20000  # paths that are remembered for a set of patterns


def matcher(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Return what says whether a path matches one of the patterns.

    Args:
        patterns: a later one can take back an earlier one, with ``!``.
    """
    return _matcher(tuple(patterns))


@functools.lru_cache(256)
def _matcher(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    if not patterns:
        return lambda _: False
    from pathspec import PathSpec  # a template without patterns does not pay for it

    return functools.lru_cache(MOST)(PathSpec.from_lines("gitignore", patterns).match_file)
