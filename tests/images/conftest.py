"""What the tests of one language's image share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.labs.built import Image, clone
from tests.labs.images import Lab
from tests.labs.places import alone
from tests.labs.service import make


@pytest.fixture(scope="session")
def released(image: Image, image_lab: Lab, own_registry: str, shared: Path) -> str:
    """The image in the registry with its SBOM and provenance, pushed once a run: ``name@digest``."""
    folder = shared / "released" / image.folder.name
    reference = folder / "build/image-ref"
    with alone(shared / "locks" / f"{image.language}-released"):
        if not reference.exists():
            clone(image.folder, folder)
            name = f"{own_registry}/{folder.name}"
            env = image_lab.environment(folder, image.language)
            done = make(folder, image.language, "image", "PUSH=true", f"IMAGE={name}", env=env)
            if done.returncode != 0:
                pytest.fail(f"make image PUSH=true failed, so there is no image to test:\n{done.stdout[-5000:]}")
    return reference.read_text().strip()
