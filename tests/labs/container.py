"""Running a service from its image, as the cluster would: read-only, unprivileged, without capabilities."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.labs.leftovers import mark
from tests.labs.service import Service

RESTRICTED = (
    "--read-only", "--tmpfs", "/tmp:mode=1777,size=64m", "--user", "65532:65532", "--cap-drop", "ALL",
    "--security-opt", "no-new-privileges", "--pull", "never",
)  # fmt: skip


@dataclass
class Container(Service):
    """One run of a service's image; a context manager that ends it and removes the container.

    On the host's network, so that a test's peers on loopback are there for it, too.

    Attributes:
        image: the image, in the engine already.
        docker_env: the environment in which ``docker`` finds its engine.
    """

    image: str = ""
    docker_env: Mapping[str, str] = field(default_factory=dict)

    def _start_command(self, variables: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
        self.name = f"golden-path-{uuid.uuid4().hex[:12]}"
        # With the run's mark it ends with it, also where the client was killed and the engine runs on.
        given = [part for name, value in {**variables, **mark()}.items() for part in ("--env", f"{name}={value}")]
        run = ["docker", "run", "--rm", "--name", self.name, "--network", "host"]
        return [*run, *RESTRICTED, *given, self.image], dict(self.docker_env)

    def _kill(self) -> None:
        # The client's end would leave the container running.
        subprocess.run(
            ["docker", "rm", "--force", self.name], env=dict(self.docker_env), capture_output=True, check=False
        )
        self.process.wait(180)
