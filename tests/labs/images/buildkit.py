"""BuildKit daemons: the lab's own, and fresh ones that know nothing yet."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.labs.daemon import Daemon
from tests.labs.errors import LabError, run
from tests.labs.images import client, mounts, system, tools
from tests.labs.images.cgroup import Group
from tests.labs.images.places import lab_folder, run_folder

# The registries of the pinned images; the lab's registry has their content below their name.
MIRRORED = ("docker.io", "gcr.io", "cgr.dev", "ghcr.io")

# Of what was built before.
_KEPT = "10GB"


@dataclass(frozen=True)
class BuildKit:
    """One BuildKit daemon, and the builder of the same name that Docker's client knows it by.

    Attributes:
        name: of the builder.
    """

    name: str

    @property
    def daemon(self) -> Daemon:
        """Its process."""
        return Daemon(f"buildkitd-{self.name}", run_folder, of_the_run=self.is_fresh)

    @property
    def group(self) -> Group:
        """What its CPU time is counted by."""
        return Group(self.name)

    @property
    def root(self) -> Path:
        """The folder with its cache."""
        return lab_folder() / "buildkit" / self.name

    @property
    def is_fresh(self) -> bool:
        """Whether it is any other than the lab's own, which is kept."""
        return self != LAB

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"unix://{run_folder()}/{self.name}.sock"

    def _answers(self) -> bool:
        try:
            run(tools.folder() / "buildctl", "--addr", self.address, "debug", "workers", failure="not yet", timeout=60)
        except LabError:
            return False
        return True

    def start(self, registry: str) -> None:
        """Start it unless it runs.

        Args:
            registry: host and port of the lab's registry.

        Raises:
            LabError: it did not start.
        """
        if self.daemon.pid is not None:
            return
        # One that was killed left containers, and the client knows it.
        self.stop()
        run_folder().mkdir(parents=True, exist_ok=True)
        settings = run_folder() / f"{self.name}.toml"
        settings.write_text(self._settings(registry), encoding="utf-8")
        self.root.mkdir(parents=True, exist_ok=True)
        if self.is_fresh:
            mounts.in_memory(self.root)
        # It leaves its mount points behind in the folder for temporary files.
        temporary = self.root / "tmp"
        temporary.mkdir(exist_ok=True)
        env = {**os.environ, "PATH": system.path(), "TMPDIR": str(temporary)}
        command = [*self.group.command(), str(tools.folder() / "buildkitd"), "--config", str(settings)]
        self.daemon.start(command, self._answers, env)
        client.buildx("create", "--name", self.name, "--driver", "remote", self.address)

    def _settings(self, registry: str) -> str:
        mirrors = "".join(f'[registry."{name}"]\nmirrors = ["{registry}/{name}"]\n' for name in MIRRORED)
        return f"""\
root = "{self.root}"
[grpc]
address = ["{self.address}"]
[worker.containerd]
enabled = false
[worker.oci]
enabled = true
snapshotter = "{"overlayfs" if _has_overlay() else "native"}"
networkMode = "host"
gc = true
maxUsedSpace = "{_KEPT}"
binary = "{system.program("runc")}"
defaultCgroupParent = "{self.group.path}"
[registry."{registry}"]
http = true
{mirrors}"""

    def stop(self) -> None:
        """End it; its cache stays."""
        client.forget(self.name)
        self.daemon.stop()
        self.group.remove()
        mounts.unmount(self.root)

    def cpu_seconds(self) -> float:
        """Return the CPU time of the daemon and of all that ran under it so far, RUN steps that ended included."""
        return self.group.cpu_seconds()

    def remove(self) -> None:
        """End it and remove its cache."""
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)
        for suffix in ("sock", "toml", "lock"):
            (run_folder() / f"{self.name}.{suffix}").unlink(missing_ok=True)
        self.daemon.log.unlink(missing_ok=True)


def _has_overlay() -> bool:
    return "\toverlay\n" in Path("/proc/filesystems").read_text(encoding="utf-8")


LAB = BuildKit("golden-path")


def fresh() -> list[BuildKit]:
    """Return the fresh builders that run, or that a run left behind when it was killed."""
    folder = lab_folder() / "buildkit"
    names = [path.name for path in sorted(folder.glob("*"))] if folder.is_dir() else []
    return [BuildKit(name) for name in names if name != LAB.name]
