"""Combinations of the answers that add or remove files, under names that are hard on each language.

All are built in every language, and each is checked in one; what has both, under a plain name, is checked in every
language as the service that the other tests share.
"""

from __future__ import annotations

import filecmp
import shutil
from pathlib import Path

import pytest

from tests.labs import template as lab
from tests.labs.built import UPSTREAM, Built
from tests.labs.service import make

COMBINATIONS = {
    "both": {
        "service_name": "t",
        "upstream": "a",
        "provides": True,
        "description": '"It\'s" <50 %> & ${x} {{y}} \\n #',
    },
    "neither": {"service_name": "a", "upstream": "", "provides": False},
    "upstream": {"service_name": "x9-y", "upstream": "zz-9", "provides": False, "organisation": "9-Lives"},
    "provides": {"service_name": "n" + "-long-name" * 3 + "-of-limit", "upstream": "", "provides": True},
}
# What `make setup` leaves where it has installed the dependencies: of Go, Java, Node.js and Python.
INSTALLED = (".tools/go-modules", ".tools/dependencies", "node_modules/.ready", ".venv/ready")
CHECKED = {"go": "neither", "java": "upstream", "node": "provides", "python": "both"}


class Workshop:
    """A folder with the tools and the dependencies installed, so that a combination costs only its own build.

    It is no git repository: the verbs work before the first commit, too.
    """

    def __init__(self, built: Built, same: Path, folder: Path) -> None:
        """Copy what is installed.

        Args:
            built: a service, checked.
            same: a rendering of it, with nothing installed.
            folder: one that is not there yet.
        """
        shutil.copytree(built.folder, folder, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        self._folder, self._before = folder, _files(same)

    def turn_into(self, service: Path, *, installed: bool) -> Path:
        """Make the folder that service; an unchanged file keeps its time, or make would install everything again.

        Args:
            service: a rendering.
            installed: whether its dependencies, which are the same, count as installed although its manifest is new.
        """
        after = _files(service)
        for name in self._before - after:
            (self._folder / name).unlink(missing_ok=True)
        for name in after:
            target = self._folder / name
            if not target.exists() or not filecmp.cmp(service / name, target, shallow=False):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(service / name, target)
                shutil.copymode(service / name, target)
        for leftover in ("contracts/consumed", "build", "bin", "dist", "target"):
            shutil.rmtree(self._folder / leftover, ignore_errors=True)
        for stamp in INSTALLED if installed else ():
            if (self._folder / stamp).exists():
                (self._folder / stamp).touch()
        self._before = after
        return self._folder


def _files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def workshop(built: Built, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    folder = tmp_path_factory.mktemp("combinations")
    same = {"language": built.language, "service_name": f"{built.language}-orders", "upstream": UPSTREAM}
    return Workshop(built, lab.render(template, folder / "same", same), folder / built.language)


@pytest.mark.parametrize("name", COMBINATIONS)
def test_a_combination_is_built_and_passes_its_checks(
    template: Path, workshop: Workshop, tmp_path: Path, language: str, name: str
) -> None:
    answers = COMBINATIONS[name]
    extra = {"java_group": "zz.top"} if language == "java" and name in ("upstream", "both") else {}
    checked = CHECKED[language] == name
    service = lab.render(template, tmp_path / name, {"language": language, **answers, **extra})
    folder = workshop.turn_into(service, installed=not checked)
    done = make(folder, language, "check" if checked else "build", env={"CI": "true"})
    assert done.returncode == 0, done.stdout[-5000:]
    if checked:
        consumed = [path.name for path in (folder / "contracts/consumed").glob("*.json")]
        assert consumed == ([f"{answers['service_name']}-{answers['upstream']}.json"] if answers["upstream"] else [])
        assert ("contract, as provider" in done.stdout) is answers["provides"]
