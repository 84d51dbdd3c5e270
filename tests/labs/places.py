"""Where the labs keep things: what is slow to make in the user's cache, what runs in a folder with a short path."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def run_folder_of(kept: Path) -> Path:
    """Return the folder of a lab's sockets, process records and settings.

    It is not below the cache folder because a socket's path may have 107 characters only.

    Args:
        kept: the folder of all that outlives the lab's ``down``.
    """
    name = hashlib.sha256(str(kept).encode()).hexdigest()[:8]
    base = Path("/run") if os.geteuid() == 0 and Path("/run").is_dir() else Path(tempfile.gettempdir())
    return base / f"golden-path-{kept.name}-{name}"


@contextmanager
def alone(kept: Path) -> Iterator[None]:
    """Let one process at a time start or end what a lab runs.

    Args:
        kept: the folder of all that outlives the lab's ``down``.
    """
    kept.mkdir(parents=True, exist_ok=True)
    with (kept / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def digest(*parts: object) -> str:
    """Return a short hash of what something is made from; the content of a part that is a file counts."""
    whole = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else json.dumps(part, sort_keys=True).encode()
        whole.update(hashlib.sha256(content).digest())
    return whole.hexdigest()[:16]


def once(target: Path, make: Callable[[Path], None]) -> Path:
    """Make a file or folder unless it is there already; a failure leaves nothing half made.

    Args:
        target: what is to be there.
        make: makes it at the path that it is given.

    Returns:
        The target.
    """
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial-{os.getpid()}")
    remove(partial)
    try:
        make(partial)
        partial.rename(target)
    finally:
        remove(partial)
    return target


def remove(path: Path) -> None:
    """Remove a file or a whole folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
