"""Load: bombardier, pinned, compiled once a machine with the Go toolchain."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.labs import toolchains
from tests.labs.places import once

MODULE = "github.com/codesenberg/bombardier"
VERSION = "1.2.6"
INSTALL_SECONDS = 600
REQUEST_SECONDS = 10  # a request that takes longer counts as failed


@dataclass(frozen=True)
class Load:
    """What came of it.

    Attributes:
        requests: how many were answered.
        seconds: how long it went on.
        p99: seconds within which 99 of 100 were answered.
    """

    requests: int
    seconds: float
    p99: float


def install() -> Path:
    """Return the load generator, compiled at the first call.

    Raises:
        toolchains.MissingToolchainError: there is no Go to compile it with.
        RuntimeError: it does not compile.
    """
    return once(toolchains.cache_folder() / "tools" / f"bombardier-{VERSION}", _compile)


def _compile(target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        done = subprocess.run(
            ["go", "install", "-trimpath", f"{MODULE}@v{VERSION}"],
            env={**toolchains.environment("go"), "GOBIN": folder, "GOFLAGS": "", "CGO_ENABLED": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=INSTALL_SECONDS,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{MODULE} {VERSION}, which makes the load, does not compile:\n{done.stderr}")
        Path(folder, "bombardier").replace(target)


def run(program: Path, url: str, seconds: int, connections: int, document: str = "") -> Load:
    """Send requests, one after the other on each of some connections that are kept alive.

    Args:
        program: what ``install`` returned.
        url: what to ask for, on this machine.
        seconds: how long, at least 1.
        connections: how many at once.
        document: in JSON, which makes the requests a POST of it; without one, they are a GET.

    Returns:
        What came of it; every answer was a 2xx.

    Raises:
        RuntimeError: a request failed, or none was answered.
    """
    post = ["--method=POST", "--header=Content-Type: application/json", f"--body={document}"] if document else []
    done = subprocess.run(
        [program, "--print=result", "--format=json", f"--connections={connections}", f"--duration={seconds}s",
         f"--timeout={REQUEST_SECONDS}s", "--latencies", *post, url],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + 2 * REQUEST_SECONDS,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"bombardier ended with exit code {done.returncode}: {done.stderr.strip()}")
    result = json.loads(done.stdout)["result"]
    failed = sum(result[kind] for kind in ("req1xx", "req3xx", "req4xx", "req5xx", "others"))
    if failed or not result["req2xx"]:
        raise RuntimeError(f"{failed} requests failed and {result['req2xx']} did not, of {url}")
    microseconds = result["latency"]["percentiles"]["99"]
    return Load(result["req2xx"], result["timeTakenSeconds"], microseconds / 1e6)
