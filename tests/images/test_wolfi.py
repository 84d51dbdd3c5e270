"""The other base image, where there is a choice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.labs import template as lab
from tests.labs.images import Lab
from tests.labs.service import make

pytestmark = pytest.mark.images


@pytest.mark.only("go")
def test_wolfi_builds_starts_and_stops(template: Path, image_lab: Lab, tmp_path: Path, language: str) -> None:
    folder = lab.render(template, tmp_path / "orders", {"language": language, "base_image": "wolfi"})
    lab.commit_all(folder)
    assert "cgr.dev/chainguard/static" in (folder / "Dockerfile").read_text()
    done = make(folder, language, "image-check", "image-test", env=image_lab.environment(folder, language))
    assert done.returncode == 0, done.stdout[-3000:]
    assert "ok    image starts and stops" in done.stdout
