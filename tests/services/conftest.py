"""What tests of services share that change their sources and run their verbs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.labs import template as lab
from tests.labs.built import Built, clone


@pytest.fixture(scope="module")
def _set_up(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of a service for a model, with its packages and its model."""
    folder = clone(built.folder, tmp_path_factory.mktemp("model") / "service")
    for name in (".venv", ".tools"):
        if (built.folder / name).exists():
            (folder / name).symlink_to(built.folder / name)
    (folder / ".git/info/exclude").write_text(".venv\n.tools\n")
    shutil.copytree(built.folder / "model", folder / "model")
    return folder


@pytest.fixture
def model_service(_set_up: Path) -> Iterator[Path]:
    """A service for a model, set up and trained; what a test changes is taken back."""
    yield _set_up
    lab.git(_set_up, "checkout", "--quiet", ".")
    lab.git(_set_up, "clean", "--quiet", "--force", "-d")
    shutil.rmtree(_set_up / "build", ignore_errors=True)
