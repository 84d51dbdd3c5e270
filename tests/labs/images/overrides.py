"""What makes an unmodified service build from the stand-ins: a second bake file.

A pin names a digest, which no stand-in can have. BuildKit takes a named context in place of an image of the Dockerfile
that has the same full name, digest included, and a build argument in place of the frontend.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from extensions import pins
from tests.labs.errors import LabError
from tests.labs.images.bases import Reference
from tests.labs.images.places import run_folder
from tests.labs.places import digest

# Every target of a service's docker-bake.hcl inherits from it.
TARGET = "_common"
BAKE_FILE = ".golden-path/docker-bake.hcl"
# What the target `release` is without: the digest of its image is the same, and nobody scans.
NO_ATTESTATIONS = {"attest": ["type=sbom,disabled=true", "type=provenance,disabled=true"]}
_PINNED = re.compile(r"[\w./:-]+@sha256:[0-9a-f]{64}")


def stand_ins(registry: str) -> dict[str, str]:
    """Return where each stand-in is in the lab's registry, by the name of the real image without tag."""
    references = [Reference.parse(text) for text in pins.load()["images"].values()]
    return {reference.name: reference.inside(registry) for reference in references}


def contexts(dockerfile: str, registry: str) -> dict[str, str]:
    """Return the named contexts for the pinned images of a Dockerfile.

    Args:
        dockerfile: its text.
        registry: host and port of the lab's registry.

    Raises:
        LabError: it names an image that nothing stands in for.
    """
    places = stand_ins(registry)
    found = {}
    for text in sorted(set(_PINNED.findall(dockerfile))):
        name = Reference.parse(text).name
        if name not in places:
            raise LabError(f"the image lab has no stand-in for {text}: add one to tests/labs/images/bases.py")
        found[text] = f"docker-image://{places[name]}"
    return found


def write(folder: Path, registry: str) -> Path:
    """Write the second bake file of a service.

    Args:
        folder: the service.
        registry: host and port of the lab's registry.

    Returns:
        The file, which is not in the service.

    Raises:
        LabError: the service has no Dockerfile, or names an image that nothing stands in for.
    """
    dockerfile = folder / "Dockerfile"
    if not dockerfile.exists():
        raise LabError(f"{dockerfile} is missing: give a folder of a service")
    frontend = Reference.parse(pins.load()["images"]["dockerfile"]).inside(registry)
    target = {
        "contexts": contexts(dockerfile.read_text(encoding="utf-8"), registry),
        "args": {"BUILDKIT_SYNTAX": frontend},
    }
    file = run_folder() / "overrides" / f"{digest(str(folder.resolve()))}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"target": {TARGET: target}}, indent=2), encoding="utf-8")
    return file


def released(env: Mapping[str, str], file: Path, settings: Mapping[str, object]) -> dict[str, str]:
    """Return an environment in which what a service pushes is set otherwise in some points.

    Args:
        env: in which its ``make image`` works.
        file: where the bake file that says so is written.
        settings: of the target ``release``.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"target": {"release": settings}}), encoding="utf-8")
    files = env.get("BUILDX_BAKE_FILE", BAKE_FILE)
    return {**env, "BUILDX_BAKE_FILE": os.pathsep.join([files, str(file)])}
