"""The other base image, where there is a choice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import written
from tests.labs import template as lab
from tests.labs.built import VERSION, Image
from tests.labs.images import Lab
from tests.labs.service import make

pytestmark = pytest.mark.images


@pytest.mark.only("go")
def test_wolfi_builds_starts_and_stops(template: Path, image: Image, image_lab: Lab, tmp_path: Path) -> None:
    """The sources are those of the service that all tests share, so the builder has compiled them."""
    folder = written("go", template, tmp_path / image.folder.name, base_image="wolfi")
    assert "cgr.dev/chainguard/static" in (folder / "Dockerfile").read_text()
    commit = lab.git(image.folder, "rev-parse", "HEAD")
    variables = (f"IMAGE={image.repository}-wolfi", f"VERSION={VERSION}", f"REVISION={commit}")
    env = image_lab.environment(folder, "go")
    done = make(folder, "go", "image-check", "image-test", *variables, env=env)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "ok    image starts and stops with what " in done.stdout
