"""What a run started ends with it, however it ends: processes that carry the run's mark are ended after it.

The mark is a variable, which children inherit. A watcher of its own session reads a pipe that only the run holds: the
kernel closes it, whatever ended the run. What a lab runs does not carry the mark, it outlives the run that started it
while others use it (see ``started``). Without /proc nothing is ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

MARK = "GOLDEN_PATH_RUN"
# For how long what still runs may end by itself: a service answers the requests that it has.
SECONDS = 15

_held: list[subprocess.Popen[bytes]] = []


def end_with_this() -> None:
    """End what this process starts from now on when it has ended, however it ends."""
    value = uuid.uuid4().hex
    command = [sys.executable, "-SP", __file__, value]
    null = subprocess.DEVNULL
    watcher = subprocess.Popen(
        command, env=unmarked(os.environ), cwd="/", stdin=subprocess.PIPE, stdout=null, stderr=null,
        start_new_session=True,
    )  # fmt: skip
    _held.append(watcher)
    os.environ[MARK] = value


def mark() -> dict[str, str]:
    """Return the variable that marks what is started with an environment of its own; none outside a run."""
    return {MARK: os.environ[MARK]} if MARK in os.environ else {}


def unmarked(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of what is to outlive the run."""
    return {name: value for name, value in env.items() if name != MARK}


def _marked(value: str) -> Iterator[int]:
    """Yield the processes that carry a mark; those of other users cannot be read, and the dead have none."""
    wanted = f"{MARK}={value}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name)
        except OSError:
            continue


def end(value: str) -> None:
    """End the marked processes, and what these start meanwhile; nobody can start more once none is left."""
    deadline = time.monotonic() + SECONDS
    asked: set[int] = set()
    found = [True, True]
    # Twice, for a program that is just being started shows no environment.
    while any(found):
        running = set(_marked(value))
        found = [found[1], bool(running)]
        late = time.monotonic() > deadline
        for pid in running if late else running - asked:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
        asked |= running
        time.sleep(0.1 if running else 0.5)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    end(sys.argv[1])
