"""The image lab: what a service needs to build, push and run its image on a machine without a container registry."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from pathlib import Path

from extensions import pins
from tests.labs import toolchains
from tests.labs.errors import LabError
from tests.labs.images import bases, buildkit, client, docker, engine, overrides, registry, system, tools
from tests.labs.images.buildkit import BuildKit
from tests.labs.images.docker import DockerKit
from tests.labs.images.kit import Builder, Kit, fresh_name
from tests.labs.images.places import lab_folder, run_folder
from tests.labs.places import alone
from tests.labs.started import StartedLab


class Lab(StartedLab):
    """The registry, builder and engine for service images; a context manager that ends only what it started."""

    @property
    def mode(self) -> str:
        """``stand-ins``, or ``docker`` where the user's engine and the real bases are used.

        Raises:
            LabError: GOLDEN_PATH_IMAGE_LAB says something else.
        """
        return docker.mode()

    @property
    def registry(self) -> str:
        """Host and port of the registry.

        Raises:
            LabError: the lab has never been up.
        """
        return registry.address()

    @staticmethod
    def folder() -> Path:
        """Return the folder of all that outlives the lab's ``down``."""
        return lab_folder()

    def status(self) -> dict[str, str]:
        """Return of each part what runs, for example ``process 7``; empty where it does not run."""
        parts = {"registry": registry.DAEMON.pid}
        if self.mode == "stand-ins":
            parts |= {"buildkitd": buildkit.LAB.daemon.pid, "dockerd": engine.DAEMON.pid}
        status = {name: f"process {pid}" if pid else "" for name, pid in parts.items()}
        if self.mode == "docker":
            status["builder"] = buildkit.LAB.name if DockerKit(buildkit.LAB.name).is_there() else ""
        return status

    def up(self) -> list[str]:
        """Start what does not run; make what is not made yet, which takes some ten minutes the first time.

        Returns:
            What it started.

        Raises:
            LabError: something is missing.
            MissingToolchainError: a toolchain is missing.
        """
        with alone(lab_folder()):
            before = self.status()
            if self.mode == "stand-ins":
                system.need()
            tools.build()
            where = registry.start()
            if self.mode == "stand-ins":
                self._start_stand_ins(where, fresh_registry=not before["registry"])
            else:
                DockerKit(buildkit.LAB.name).start(where)
            return [name for name, what in self.status().items() if what != before[name]]

    def _start_stand_ins(self, where: str, fresh_registry: bool) -> None:
        for reference, base in bases.all_bases().values():
            image = reference.inside(where)
            if not registry.holds(image, base):
                registry.push(image, base)
        client.prepare()
        if fresh_registry:
            # A builder that outlived the registry knows it by its former port.
            buildkit.LAB.stop()
        buildkit.LAB.start(where)
        engine.start()

    def down(self, names: Collection[str] | None = None) -> None:
        """End what runs, fresh builders with the builder; what was built stays cached.

        In mode ``docker`` the builder is removed with its cache; the user's engine runs on.

        Args:
            names: what to end, as ``up`` returned it; everything by default.
        """
        with alone(lab_folder()):
            parts = set(self.status() if names is None else names)
            if "builder" in parts:
                DockerKit(buildkit.LAB.name).remove()
            if "dockerd" in parts:
                engine.stop()
            if "buildkitd" in parts:
                for kit in buildkit.fresh():
                    kit.remove()
                buildkit.LAB.stop()
            if "registry" in parts:
                registry.DAEMON.stop()
            if parts >= set(self.status()):
                shutil.rmtree(run_folder(), ignore_errors=True)

    def fresh_builder(self) -> Builder:
        """Return a builder with an empty cache, for a ``with`` statement."""
        kit: Kit = BuildKit(fresh_name()) if self.mode == "stand-ins" else DockerKit(fresh_name())
        return Builder(kit, self.registry)

    def environment(self, folder: Path, language: str, builder: Builder | None = None) -> dict[str, str]:
        """Return the environment in which a service's ``make image`` works unmodified.

        Args:
            folder: the service.
            language: its language.
            builder: what builds; the lab's own builder, which remembers, by default.

        Returns:
            That of its toolchain, and what Docker's client needs.

        Raises:
            LabError: the lab is down, or the folder is none of a service.
            MissingToolchainError: the toolchain is missing.
        """
        if missing := [name for name, what in self.status().items() if not what]:
            raise LabError(f"no {missing[0]} runs: run python -m tests.labs.images up")
        env = toolchains.environment(language)
        env["PATH"] = os.pathsep.join([str(tools.folder()), env["PATH"], *system.FOLDERS])
        env["BUILDX_BUILDER"] = builder.name if builder else buildkit.LAB.name
        if self.mode == "docker":
            return env
        scanner = bases.Reference.parse(pins.load()["images"]["sbom-scanner"])
        return {
            **env,
            "DOCKER_CONFIG": str(client.folder()),
            "DOCKER_HOST": engine.host(),
            # The service's own file comes first, relative to where bake runs; the later one wins.
            "BUILDX_BAKE_FILE": os.pathsep.join([overrides.BAKE_FILE, str(overrides.write(folder, self.registry))]),
            "SBOM_SCANNER": scanner.inside(self.registry),
        }
