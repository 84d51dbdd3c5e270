"""docs/tutorials/retrain-a-model.md works: its commands are run in one shell, and say what the page shows."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from tests.labs import oras
from tests.labs import template as lab
from tests.labs.images import Lab
from tests.labs.page import problems, steps
from tests.labs.toolchains import KINDS, ROOT

pytestmark = [pytest.mark.images, pytest.mark.models, pytest.mark.only("model")]

PAGE = ROOT / "docs/tutorials/retrain-a-model.md"


@pytest.fixture(scope="module")
def reader(
    language: str, template: Path, image_lab: Lab, own_registry: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """What the page says that its reader has: programs, a name for git, the template and a registry."""
    place = tmp_path_factory.mktemp("reader")
    (place / "programs").mkdir()
    (place / "programs/copier").symlink_to(lab.COPIER)
    # The lab's settings depend on the pins of the Dockerfile alone, so they are known before the page has written one.
    env = image_lab.environment(lab.render(template, place / "any", KINDS[language]), KINDS[language]["language"])
    return {
        **env,
        **lab.GIT,
        "PATH": os.pathsep.join([str(place / "programs"), str(oras.folder()), env["PATH"]]),
        "GOLDEN_PATH": str(template),
        "REGISTRY": f"{own_registry}/{secrets.token_hex(4)}",
        # Lines of a program come in the order in which a terminal shows them.
        "PYTHONUNBUFFERED": "1",
    }


def test_the_tutorial(reader: dict[str, str], tmp_path: Path) -> None:
    known = steps(PAGE.read_text(encoding="utf-8"))
    assert known
    found = problems(known, reader, tmp_path)
    assert not found, "\n".join([PAGE.name, *found])
