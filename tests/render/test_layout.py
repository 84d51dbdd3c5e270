"""Where things stand in the template."""

from __future__ import annotations

import re
from pathlib import Path

from tests.labs import template as lab
from tests.labs import warm
from tests.labs.toolchains import LANGUAGES, ROOT

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
    mine = {_output_path(name.removeprefix(overlay(language))) for name in _files(TEMPLATE / f"[[ {language} ]]")}
    overlays = tuple(map(overlay, LANGUAGES))
    shared = {
        _output_path(name.removeprefix("template/")) for name in _files(TEMPLATE) if not name.startswith(overlays)
    }
    assert mine
    assert shared
    assert mine & shared == set()
    # A file of one may not stand where the other has a folder.
    assert not [a for a in mine for b in shared if a.startswith(f"{b}/") or b.startswith(f"{a}/")]


def test_only_the_overlay_of_the_language_is_written(template: Path, tmp_path: Path, language: str) -> None:
    folder = lab.render(template, tmp_path / "orders", {"language": language})
    written = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    marks = {"go": "go.mod", "java": "pom.xml", "node": "package.json", "python": "pyproject.toml"}
    assert {name for name, mark in marks.items() if mark in written} == {language}
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
