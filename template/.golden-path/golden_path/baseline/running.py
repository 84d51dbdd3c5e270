"""A built service of this machine, started for a measurement."""

import http.client
import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from golden_path.service.errors import NoAnswerError

_START_SECONDS = 120
_STOP_SECONDS = 10
# What make says of itself, and of the version, to what it starts: of another checkout it is wrong.
_OF_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "VERSION", "REVISION", "COMMIT_TIME", "BASE")


def environment() -> dict[str, str]:
    """Return the variables of this process without those that make has set for this checkout."""
    return {name: value for name, value in os.environ.items() if name not in _OF_MAKE}


class Running:
    """One run of a service; a context manager that ends it.

    Attributes:
        name: what it is called in messages.
        port: where it listens, on 127.0.0.1.
    """

    def __init__(self, name: str, folder: Path, command: Sequence[str]) -> None:
        self.name = name
        self._folder, self._command = folder, command

    def __enter__(self) -> Self:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        own = {"HOST": "127.0.0.1", "PORT": str(self.port), "SHUTDOWN_DRAIN_SECONDS": "0"}
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            self._command, cwd=self._folder, env={**environment(), **own}, stdin=subprocess.DEVNULL,
            stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            self._await_ready()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _await_ready(self) -> None:
        started = time.monotonic()
        while not self._answers("/readyz"):
            if self._process.poll() is not None or time.monotonic() - started > _START_SECONDS:
                self._log.seek(0)
                said = self._log.read().decode(errors="replace").strip().splitlines()
                raise NoAnswerError(f"{self.name} does not start: {said[-1] if said else 'it says nothing'}")
            time.sleep(0.05)

    def _answers(self, path: str) -> bool:
        try:
            return self._get(path)[0] == HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False

    def _get(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def features(self) -> list[str]:
        """Return the names of what the model takes.

        Raises:
            NoAnswerError: the service does not say so.
        """
        try:
            card: dict[str, Any] = json.loads(self._get("/v1/model")[1])
            return [one["name"] for one in card["features"]]
        except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
            raise NoAnswerError(f"{self.name} does not say at /v1/model what its model takes") from None

    def memory(self) -> float:
        """Return the resident memory of the process, in MiB."""
        told = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(self._process.pid)], capture_output=True, text=True, check=False
        ).stdout.strip()
        if not told.isdigit():
            raise NoAnswerError(f"{self.name} ended while it was measured, or there is no ps")
        return int(told) / 1024
