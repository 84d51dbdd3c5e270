"""A running service and what it uses, read from Linux."""

from __future__ import annotations

import http.client
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.labs import toolchains
from tests.labs.service import START_SECONDS, free_port

POLL_SECONDS = 0.001


class Running:
    """One run of a service, generated or bare; a context manager that starts it and ends it.

    The lab's ``Service`` is not for this: it makes its HTTP client after the start and then asks every 10 ms, which
    takes as long as a service in Go takes to start.

    Attributes:
        port: where it listens, on 127.0.0.1.
        seconds_to_ready: from the start until ``/readyz`` answered 200.
        cpu_to_ready: CPU seconds until then.
    """

    def __init__(self, language: str, folder: Path, command: Sequence[str]) -> None:
        """Take what to start.

        Args:
            language: whose toolchain it needs.
            folder: where to start it.
            command: the program and its arguments.
        """
        self._language, self._folder, self._command = language, folder, command

    def __enter__(self) -> Self:
        self.port = free_port()
        own = {"HOST": "127.0.0.1", "PORT": str(self.port), "SHUTDOWN_DRAIN_SECONDS": "0"}
        env = {**toolchains.environment(self._language), **own}
        # A file, as in the lab: a pipe would need a reader, which takes CPU time from the service.
        self._output = tempfile.TemporaryFile()
        started = time.monotonic()
        self._process = subprocess.Popen(
            self._command,
            cwd=self._folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )
        try:
            self._await_ready(started)
            self.seconds_to_ready = time.monotonic() - started
            self.cpu_to_ready = self.cpu_seconds()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._output.close()

    def _await_ready(self, started: float) -> None:
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() - started > START_SECONDS:
                self._output.seek(0)
                output = self._output.read().decode(errors="replace")
                raise RuntimeError(f"{self._folder.name} does not become ready:\n{output[-3000:]}")
            time.sleep(POLL_SECONDS)

    def _ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _pids(self) -> Iterator[int]:
        pids = [self._process.pid]
        while pids:
            pid = pids.pop()
            yield pid
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                pids += map(int, children.read_text().split())

    def cpu_seconds(self) -> float:
        """Return the CPU time that the process and its descendants have used so far."""
        # The CPU clock of another process (clock_getcpuclockid(3)); /proc/PID/stat only counts hundredths of a second.
        return sum(time.clock_gettime((~pid << 3) | 2) for pid in self._pids())

    def resident_mib(self) -> float:
        """Return how much memory the process and its descendants hold now, in MiB (VmRSS)."""
        lines = (line for pid in self._pids() for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024
