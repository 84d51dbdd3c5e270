"""Temporary folders, in memory where there is room; what a killed run left there, the next one removes."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from golden_path.errors import FleetError
from golden_path.store import cache

MEMORY, ROOM = "/dev/shm", 256 << 20  # noqa: S108 - mkdtemp makes a folder of our own
PREFIX = "golden-path-trees-"
YOUNG = 60  # seconds; between being made and being locked is less


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Make a folder that is locked, by the kernel, as long as this process lives, and removed with the context."""
    memory = _memory()
    if memory:
        _sweep(memory)
    path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=memory))
    with cache.locked(path, wait=True):
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


def _memory() -> str | None:
    """A folder in memory, where there is one with room; what is made here is small, and removed at once."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK):
        return None
    room = os.statvfs(MEMORY)
    return MEMORY if room.f_bavail * room.f_frsize > ROOM else None


@functools.cache
def _sweep(place: str) -> None:
    """Remove the folders of this user that nobody holds; memory is not given back by a restart of a service."""
    for path in Path(place).glob(f"{PREFIX}*"):
        # Whoever works in it holds it; what is another user's, or gone by now, is none of ours.
        with contextlib.suppress(FleetError, OSError):
            facts = path.lstat()
            ours = stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid()
            if ours and time.time() - facts.st_mtime > YOUNG:
                with cache.locked(path, wait=False):
                    shutil.rmtree(path, ignore_errors=True)
