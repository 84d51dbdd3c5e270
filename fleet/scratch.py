"""Temporary folders, in memory where there is room; what a killed run left there, the next one removes."""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
import tempfile
import time
from pathlib import Path

MEMORY, ROOM = "/dev/shm", 256 << 20  # noqa: S108 - mkdtemp makes a folder of our own
PREFIX = "golden-path-trees-"
YOUNG = 60  # seconds; between being made and being locked is less


class Scratch:
    """A folder that is locked, by the kernel, as long as this process lives.

    Attributes:
        folder: its path.
    """

    def __init__(self) -> None:
        memory = _memory()
        if memory:
            _sweep(memory)
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=memory))
        self._handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(self._handle, fcntl.LOCK_EX)

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._handle)


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
        try:
            handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue  # another user's, or gone
        try:
            facts = os.fstat(handle)
            if facts.st_uid == os.getuid() and time.time() - facts.st_mtime > YOUNG:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
        except BlockingIOError:
            continue  # somebody works in it
        finally:
            os.close(handle)
