"""A repository whose workflows are run, and the runner that runs them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.labs import template as lab
from tests.labs.built import Built, Image
from tests.labs.workflows import engine
from tests.labs.workflows.lab import REUSE, Lab


@pytest.fixture
def runner(tmp_path: Path) -> Lab:
    """The workflow lab, in a folder of the test's own."""
    return Lab(tmp_path / "runs")


@pytest.fixture
def clone(built: Built, tmp_path: Path) -> Callable[[], Path]:
    """Make a clone of the service, with what is installed in it."""

    def make() -> Path:
        target = tmp_path / built.folder.name
        lab.git(tmp_path, "clone", "--quiet", str(built.folder), str(target))
        for name in REUSE:
            if (built.folder / name).is_dir():
                shutil.copytree(built.folder / name, target / name, symlinks=True, copy_function=os.link)
        return target

    return make


@pytest.fixture
def job_env(image: Image, tmp_path: Path) -> dict[str, str]:
    """The environment of the jobs: the toolchain, and a docker that is the image lab's."""
    programs = tmp_path / "programs"
    engine.wrap(programs, "docker", image.env, names=engine.DOCKER)
    return engine.before(image.env, programs)


def edit(folder: Path, file: str, pattern: str, replacement: str) -> None:
    """Replace one thing in a file of a repository and commit it."""
    path = folder / file
    text = path.read_text()
    changed, count = re.subn(pattern, replacement, text, count=1, flags=re.MULTILINE)
    assert count == 1, f"{pattern} is not in {file}"
    path.write_text(changed)
    lab.commit_all(folder, f"Change {file}")
