"""Where templates are kept between runs, and locks between runs at once."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from golden_path.errors import Exit, FleetError


def folder() -> Path:
    """Return the cache folder: ``golden-path`` below ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "golden-path"


def key(address: str) -> str:
    """Return the name of the folder of what is at an address."""
    return hashlib.sha256(address.encode()).hexdigest()[:32]


@contextlib.contextmanager
def locked(path: Path, *, wait: bool, message: str = "", shared: bool = False) -> Iterator[None]:
    """Hold a lock on an existing folder; the kernel gives it back however this process ends, and no file is left.

    Args:
        path: the folder.
        wait: wait for who holds it; otherwise that is an error.
        message: of that error.
        shared: together with others who hold it so.

    Raises:
        FleetError: somebody else holds it.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise FleetError(message, Exit.BUSY) from None
        yield
    finally:
        os.close(handle)
