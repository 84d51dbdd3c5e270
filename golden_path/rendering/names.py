"""Names and paths that are rendered: which of them are plain, so that a file of that name is all that comes of it."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Set

MANY = 200_000  # paths that are remembered
LONGEST, FARTHEST = 200, 1000  # bytes of a name, characters of a path, which any disk takes
GITS_OWN = re.compile(r"(?:\.git|git~\d+)[ .]*(?::.*)?", re.IGNORECASE)  # names that git takes for its folder's


class NotPlainError(Exception):
    """Copier has to do it."""


@functools.lru_cache(MANY)
def of_git(path: str) -> bool:
    """Whether a part of a path is a name that git takes for its folder's."""
    return any(GITS_OWN.fullmatch(part.encode("ascii", "ignore").decode()) for part in path.split("/"))


@functools.lru_cache(MANY)
def checked(name: str) -> str:
    """Return a name that any disk takes.

    Raises:
        NotPlainError: it may not be.
    """
    parts = name.split("/")  # a name may be rendered as several, such as those of a Java package
    if "\0" in name or any(part in ("", ".", "..") or len(os.fsencode(part)) > LONGEST for part in parts):
        raise NotPlainError
    return name


@functools.lru_cache(MANY)
def parents(path: str) -> Set[str]:
    """Return the folders above a path."""
    folder = path.rpartition("/")[0]
    return {folder, *parents(folder)} if folder else frozenset()
