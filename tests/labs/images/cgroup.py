"""A control group of the lab's own, which holds a program and every container below it and counts their CPU time.

The kernel keeps the time of what has ended in the group's total, so nothing that came and went is missed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from tests.labs.errors import LabError
from tests.labs.images.places import run_folder

_ROOT = Path("/sys/fs/cgroup")
_V1_NAMES = ("cpuacct", "cpu,cpuacct", "cpuacct,cpu")


def _hierarchies() -> list[Path]:
    """Return where groups are made: one folder in version 2, one for each controller in version 1."""
    if (_ROOT / "cgroup.controllers").exists():
        return [_ROOT]
    return [folder for folder in sorted(_ROOT.glob("*")) if (folder / "cgroup.procs").exists()]


def _accounting() -> Path:
    """Return the hierarchy that counts CPU time.

    Raises:
        LabError: none does.
    """
    if (_ROOT / "cgroup.controllers").exists():
        return _ROOT
    for name in _V1_NAMES:
        if (_ROOT / name / "cpuacct.usage").exists():
            return _ROOT / name
    raise LabError("this machine counts no CPU time by control group: mount cgroup version 2, or cpuacct")


@dataclass(frozen=True)
class Group:
    """A control group.

    Attributes:
        name: its name among the lab's groups.
    """

    name: str

    @property
    def path(self) -> str:
        """Its path as container runtimes take it. Containers go to folders of their own below it."""
        return f"/{run_folder().name}/{self.name}"

    @property
    def _folder(self) -> Path:
        return _accounting() / self.path.lstrip("/")

    def command(self) -> list[str]:
        """Return what to put in front of a command so that it runs in the group.

        It runs in a leaf beside the containers: version 2 allows no process in a group that has groups below it.
        """
        leaf = self._folder / "daemon"
        leaf.mkdir(parents=True, exist_ok=True)
        return ["sh", "-c", 'echo $$ >"$0" && exec "$@"', str(leaf / "cgroup.procs")]

    def cpu_seconds(self) -> float:
        """Return the CPU time of everything that ran in the group so far, in seconds."""
        usage = self._folder / "cpuacct.usage"
        if usage.exists():
            return int(usage.read_text(encoding="ascii")) / 1e9
        fields = dict(line.split() for line in (self._folder / "cpu.stat").read_text(encoding="ascii").splitlines())
        return int(fields["usage_usec"]) / 1e6

    def _end(self) -> None:
        """Kill what still runs in the group: a daemon that was killed leaves what it had started."""
        for _ in range(100):
            files = self._folder.rglob("cgroup.procs")
            running = [int(pid) for file in files for pid in file.read_text(encoding="ascii").split()]
            if not running:
                return
            for pid in running:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)

    def remove(self) -> None:
        """End what runs in the group, and remove it and the groups below it."""
        self._end()
        for hierarchy in _hierarchies():
            top = hierarchy / self.path.lstrip("/")
            folders = [*sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True), top]
            for folder in folders:
                _remove(folder)
            # The lab's own group above goes with the last one in it.
            with contextlib.suppress(OSError):
                top.parent.rmdir()


def _remove(folder: Path) -> None:
    """Remove one group; the kernel needs a moment after its last process."""
    for _ in range(50):
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.02)
        else:
            return
