"""Every combination of the answers that add or remove files, under names that are hard on each language."""

from __future__ import annotations

import filecmp
import shutil
from pathlib import Path

import pytest

from tests.labs import template as lab
from tests.labs.built import UPSTREAM, Built
from tests.labs.service import make

COMBINATIONS = {
    "neither": {"service_name": "a", "upstream": "", "provides": False},
    "upstream": {"service_name": "x9-y", "upstream": "zz-9", "provides": False, "organisation": "9-Lives"},
    "provides": {"service_name": "n" + "-long-name" * 3 + "-of-limit", "upstream": "", "provides": True},
    "both": {
        "service_name": "t",
        "upstream": "a",
        "provides": True,
        "description": '"It\'s" <50 %> & ${x} {{y}} \\n #',
    },
}


@pytest.fixture(scope="module")
def workshop(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tools and the dependencies installed, so that a combination costs only its own build.

    It is no git repository: the verbs work before the first commit, too.
    """
    folder = tmp_path_factory.mktemp("combinations") / built.language
    shutil.copytree(built.folder, folder, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    return folder


def _files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def _turn_into(service: Path, before: set[Path], folder: Path) -> None:
    """Make the folder that service; an unchanged file keeps its time, or make would install everything again."""
    after = _files(service)
    for name in before - after:
        (folder / name).unlink(missing_ok=True)
    for name in after:
        target = folder / name
        if not target.exists() or not filecmp.cmp(service / name, target, shallow=False):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(service / name, target)
            shutil.copymode(service / name, target)


def test_every_combination_passes_its_checks(template: Path, workshop: Path, tmp_path: Path, language: str) -> None:
    same = {"language": language, "service_name": f"{language}-orders", "upstream": UPSTREAM}
    before = _files(lab.render(template, tmp_path / "same", same))
    for name, answers in COMBINATIONS.items():
        extra = {"java_group": "zz.top"} if language == "java" and name in ("upstream", "both") else {}
        service = lab.render(template, tmp_path / name, {"language": language, **answers, **extra})
        _turn_into(service, before, workshop)
        before = _files(service)
        for leftover in ("contracts/consumed", "build", "bin", "dist", "target"):
            shutil.rmtree(workshop / leftover, ignore_errors=True)
        done = make(workshop, language, "check", env={"CI": "true"})
        assert done.returncode == 0, f"{name}:\n{done.stdout[-5000:]}"
        consumed = [path.name for path in (workshop / "contracts/consumed").glob("*.json")]
        assert consumed == ([f"{answers['service_name']}-{answers['upstream']}.json"] if answers["upstream"] else [])
        assert ("contract, as provider" in done.stdout) is answers["provides"], name
