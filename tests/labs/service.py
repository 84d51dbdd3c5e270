"""Running a generated service, or its verbs, as its developer or its cluster would."""

from __future__ import annotations

import functools
import json
import os
import shlex
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.labs import kustomize, toolchains

# Verbs that render the manifests.
RENDERING = {"check", "policy", "manifests", "diff", "image-test"}
# Java on a machine with two busy cores is the slowest to start; this only bounds a hang.
START_SECONDS = 240
# Services speak plain HTTP; by default each client reads all certificates that are trusted, in 50 ms.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def free_port() -> int:
    """Return a loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def make(
    folder: Path, language: str, *arguments: str, timeout: float = 1800, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``make`` in a service with its language's toolchain.

    Args:
        folder: the service.
        language: its language.
        arguments: verbs and variables.
        timeout: seconds.
        env: variables to add.

    Returns:
        The finished process, standard error merged into standard output; its exit code is not checked.
    """
    whole = {**toolchains.environment(language), **(env or {})}
    if RENDERING & set(arguments):
        whole["PATH"] = kustomize.on(whole["PATH"])
        if not kustomize.there(whole["PATH"]):
            whole.pop("CI", None)  # on a developer's machine the verbs leave the manifests out then, and say so
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env=whole,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=timeout,
    )


def variable(folder: Path, language: str, name: str, *settings: str) -> str:
    """Return the value of a make variable of a service, for example ``RUN``, where others are set as ``NAME=value``."""
    done = make(folder, language, "--silent", "--eval", f"show: ; @echo '$({name})'", "show", *settings)
    if done.returncode != 0:
        raise RuntimeError(f"cannot read {name} of {folder}:\n{done.stdout}")
    return done.stdout.strip()


@functools.cache
def _run_command(folder: Path, language: str) -> tuple[str, ...]:
    """Return what ``make run`` starts in a service, asked once: in Java, finding the JDK starts one."""
    return tuple(shlex.split(variable(folder, language, "RUN")))


def await_ready(process: subprocess.Popen[bytes], http: httpx.Client, seconds: float) -> None:
    """Wait until ``/readyz`` of a service that was started answers 200.

    Args:
        process: the service, or the ``make`` that runs it.
        http: a client whose base URL is the service's.
        seconds: for how long at most.

    Raises:
        RuntimeError: the process ended, or was not ready in time.
    """
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        if process.poll() is not None:
            raise RuntimeError(f"ended with exit code {process.returncode} before it was ready")
        try:
            if http.get("/readyz", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.03)
    raise RuntimeError(f"was not ready within {seconds:g} seconds")


@dataclass
class Service:
    """One run of a built service; a context manager that ends it.

    Attributes:
        folder: the service, built.
        language: its language.
        env: environment variables to set.
        command: what to start; the start command of the service by default.
        await_ready: whether entering the context waits for ``/readyz``.
        output: where standard output goes instead of a file, as a descriptor: what is written there is not in ``log``.
    """

    folder: Path
    language: str
    env: Mapping[str, str] = field(default_factory=dict)
    command: Sequence[str] = ()
    await_ready: bool = True
    output: int | None = None

    def __enter__(self) -> Self:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        variables = {
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "SHUTDOWN_DRAIN_SECONDS": "0",
            **self.env,
        }
        command, env = self._start_command(variables)
        self._stdout = tempfile.TemporaryFile()
        self._stderr = tempfile.TemporaryFile()
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=self._stdout if self.output is None else self.output,
            stderr=self._stderr,
        )
        # Loopback never goes through a proxy of the user's.
        self.http = httpx.Client(base_url=self.url, timeout=120, trust_env=False, verify=NO_TLS)
        if self.await_ready:
            try:
                self.wait_ready()
            except BaseException:
                self.__exit__(None, None, None)
                raise
        return self

    def _start_command(self, variables: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
        """Return what to start, and its environment."""
        command = [*(self.command or _run_command(self.folder, self.language))]
        return command, {**toolchains.environment(self.language), **variables}

    def _kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()
        if self.process.poll() is None:
            self._kill()
        self._stdout.close()
        self._stderr.close()

    def wait_ready(self) -> float:
        """Wait until ``/readyz`` answers 200.

        Returns:
            Seconds since the start.

        Raises:
            RuntimeError: the process ended, or was not ready in time; with its output.
        """
        try:
            await_ready(self.process, self.http, START_SECONDS)
        except RuntimeError as error:
            raise RuntimeError(f"{self.folder.name}: {error}\n{self.stdout}\n{self.stderr}") from None
        return time.monotonic() - self.started

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal to the process."""
        self.process.send_signal(number)

    def wait(self, timeout: float) -> float:
        """Wait until the process ends.

        Args:
            timeout: seconds.

        Returns:
            Seconds that it took from now.

        Raises:
            AssertionError: it still runs; with what it has written, in Java with a dump of its threads.
        """
        start = time.monotonic()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            if self.language == "java":
                self.signal(signal.SIGQUIT)
                time.sleep(2)
            message = f"still runs after {timeout:g} seconds:\n{self.stdout[-5000:]}\n{self.stderr}"
            raise AssertionError(message) from None
        return time.monotonic() - start

    @property
    def stdout(self) -> str:
        """All of standard output so far."""
        return os.pread(self._stdout.fileno(), 1 << 30, 0).decode()

    @property
    def stderr(self) -> str:
        """All of standard error so far."""
        return os.pread(self._stderr.fileno(), 1 << 30, 0).decode()

    @property
    def log(self) -> list[dict[str, Any]]:
        """Every line of standard output as the JSON object that it must be; an unfinished last line is left out."""
        lines = self.stdout.split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def logged(self, timeout: float = 120, /, *, after: int = 0, **fields: object) -> dict[str, Any]:
        """Wait for a log line that has these fields.

        Args:
            timeout: seconds.
            after: how many lines from the start do not count.
            fields: what the line must hold.

        Returns:
            The first such line.

        Raises:
            AssertionError: there is none in time.
        """
        end = time.monotonic() + timeout
        while True:
            for line in self.log[after:]:
                if all(line.get(key) == value for key, value in fields.items()):
                    return line
            if time.monotonic() > end:
                raise AssertionError(f"no log line with {fields} in:\n{self.stdout}")
            time.sleep(0.02)
