"""Services with one Dockerfile or another, and building their images as CI does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jinja2

from extensions import pins
from tests.labs import template as lab
from tests.labs.images import Builder, Lab, overrides
from tests.labs.service import make

HERE = Path(__file__).parent / "dockerfiles"
OURS = "ours"
# What the folder of Dockerfiles has besides, by the ending of the files.
CACHE_MOUNTS = "cache-mounts"
DOCKER_INIT = "docker-init"


def write_service(language: str, template: Path, folder: Path) -> Path:
    """Write a service with default answers, committed and tagged.

    Args:
        language: ``go``, ``java``, ``node`` or ``python``.
        template: a snapshot of the template.
        folder: where; missing.

    Returns:
        The folder.

    Raises:
        RuntimeError: it cannot be written.
    """
    lab.render(template, folder, {"language": language})
    lab.commit_all(folder)
    lab.git(folder, "tag", "v1.0.0")
    return folder


def with_dockerfile(service: Path, language: str, kind: str, folder: Path) -> Path:
    """Copy a service, with another Dockerfile than its own.

    Args:
        service: the service.
        language: its language.
        kind: ``ours`` for its own, or the ending of a file in the folder of Dockerfiles.
        folder: where; missing.

    Returns:
        The folder.
    """
    lab.git(service.parent, "clone", "--quiet", str(service), str(folder))
    if kind != OURS:
        (folder / "Dockerfile").write_text(dockerfile(language, kind, folder), encoding="utf-8")
        lab.commit_all(folder, f"Dockerfile of {kind}")
    return folder


def dockerfile(language: str, kind: str, folder: Path) -> str:
    """Return the text of a Dockerfile to compare with, on the bases that the service has.

    Args:
        language: of the service.
        kind: the ending of a file in the folder of Dockerfiles.
        folder: the service.
    """
    all_pins = pins.load()
    environment = jinja2.Environment(
        variable_start_string="[[", variable_end_string="]]", undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True, autoescape=False,
    )  # fmt: skip
    text = (HERE / f"{language}.{kind}").read_text(encoding="utf-8")
    return environment.from_string(text).render(
        build=all_pins["images"][f"{language}-build"],
        run=all_pins["images"][f"{language}-run"],
        pnpm=all_pins["tools"]["pnpm"],
        module=folder.name.replace("-", "_"),
    )


@dataclass(frozen=True)
class Build:
    """How to build an image.

    Attributes:
        name: of the image, with the registry.
        variables: for ``make image``, for example ``CACHE_FROM``.
        attested: whether it gets its SBOM and its record of provenance, as in CI.
    """

    name: str
    variables: Mapping[str, str]
    attested: bool = True


def push(image_lab: Lab, builder: Builder | None, folder: Path, language: str, build: Build) -> str:
    """Build an image and push it, with the service's own ``make image PUSH=true``.

    Args:
        image_lab: the lab, up.
        builder: what builds; the lab's own by default.
        folder: the service.
        language: its language.
        build: how.

    Returns:
        The reference with the digest.

    Raises:
        RuntimeError: it does not build; with the output.
    """
    env = {**image_lab.environment(folder, language, builder), **build.variables}
    if not build.attested:
        env = overrides.released(env, folder / "build" / "no-attestations.json", overrides.NO_ATTESTATIONS)
    _make(folder, language, env, "PUSH=true", f"IMAGE={build.name}")
    return (folder / "build/image-ref").read_text(encoding="utf-8").strip()


def load(image_lab: Lab, folder: Path, language: str, name: str) -> str:
    """Build an image into the engine, with the service's own ``make image``.

    Args:
        image_lab: the lab, up.
        folder: the service.
        language: its language.
        name: of the image, without tag.

    Returns:
        Its reference.

    Raises:
        RuntimeError: it does not build; with the output.
    """
    _make(folder, language, image_lab.environment(folder, language), f"IMAGE={name}", "VERSION=measured")
    return f"{name}:measured"


def _make(folder: Path, language: str, env: Mapping[str, str], *variables: str) -> None:
    done = make(folder, language, "image", *variables, env=env)
    if done.returncode != 0:
        raise RuntimeError(f"the image of {folder.name} does not build:\n{done.stdout[-5000:]}")
