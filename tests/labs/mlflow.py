"""A real MLflow server, from its released package, with a database in SQLite."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.labs import costs
from tests.labs.errors import LabError, last_line
from tests.labs.places import once
from tests.labs.service import free_port
from tests.labs.toolchains import cache_folder

VERSION = "3.17.2"
UV = Path(sys.executable).parent / "uv"
START_SECONDS = 420  # about 50 with an idle core


def target() -> Path:
    """Return the folder of its packages, whether they are there or not."""
    return cache_folder() / f"mlflow-{VERSION}"


def folder() -> Path:
    """Return the folder of its packages, 0.6 GB, installed unless they are there.

    Raises:
        LabError: they cannot be installed.
    """

    def install(made: Path) -> None:
        made.mkdir()
        with costs.measured(made):
            for command in (
                (UV, "venv", "--quiet", "--relocatable", "--allow-existing", "--python", sys.executable, made),
                (UV, "pip", "install", "--quiet", "--python", made, f"mlflow=={VERSION}"),
            ):
                done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
                if done.returncode != 0:
                    raise LabError(f"cannot install mlflow {VERSION}: {last_line(done.stderr)}")

    return once(target(), install)


@contextmanager
def server(place: Path) -> Iterator[str]:
    """Run a server while it is needed; gives its address.

    Args:
        place: an empty folder for its database and its log.

    Raises:
        LabError: it does not start.
    """
    packages, port = folder(), free_port()
    url = f"http://127.0.0.1:{port}"
    database = f"sqlite:///{place / 'mlflow.db'}"
    command = [
        packages / "bin/python", "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
        "--backend-store-uri", database, "--default-artifact-root", str(place / "artifacts"),
    ]  # fmt: skip
    with (place / "log").open("w") as log, subprocess.Popen(
        [str(part) for part in command], stdout=log, stderr=subprocess.STDOUT, cwd=place, start_new_session=True
    ) as process:  # fmt: skip
        try:
            _wait(process, f"{url}/health", place / "log")
            yield url
        finally:
            _end(process)


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise LabError(f"MLflow does not start: {last_line(log.read_text())}")


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
