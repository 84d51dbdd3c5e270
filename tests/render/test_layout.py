"""Where things stand in the template."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.labs import template as lab
from tests.labs import warm
from tests.labs.toolchains import KINDS, LANGUAGES, ROOT, answers_of

TEMPLATE = ROOT / "template"


def _files(folder: Path) -> list[str]:
    listed = lab.git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard", str(folder))
    return [name for name in listed.split("\0") if name and (ROOT / name).exists()]


def _output_path(name: str) -> str:
    """The path in the service, conditions taken as true; what depends on an answer stays as it is written."""
    return re.sub(r"\[%.*?%\]", "", name).removesuffix(".jinja")


def overlay(language: str) -> str:
    return f"template/[[ {language} ]]/"


def test_shared_and_overlay_paths_are_disjoint(language: str) -> None:
    """A path in both would be written twice: Copier asks, and `--defaults` fails."""
    mine = _of_overlay(language)
    overlays = tuple(map(overlay, (*LANGUAGES, *KINDS)))
    shared = {
        _output_path(name.removeprefix("template/")) for name in _files(TEMPLATE) if not name.startswith(overlays)
    }
    _assert_disjoint(mine, shared)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_goes_over_its_language(kind: str) -> None:
    """What the language's overlay and the shared files leave out for it says so in its name: `not KIND`."""
    others = [answers_of(kind)["language"]]
    left = {name for other in others for name in _files(TEMPLATE / f"[[ {other} ]]")}
    left |= {name for name in _files(TEMPLATE) if not name.startswith("template/[[ ")}
    prefixes = tuple(map(overlay, others))
    taken = {
        _output_path(name.removeprefix(next(filter(name.startswith, prefixes), "template/")))
        for name in left
        if f"not {kind} %]" not in name
    }
    _assert_disjoint(_of_overlay(kind), taken)


def _of_overlay(name: str) -> set[str]:
    return {_output_path(path.removeprefix(overlay(name))) for path in _files(TEMPLATE / f"[[ {name} ]]")}


def _assert_disjoint(mine: set[str], shared: set[str]) -> None:
    assert mine
    assert shared
    assert mine & shared == set()
    # A file of one may not stand where the other has a folder.
    assert not [a for a in mine for b in shared if a.startswith(f"{b}/") or b.startswith(f"{a}/")]


@pytest.mark.models
def test_only_the_overlay_of_the_language_is_written(template: Path, tmp_path: Path, language: str) -> None:
    folder = lab.render(template, tmp_path / "orders", answers_of(language))
    written = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    marks = {"go": "go.mod", "java": "pom.xml", "node": "package.json", "python": "pyproject.toml"}
    assert {name for name, mark in marks.items() if mark in written} == {answers_of(language)["language"]}
    assert ("training/fit.py" in written, "src/orders/items/api.py" in written) == (
        language == "model", language == "python",
    )  # fmt: skip
    assert not [name for name in written if "[" in name or name.endswith(".jinja")]


def test_language_can_change_later(template: Path, tmp_path: Path) -> None:
    """The next copy in another language adds that overlay; nothing of the template's is half-rendered."""
    folder = lab.render(template, tmp_path / "orders", {"language": "go"})
    done = warm.copier(
        "copy", "--trust", "--defaults", "--overwrite", "--quiet", "--data", "language=python", template, folder
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "pyproject.toml").exists()


def test_there_are_no_tasks() -> None:
    """Tasks run three times in an update and spoil its diff."""
    assert "_tasks" not in (ROOT / "copier.yml").read_text(encoding="utf-8")
