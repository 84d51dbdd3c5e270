"""A test's folder in memory: on a disk, to make a file costs up to twenty times the CPU, and some tests make thousands.

Import ``tmp_path`` into the conftest of tests that write small things only.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from golden_path.store import scratch

_ROOM = 1 << 30


@functools.cache
def usable() -> bool:
    """Whether there is memory for files, and programs can be started from there."""
    if not os.access(scratch.MEMORY, os.W_OK):
        return False
    place = os.statvfs(scratch.MEMORY)
    return place.f_bavail * place.f_frsize > _ROOM and not place.f_flag & os.ST_NOEXEC


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of the test's own, which is gone with it; one of pytest's where there is no memory for it."""
    if not usable():
        yield tmp_path_factory.mktemp("test")
        return
    with scratch.folder() as folder:
        yield folder
