"""Programs that go on running after the command that started them has ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.labs.errors import LabError, last_line
from tests.labs.leftovers import unmarked


def _started_at(pid: int) -> str:
    """Return when a process was started, which tells it from a later one with its id; empty where there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


@dataclass(frozen=True)
class Daemon:
    """One such program.

    Attributes:
        name: names its record and its log.
        folder: says where these are, when it is asked.
        of_the_run: whether it ends with the run that started it, and not only when it is told to.
    """

    name: str
    folder: Callable[[], Path]
    of_the_run: bool = False

    @property
    def log(self) -> Path:
        """What it printed."""
        return self.folder() / f"{self.name}.log"

    @property
    def _record(self) -> Path:
        return self.folder() / f"{self.name}.json"

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        try:
            record = json.loads(self._record.read_text(encoding="utf-8"))
        except OSError:
            return None
        return record["pid"] if _started_at(record["pid"]) == record["started"] else None

    def start(
        self, command: Sequence[str | Path], ready: Callable[[], bool], env: Mapping[str, str], seconds: float = 180
    ) -> None:
        """Start it and wait until it can be used.

        Args:
            command: the program and its arguments.
            ready: whether it can be used.
            env: its environment.
            seconds: for how long to wait.

        Raises:
            LabError: it ended, or was not ready in time.
        """
        self.folder().mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [str(part) for part in command],
                env=env if self.of_the_run else unmarked(env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        record = {"pid": process.pid, "started": _started_at(process.pid)}
        self._record.write_text(json.dumps(record), encoding="utf-8")
        end = time.monotonic() + seconds
        while not ready():
            if process.poll() is not None or time.monotonic() > end:
                text = self.log.read_text(encoding="utf-8", errors="replace")
                self.stop()
                raise LabError(f"{self.name} did not start, its log is {self.log}: {last_line(text)}")
            time.sleep(0.05)

    def stop(self, seconds: float = 30) -> None:
        """End it and wait until it has ended; nothing happens where it does not run.

        Args:
            seconds: how long it may take before it is killed.
        """
        end = time.monotonic() + seconds
        asked = False
        while (pid := self.pid) is not None:
            if not asked:
                os.kill(pid, signal.SIGTERM)
                asked = True
            elif time.monotonic() > end:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        self._record.unlink(missing_ok=True)
