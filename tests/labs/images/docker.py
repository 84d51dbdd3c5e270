"""The lab on a machine that has a Docker engine and reaches the registries: real bases, the user's engine.

Only the registry on loopback is added, and builders of their own, so that the user's builder keeps its cache.
"""

from __future__ import annotations

import functools
import os
import subprocess
from dataclasses import dataclass

from extensions import pins
from tests.labs.errors import LabError, run
from tests.labs.images.places import run_folder

VARIABLE = "GOLDEN_PATH_IMAGE_LAB"
MODES = ("stand-ins", "docker")


def _works(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=180).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@functools.cache
def mode() -> str:
    """Return how the lab works here: what the variable says, else what can be.

    Raises:
        LabError: the variable says something else.
    """
    if wanted := os.environ.get(VARIABLE):
        if wanted not in MODES:
            raise LabError(f"{VARIABLE} is {wanted!r}: set it to {' or '.join(MODES)}")
        return wanted
    pinned = pins.load()["images"]["go-run"]
    real = _works("docker", "info") and _works("docker", "buildx", "imagetools", "inspect", pinned)
    return "docker" if real else "stand-ins"


@dataclass(frozen=True)
class DockerKit:
    """A BuildKit daemon in a container of the user's engine.

    Attributes:
        name: the builder's name.
    """

    name: str

    def _buildx(self, *arguments: str) -> str:
        return run("docker", "buildx", *arguments, failure=f"docker buildx {arguments[0]} failed")

    def is_there(self) -> bool:
        """Return whether there is such a builder."""
        return _works("docker", "buildx", "inspect", self.name)

    def start(self, registry: str) -> None:
        """Start it unless it runs; it reaches the registry at this host and port."""
        if self.is_there():
            return
        settings = run_folder() / f"{self.name}.toml"
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text(f'[registry."{registry}"]\nhttp = true\n', encoding="utf-8")
        self._buildx(
            "create", "--name", self.name, "--driver", "docker-container", "--driver-opt", "network=host",
            "--buildkitd-config", str(settings), "--bootstrap",
        )  # fmt: skip

    def remove(self) -> None:
        """End it and remove its cache."""
        if self.is_there():
            self._buildx("rm", "--force", self.name)

    def cpu_seconds(self) -> float:
        """Return the CPU time of its container so far, in which its RUN steps are."""
        container = f"buildx_buildkit_{self.name}0"
        stat = run("docker", "exec", container, "cat", "/sys/fs/cgroup/cpu.stat", failure="cannot read the CPU time")
        return int(dict(line.split() for line in stat.splitlines())["usage_usec"]) / 1e6
