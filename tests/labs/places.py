"""Where the labs keep things: what is slow to make in the user's cache, what runs in a folder with a short path."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.labs.errors import LabError


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
    with locked(kept / "lock"):
        yield


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold the lock of a file, which stays: who removed it would let two in. The kernel releases that of the dead.

    Args:
        file: made unless it is there, with its folder.

    Raises:
        LabError: it cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = file.open("w")
    except OSError as error:
        raise LabError(f"cannot write {file} ({error.strerror}): set HOME or XDG_CACHE_HOME to yours") from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def digest(*parts: object) -> str:
    """Return a short hash of what something is made from; the content of a part that is a file counts."""
    whole = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else json.dumps(part, sort_keys=True).encode()
        whole.update(hashlib.sha256(content).digest())
    return whole.hexdigest()[:16]


def once(target: Path, make: Callable[[Path], object]) -> Path:
    """Make a file or folder unless it is there already; one process makes it, and the others wait.

    A failure, or a death in the middle, leaves nothing half made, and the next who waits tries. What is made may need
    something else that is made once, but not the lock of ``alone``: who holds that comes here.

    Args:
        target: what is to be there.
        make: makes it at the path that it is given.

    Returns:
        The target.

    Raises:
        LabError: its folder cannot be written; or what ``make`` raises.
    """
    if target.exists():
        return target
    with locked(target.with_name(f"{target.name}.lock")):
        if target.exists():
            return target
        for left in target.parent.glob(f"{glob.escape(target.name)}.partial-*"):
            # What a killed one had started may still write there.
            with contextlib.suppress(OSError):
                remove(left)
        partial = target.with_name(f"{target.name}.partial-{os.getpid()}")
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
