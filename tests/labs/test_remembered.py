"""Copier that is remembered: the same inputs give the same files without a run, any other input gives a run."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.labs import remembered
from tests.labs import template as lab

# Writes how often it ran, and that a second file is the service's no longer; fails when it is told to.
COPIER = """\
#!/bin/bash
echo run >>"$(dirname "$0")/runs"
[[ $* != *fail* ]] || exit 3
folder=${@: -1}
mkdir -p "$folder" && cp "$(dirname "$0")/runs" "$folder/written" && rm -f "$folder/gone"
"""


def _commit(folder: Path) -> None:
    (folder / "more").touch()
    lab.commit_all(folder)


OTHERS: dict[str, Callable[[Path], object]] = {
    "answers": lambda folder: (folder / "answers.yml").write_text("b\n"),
    "template": lambda folder: lab.git(folder / "template", "tag", "v2"),
    "service": lambda folder: _commit(folder / "service"),
    "work tree": lambda folder: (folder / "service/new").touch(),
}


@pytest.fixture
def copier(tmp_path: Path) -> Path:
    program = tmp_path / "bin/copier"
    program.parent.mkdir()
    program.write_text(COPIER)
    program.chmod(0o755)
    remembered.install(program, tmp_path / "results")
    for name in ("template", "service"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "gone").touch()
        lab.commit_all(tmp_path / name)
    (tmp_path / "answers.yml").write_text("a\n")
    return program


def run(copier: Path, folder: Path, *arguments: str) -> int:
    """Run it as the verbs do."""
    place = copier.parents[1]
    command: list[str | Path] = [
        copier,
        "copy",
        *arguments,
        "--data-file",
        place / "answers.yml",
        place / "template",
        folder,
    ]
    return subprocess.run(command, check=False).returncode


def runs(copier: Path) -> int:
    return len((copier.parent / "runs").read_text().splitlines())


def test_the_same_is_written_without_a_run(copier: Path, tmp_path: Path) -> None:
    for number in range(2):
        assert run(copier, tmp_path / f"{number}/new") == 0
        assert (tmp_path / f"{number}/new/written").read_text() == "run\n"
    assert runs(copier) == 1


def test_a_work_tree_is_left_as_copier_leaves_it(copier: Path, tmp_path: Path) -> None:
    for _ in range(2):
        lab.git(tmp_path / "service", "reset", "--hard", "--quiet")
        (tmp_path / "service/written").unlink(missing_ok=True)
        assert run(copier, tmp_path / "service") == 0
        assert lab.git(tmp_path / "service", "status", "--porcelain").splitlines() == ["D gone", "?? written"]
    assert runs(copier) == 1


@pytest.mark.parametrize("other", OTHERS)
def test_another_input_is_another_run(copier: Path, tmp_path: Path, other: str) -> None:
    run(copier, tmp_path / "service")
    lab.git(tmp_path / "service", "reset", "--hard", "--quiet")
    (tmp_path / "service/written").unlink()
    OTHERS[other](tmp_path)
    run(copier, tmp_path / "service")
    assert runs(copier) == 2


def test_another_argument_is_another_run(copier: Path, tmp_path: Path) -> None:
    run(copier, tmp_path / "0/new", "--vcs-ref", "v1")
    run(copier, tmp_path / "1/new", "--vcs-ref", "v2")
    assert runs(copier) == 2


def test_a_failure_is_not_remembered(copier: Path, tmp_path: Path) -> None:
    assert [run(copier, tmp_path / "new", "fail") for _ in range(2)] == [3, 3]
    assert runs(copier) == 2
