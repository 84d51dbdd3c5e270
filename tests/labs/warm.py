"""Copier's command line without the cost of its start, most of which is to import what Copier uses.

A process that has imported that runs each command in a fork of itself, with the folder, the environment and the output
that the command is given. What Copier keeps for the time of a command, such as a clone of the template, is in memory
where there is room.
"""

from __future__ import annotations

import functools
import json
import os
import socket
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from golden_path.store import scratch
from tests.labs import in_memory
from tests.labs.template import GIT
from tests.labs.toolchains import ROOT


class _Server:
    """The process; it ends with the one that started it."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", "tests.labs.warm_copier", str(theirs.fileno())]
            process = subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        with ExitStack() as stack:
            stack.callback(_end, self._ours, process)
            self._own = {"TMPDIR": str(stack.enter_context(scratch.folder()))} if in_memory.usable() else {}
            weakref.finalize(self, stack.pop_all().close)

    def run(self, arguments: Sequence[str], cwd: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
            given.write(json.dumps([arguments, cwd, {**env, **self._own}]).encode())
            given.flush()
            socket.send_fds(self._ours, [b"x"], [one.fileno() for one in (given, out, errors)])
            if not (code := self._ours.recv(16)):
                raise RuntimeError("the process that runs Copier has ended")
            out.seek(0)
            errors.seek(0)
            return subprocess.CompletedProcess(
                ["copier", *arguments], int(code), out.read().decode(), errors.read().decode()
            )


def _end(ours: socket.socket, process: subprocess.Popen[bytes]) -> None:
    ours.close()
    process.wait()


@functools.cache
def _server() -> _Server:
    return _Server()


def copier(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the copier command line, as ``tests.labs.template.copier`` does.

    Args:
        arguments: what comes after ``copier``.
        cwd: where to run it.

    Returns:
        The finished process; its exit code is not checked.
    """
    return _server().run([str(one) for one in arguments], str(cwd or Path.cwd()), {**os.environ, **GIT})
