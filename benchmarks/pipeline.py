"""The pull-request workflow: each job of ci.yml on a runner of its own, with cold and with warm caches."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from benchmarks import images
from tests.labs import kustomize, toolchains
from tests.labs import template as lab
from tests.labs.images import Builder, Lab

COLD = "cold"
WARM = "warm"
STATES = (COLD, WARM)
# What every other job waits for, and what waits for every other job.
FIRST, LAST = "changes", "ci-ok"
TARGET_SECONDS = 300
SECONDS = 3600  # only bounds a hang

_SETUP = "./.github/actions/setup"
# A file of each language that gets a comment in front.
_SOURCE = {
    "go": ("cmd/service/main.go", "//"),
    "java": ("src/main/java/**/Application.java", "//"),
    "node": ("src/main.ts", "//"),
    "python": ("src/*/app.py", "#"),
}
# How this machine reaches its registries: a runner knows that too, and has none of the caches beside it.
_SETTINGS = (".npmrc", ".m2/settings.xml", ".config/go/env", ".config/pip/pip.conf", ".config/uv/uv.toml", ".netrc")
_PLACES = frozenset(
    "GOBIN GOCACHE GOENV GOLANGCI_LINT_CACHE GOMODCACHE GOPATH MAVEN_ARGS MYPY_CACHE_DIR NPM_CONFIG_CACHE "
    "PIP_CACHE_DIR PIP_FIND_LINKS PNPM_HOME RUFF_CACHE_DIR XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME "
    "XDG_STATE_HOME".split()
)

Say = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """A job of ci.yml.

    Attributes:
        name: its id.
        commands: what its steps run.
        setup: whether it calls the setup action.
    """

    name: str
    commands: tuple[str, ...]
    setup: bool


@dataclass
class Times:
    """How long the jobs took with the caches in one state, in seconds.

    Attributes:
        jobs: all of each job that is measured, by name; setup included.
        setup: of it, the setup action: what `make setup` took, and in a warm run unpacking the cache before it.
        cache: size of the setup action's cache in MB, packed: what a cold run leaves, or a warm one starts from.
    """

    jobs: dict[str, float] = field(default_factory=dict)
    setup: float = 0
    cache: float = 0

    @property
    def longest(self) -> str:
        """The job that the last one waits for longest."""
        return max((name for name in self.jobs if name not in (FIRST, LAST)), key=lambda name: self.jobs[name])

    @property
    def critical(self) -> float:
        """Seconds from the start of the first job to the end of the last, with a runner at hand for each."""
        return self.jobs[FIRST] + self.jobs[self.longest] + self.jobs[LAST]


Result = dict[str, Times]  # by state


def jobs(service: Path) -> list[Job]:
    """Return what ci.yml of a service runs on a pull request.

    Args:
        service: the service.
    """
    workflow = yaml.safe_load((service / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    found = []
    for name, job in workflow["jobs"].items():
        # A step with a condition is one for pushes.
        commands = tuple(step["run"] for step in job["steps"] if "run" in step and "if" not in step)
        found.append(Job(name, commands, any(step.get("uses") == _SETUP for step in job["steps"])))
    return found


def isolated(env: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return an environment in which no tool finds the caches of this machine.

    Args:
        env: what to begin with.
        home: an empty folder, the home of everything from here on.
    """
    for name in _SETTINGS:
        if (source := Path.home() / name).is_file():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, home / name)
    kept = {name: value for name, value in env.items() if name.upper() not in _PLACES}
    # Java takes the home folder from the list of users.
    return {**kept, "HOME": str(home), "MAVEN_OPTS": f"-Duser.home={home}", "CI": "true"}


class Runner:
    """A machine that runs one job: a home folder and a checkout, always at the same two paths, as on GitHub.

    Args:
        top: a folder for all of it.
        language: of the service.
    """

    def __init__(self, top: Path, language: str) -> None:
        self._top = top
        self._language = language
        self._home = top / "runner" / "home"
        self._outputs = top / "outputs"
        self.folder = top / "runner" / f"{language}-service"
        self._outputs.mkdir(parents=True)
        # Nothing is asked of GitHub, which knows nothing of this run.
        (top / "programs").mkdir()
        (top / "programs" / "gh").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
        (top / "programs" / "gh").chmod(0o755)

    def fresh(self, service: Path) -> None:
        """Start anew with a clone of the service."""
        _remove(self._home.parent)
        self._home.mkdir(parents=True)
        lab.git(self._home.parent, "clone", "--quiet", str(service), str(self.folder))

    def run(self, commands: Sequence[str], env: Mapping[str, str] | None = None) -> float:
        """Run commands as steps of a job; returns the seconds.

        Args:
            commands: in bash.
            env: instead of the toolchain's, with what is to be set.

        Raises:
            RuntimeError: one fails; with its output.
        """
        whole = isolated(env or toolchains.environment(self._language), self._home)
        whole["PATH"] = os.pathsep.join([str(self._top / "programs"), kustomize.on(whole["PATH"])])
        whole |= {name: str(self._outputs / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        begun = time.monotonic()
        for command in commands:
            done = subprocess.run(
                ["bash", "-e", "-o", "pipefail", "-c", command], cwd=self.folder, env=whole, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=SECONDS,
            )  # fmt: skip
            if done.returncode != 0:
                raise RuntimeError(f"{self._language}: {command} failed:\n{done.stdout[-5000:]}")
        return time.monotonic() - begun

    def keep(self) -> None:
        """Remember the machine as it is."""
        _remove(self._top / "kept")
        _copy(self._home.parent, self._top / "kept")

    def back(self) -> None:
        """Make it again what was kept."""
        _remove(self._home.parent)
        _copy(self._top / "kept", self._home.parent)

    def pack(self, archive: Path) -> float:
        """Pack what the setup action puts into the cache; returns the size in MB."""
        names = [self._home.name + path[1:] if path.startswith("~") else f"{self.folder.name}/{path}"
                 for path in self._setup("cache")["with"]["path"].split()]  # fmt: skip
        present = [name for name in names if (self._home.parent / name).exists()]
        _tar("-cf", archive, "-C", str(self._home.parent), *present)
        return archive.stat().st_size / 1e6

    def setup(self, archive: Path | None = None) -> float:
        """Do what the setup action does after it has installed the toolchain; returns the seconds.

        Args:
            archive: the cache that it finds; none by default.
        """
        begun = time.monotonic()
        if archive:
            _tar("-xf", archive, "-C", str(self._home.parent))
        unpacked = time.monotonic() - begun
        # The step with a condition is for a hit.
        steps = (step for step in self._action() if "run" in step)
        return unpacked + self.run([step["run"] for step in steps if archive or "if" not in step])

    def _action(self) -> list[dict[str, Any]]:
        text = (self.folder / _SETUP / "action.yml").read_text(encoding="utf-8")
        steps: list[dict[str, Any]] = yaml.safe_load(text)["runs"]["steps"]
        return steps

    def _setup(self, identifier: str) -> dict[str, Any]:
        return next(step for step in self._action() if step.get("id") == identifier)


def _tar(*arguments: str | Path) -> None:
    # As the action packs: with zstd where it is there.
    options = ["--use-compress-program=zstd -T0"] if shutil.which("zstd") else ["--gzip"]
    subprocess.run(["tar", *options, *map(str, arguments)], check=True, timeout=SECONDS)


def _copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "--archive", "--reflink=auto", str(source), str(target)], check=True, timeout=SECONDS)


def _remove(folder: Path) -> None:
    if folder.exists():
        # Go writes its modules without write permission.
        subprocess.run(["chmod", "-R", "u+w", str(folder)], check=True, timeout=SECONDS)
        shutil.rmtree(folder)


def change(service: Path, language: str, number: int) -> None:
    """Commit what a pull request might: a comment in one source file."""
    pattern, mark = _SOURCE[language]
    [file] = service.glob(pattern)
    file.write_text(f"{mark} Change {number}.\n\n{file.read_text(encoding='utf-8')}", encoding="utf-8")
    lab.commit_all(service, f"Change {number}")


def measure(language: str, template: Path, work: Path, image_lab: Lab, registry: str, say: Say) -> Result:
    """Run each job of the workflow on a pull request, with cold and with warm caches.

    Args:
        language: ``go``, ``java``, ``node`` or ``python``.
        template: a snapshot of the template.
        work: a folder for all of it.
        image_lab: the lab, up.
        registry: the lab's, or a folder in it.
        say: takes a line about the progress.

    Returns:
        The times by state of the caches.

    Raises:
        RuntimeError: a job fails; with its output.
    """
    top = work / "pipeline" / language
    service = images.write_service(language, template, top / f"{language}-service")
    runner = Runner(top / "machine", language)
    run = _Run(runner, service, image_lab, f"{registry}/benchmark/pipeline-{service.name}", top / "cache.tar", say)
    result = {}
    try:
        for number, state in enumerate(STATES):
            change(service, language, number)
            result[state] = run.measure(state)
    finally:
        _remove(top / "machine")
    return result


@dataclass
class _Run:
    runner: Runner
    service: Path
    image_lab: Lab
    image: str
    archive: Path
    say: Say

    def measure(self, state: str) -> Times:
        times = Times()
        with_setup = [job for job in jobs(self.service) if job.setup]
        if state == COLD:
            self._cold(with_setup, times)
        else:
            self._warm(with_setup, times)
        for job in jobs(self.service):
            if not job.setup:
                self._tell(times, job, state, self._without_setup(job, state))
        return times

    def _tell(self, times: Times, job: Job, state: str, seconds: float) -> None:
        times.jobs[job.name] = seconds
        self.say(f"{self.service.name}: {state}, {job.name}: {seconds:.0f} s")

    def _cold(self, measured: Sequence[Job], times: Times) -> None:
        """The setup is the same for each job, so it is done once, and each job goes on from there."""
        self.runner.fresh(self.service)
        times.setup = self.runner.setup()
        self.say(f"{self.service.name}: cold, setup: {times.setup:.0f} s")
        self.runner.keep()
        fastest = float("inf")
        for job in measured:
            self.runner.back()
            seconds = self.runner.run(job.commands)
            self._tell(times, job, COLD, times.setup + seconds)
            # All jobs have one key, so the cache holds what was there when the first of them was done.
            if seconds < fastest:
                fastest = seconds
                times.cache = self.runner.pack(self.archive)

    def _warm(self, measured: Sequence[Job], times: Times) -> None:
        times.cache = self.archive.stat().st_size / 1e6
        setups = []
        for job in measured:
            self.runner.fresh(self.service)
            setups.append(self.runner.setup(self.archive))
            self._tell(times, job, WARM, setups[-1] + self.runner.run(job.commands))
        times.setup = sorted(setups)[len(setups) // 2]

    def _without_setup(self, job: Job, state: str) -> float:
        self.runner.fresh(self.service)
        if job.name not in (FIRST, LAST):
            with self.image_lab.fresh_builder() as builder:
                return self._build(job, state, builder)
        needs = {other.name: {"result": "success", "outputs": {"code": "true"}} for other in jobs(self.service)}
        env = toolchains.environment(self.service.name.split("-")[0])
        return self.runner.run(job.commands, {**env, "GITHUB_EVENT_NAME": "pull_request", "NEEDS": json.dumps(needs)})

    def _build(self, job: Job, state: str, builder: Builder) -> float:
        language = self.service.name.split("-")[0]
        env = self.image_lab.environment(self.runner.folder, language, builder) | {"IMAGE": self.image}
        cache = {"CACHE_FROM": f"{self.image}-cache:amd64"}
        seconds = self.runner.run(job.commands, {**env, **(cache if state == WARM else {})})
        self.runner.run([f'docker image rm --force "{self.image}:$(git describe --tags --always --dirty)"'], env)
        if state == COLD:
            # What the release of the main branch leaves.
            self.runner.run(["make image PUSH=digest"], {**env, "CACHE_TO": cache["CACHE_FROM"]})
        return seconds
