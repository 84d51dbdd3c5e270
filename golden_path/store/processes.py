"""Programs in process groups of their own, which end whole: at a limit, and when the engine is interrupted."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from golden_path.errors import FleetError

GRACE = 2  # seconds for a program to put its lock files away
_running: dict[subprocess.Popen[bytes], float] = {}  # when it was told to end; 0 for not yet
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
        with _watched(process):
            output, errors = _wait(process, data, time.monotonic() + limit, limit if idle is None else idle)
        return subprocess.CompletedProcess(command, process.returncode, output, errors)


def last(
    command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, limit: float, read: int
) -> tuple[int | None, bytes]:
    """Run a program whose result counts, and end all that it has started.

    Args:
        command: the program and its arguments.
        env: its environment.
        cwd: where.
        limit: how many seconds it may take.
        read: how many bytes of its output to return, from the end.

    Returns:
        Its exit code, None where it passed the limit; and what it printed.

    Raises:
        FleetError: it was ended by ``interrupt``, so it has no result.
    """
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        code: int | None = None
        try:
            with _watched(process) as interrupted, contextlib.suppress(subprocess.TimeoutExpired):
                code = process.wait(timeout=limit)
            if interrupted:
                raise FleetError("interrupted")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        output.seek(max(0, output.seek(0, os.SEEK_END) - read))
        return code, output.read(read)


@contextlib.contextmanager
def _watched(process: subprocess.Popen[bytes]) -> Iterator[list[bool]]:
    """Let ``interrupt`` reach a program; the list has an entry afterwards where it did."""
    interrupted: list[bool] = []
    with _turn:
        _running[process] = 0
    try:
        yield interrupted
    except BaseException:
        _end(process)
        raise
    finally:
        with _turn:
            interrupted += [True] if _running.pop(process) else []


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
    """End all programs that run now, in whichever thread; each fails there. Call it again until all have ended."""
    with _turn:
        for process, told in _running.items():
            sign = signal.SIGKILL if told and time.monotonic() - told > GRACE else signal.SIGTERM
            _running[process] = told or time.monotonic()
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, sign)
