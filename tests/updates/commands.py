"""Running ``golden-path`` as a user does."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

from golden_path import cli
from golden_path.rehearsal import simulate_cli
from golden_path.rendering.render import Renderer
from golden_path.rollout import commands as rollout
from tests.labs.template import GIT
from tests.labs.toolchains import ROOT


def command(*arguments: str | Path) -> list[str]:
    """Return the command line."""
    return [sys.executable, "-m", "golden_path", *map(str, arguments)]


def environment(**more: str) -> dict[str, str]:
    """Return the environment: git without settings of the user's."""
    return {**os.environ, **GIT, "PYTHONPATH": str(ROOT), **more}


def as_process(*arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run it as a process of its own, with a worker of its own; the exit code is not checked."""
    return subprocess.run(
        command(*arguments), env=environment(**more), capture_output=True, text=True, check=False, timeout=300
    )


class _Lasting(Renderer):
    """A worker that outlives the command which it was started for."""

    def __exit__(self, *_: object) -> None:
        """Leave it running: it ends with this process."""


# By whether they trust a template.
WORKERS = {trust: _Lasting(trust=trust) for trust in (False, True)}


@contextlib.contextmanager
def _here(output: io.BytesIO, errors: io.BytesIO, more: Mapping[str, str]) -> Iterator[None]:
    """Let a command find what a process of its own would have, but for the worker, whose start takes a second."""
    handler = signal.getsignal(signal.SIGTERM)
    with contextlib.ExitStack() as stack:
        for module in (cli, simulate_cli, rollout):
            stack.enter_context(mock.patch.object(module, "Renderer", lambda *, trust=False: WORKERS[trust]))
        stack.enter_context(mock.patch.dict(os.environ, environment(**more)))
        for name, stream in (("stdout", output), ("stderr", errors)):
            stack.enter_context(mock.patch.object(sys, name, io.TextIOWrapper(stream, write_through=True)))
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, handler)


def golden_path(*arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run it in this process, with more in its environment; the exit code is not checked."""
    output, errors = io.BytesIO(), io.BytesIO()
    with _here(output, errors, more):
        try:
            code = cli.main([str(one) for one in arguments])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        said = [stream.getvalue().decode() for stream in (output, errors)]
    return subprocess.CompletedProcess(command(*arguments), code, *said)


def as_json(*arguments: str | Path) -> Any:
    """Run it with ``--json``, and return what it says."""
    return json.loads(golden_path(*arguments, "--json").stdout)


def runs(process: int) -> bool:
    """Whether a process is there, and not only its exit code."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
