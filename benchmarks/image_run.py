"""The image of each service beside that of a plain Dockerfile: size, packages, start to ready, memory."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import images
from benchmarks.samples import Measure, Samples, alternating
from tests.labs.container import Container
from tests.labs.errors import run
from tests.labs.images import Lab, bases, recipes, registry, tools

COMPRESSED = Measure("in the registry", "MB")
UNPACKED = Measure("unpacked", "MB")
PACKAGES = Measure("packages", "")
SYSTEM = Measure("of these Debian's", "")
START = Measure("start to ready", "ms")
MEMORY = Measure("RSS, idle", "MiB")
CONTENT = (COMPRESSED, UNPACKED, PACKAGES, SYSTEM)
RUNNING = (START, MEMORY)
MEASURES = (*CONTENT, *RUNNING)
DOCKERFILES = (images.OURS, images.DOCKER_INIT)
SETTLE_SECONDS = 1

Say = Callable[[str], None]
Result = dict[str, dict[Measure, Samples]]  # by Dockerfile


def push_bases(image_lab: Lab) -> None:
    """Put stand-ins for the bases that only the plain Dockerfiles have into the lab's registry.

    Args:
        image_lab: the lab, up.

    Raises:
        LabError: they cannot be made.
    """
    if image_lab.mode != "stand-ins":
        return
    path = bases.all_bases()["python-build"][1].env["PATH"]
    debian = bases.Base((recipes.slim("slim", ("ca-certificates",)),), {"PATH": path})
    # The JRE is the one that the service's own image has.
    jre = replace(debian, layers=(*debian.layers, recipes.jre()))
    for name, base in {"debian:trixie-slim": debian, "eclipse-temurin:25-jre": jre}.items():
        image = bases.Reference.parse(name).inside(image_lab.registry)
        if not registry.holds(image, base):
            registry.push(image, base)


@dataclass(frozen=True)
class Subject:
    """An image to look at and to run.

    Attributes:
        folder: the service's.
        reference: of the image in the lab's registry, with its digest.
        loaded: its name in the engine.
        env: the environment in which Docker's client finds the lab.
    """

    folder: Path
    reference: str
    loaded: str
    env: Mapping[str, str]


def prepare(language: str, template: Path, work: Path, image_lab: Lab, registry: str) -> dict[str, Subject]:
    """Write the service, build it with either Dockerfile and push both, without attestations.

    Args:
        language: ``go``, ``java``, ``node`` or ``python``.
        template: a snapshot of the template.
        work: a folder for all of it.
        image_lab: the lab, up.
        registry: the lab's, or a folder in it.

    Returns:
        The images by Dockerfile.

    Raises:
        RuntimeError: one of them cannot be written or built; with its output.
        LabError: a base cannot be made.
    """
    push_bases(image_lab)
    service = images.write_service(language, template, work / "run" / f"{language}-service")
    subjects = {}
    for kind in DOCKERFILES:
        folder = images.with_dockerfile(service, language, kind, work / "run" / kind / service.name)
        name = f"{registry}/benchmark/{service.name}-{kind}"
        reference = images.push(image_lab, None, folder, language, images.Build(name, {}, attested=False))
        loaded = images.load(image_lab, folder, language, name)
        subjects[kind] = Subject(folder, reference, loaded, image_lab.environment(folder, language))
    return subjects


def measure(language: str, subjects: Mapping[str, Subject], rounds: int, say: Say) -> Result:
    """Look into the images, and run each in turn.

    Args:
        language: of all of them.
        subjects: what ``prepare`` returned.
        rounds: how often each is run.
        say: takes a line about the progress.

    Returns:
        By Dockerfile, the samples of every measure; those of the content are one.

    Raises:
        RuntimeError: one does not become ready.
        LabError: one cannot be read.
    """
    result: Result = {}
    for kind, subject in subjects.items():
        say(f"{language}: what is in the image of {kind}")
        result[kind] = {one: Samples(one, [value]) for one, value in content(subject).items()}
        result[kind] |= {one: Samples(one) for one in RUNNING}
    for number, kind in alternating(list(subjects), rounds):
        say(f"{language}: round {number} of {rounds}, {kind}")
        for one, value in _once(language, subjects[kind]).items():
            result[kind][one].values.append(value)
    return result


def remove(subjects: Mapping[str, Subject]) -> None:
    """Remove the images from the engine; the registry keeps them."""
    for subject in subjects.values():
        run("docker", "image", "rm", subject.loaded, failure=f"cannot remove {subject.loaded}", env=subject.env)


def content(subject: Subject) -> dict[Measure, float]:
    """Return the sizes of an image, in millions of bytes, and how many packages syft finds in it.

    Raises:
        LabError: it cannot be read.
    """
    env = {**subject.env, "SYFT_CHECK_FOR_APP_UPDATE": "false", "SYFT_REGISTRY_INSECURE_USE_HTTP": "true"}
    folder = tools.folder()
    manifest = json.loads(run(folder / "crane", "manifest", subject.reference, failure="cannot read it", env=env))
    scan = (folder / "syft", "scan", f"registry:{subject.reference}", "--quiet", "--output", "json")
    packages = json.loads(run(*scan, failure="cannot scan it", env=env))["artifacts"]
    return {
        COMPRESSED: sum(layer["size"] for layer in manifest["layers"]) / 1e6,
        UNPACKED: _unpacked(subject) / 1e6,
        PACKAGES: len(packages),
        SYSTEM: sum(package["type"] == "deb" for package in packages),
    }


def _unpacked(subject: Subject) -> int:
    """Bytes of the file system as one tar file."""
    command = [str(tools.folder() / "crane"), "export", subject.reference, "-"]
    size = 0
    with subprocess.Popen(command, env=dict(subject.env), stdout=subprocess.PIPE) as export:
        while part := export.stdout.read(1 << 20) if export.stdout else b"":
            size += len(part)
    if export.returncode != 0:
        raise RuntimeError(f"crane cannot export {subject.reference}")
    return size


def _once(language: str, subject: Subject) -> dict[Measure, float]:
    # Both as the cluster would run them, so that only the image differs.
    with Container(subject.folder, language, image=subject.loaded, docker_env=subject.env) as service:
        ready = time.monotonic() - service.started
        time.sleep(SETTLE_SECONDS)
        inspect = ("docker", "inspect", "--format", "{{.State.Pid}}", service.name)
        pid = int(run(*inspect, failure="cannot find the container", env=subject.env))
        resident = next(
            line.split()[1]
            for line in Path(f"/proc/{pid}/status").read_text().splitlines()
            if line.startswith("VmRSS:")
        )
        return {START: ready * 1e3, MEMORY: int(resident) / 1024}
