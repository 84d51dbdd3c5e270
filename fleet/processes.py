"""Programs in process groups of their own, which end whole: at a limit, and when the engine is interrupted."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

GRACE = 2  # seconds for a program to put its lock files away
_running: set[subprocess.Popen[bytes]] = set()
_turn = threading.Lock()


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    data: bytes = b"",
    limit: float,
    idle: float | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a program; it cannot ask on a terminal.

    Args:
        command: the program and its arguments.
        env: its environment.
        cwd: where.
        data: its standard input.
        limit: how many seconds it may take.
        idle: how many seconds it may print nothing; None for no such limit.

    Raises:
        FileNotFoundError: there is no such program.
        subprocess.TimeoutExpired: it passed a limit, and was ended with all that it started.
    """
    with subprocess.Popen(
        command, cwd=cwd, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:  # fmt: skip
        with _turn:
            _running.add(process)
        try:
            output, errors = _wait(process, data, time.monotonic() + limit, limit if idle is None else idle)
        except BaseException:
            _end(process)
            raise
        finally:
            with _turn:
                _running.discard(process)
        return subprocess.CompletedProcess(command, process.returncode, output, errors)


def _wait(process: subprocess.Popen[bytes], data: bytes | None, end: float, idle: float) -> tuple[bytes, bytes]:
    known = 0
    while True:
        try:
            return process.communicate(data, timeout=max(0.0, min(idle, end - time.monotonic())))
        except subprocess.TimeoutExpired as late:
            printed = len(late.output or b"") + len(late.stderr or b"")
            if printed == known or time.monotonic() >= end:
                raise
            known, data = printed, None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program and all that it started."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)


def interrupt() -> None:
    """End all programs that run now, in whichever thread; each of them fails there."""
    with _turn:
        known = list(_running)
    for process in known:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGTERM)
