"""release.yml of this project: what CI found green becomes a tag, what it did not is refused. ``gh`` is recorded."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.labs import template as lab
from tests.labs.toolchains import ROOT
from tests.labs.workflows.lab import Lab
from tests.labs.workflows.log import Result
from tests.labs.workflows.recorders import Answer, Recorder

pytestmark = pytest.mark.one_language

NOTES = "- the news\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The workflow and the verb that it calls, in a repository of its own with a version to release."""
    folder = tmp_path / "golden-path"
    for name in ("Makefile", ".github/workflows/release.yml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / "pyproject.toml").write_text('[project]\nname = "golden-path"\nversion = "1.2.0"\n')
    (folder / "CHANGELOG.md").write_text(f"# Changelog\n\n## 1.2.0 (2026-02-01)\n\n{NOTES}")
    (folder / "requirements.txt").touch()
    (folder / ".gitignore").write_text(".venv/\nbuild/\n__pycache__/\n")
    for name in ("tests", "golden_path"):
        (folder / name).symlink_to(ROOT / name)
    lab.commit_all(folder, "Version 1.2.0")
    (folder / ".venv/bin").mkdir(parents=True)
    program = folder / ".venv/bin/python"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    program.chmod(0o755)
    (folder / ".venv/ready").touch()
    os.utime(folder / ".venv/ready", (2**31, 2**31))  # newer than any checkout's requirements.txt
    return folder


def ended(*conclusions: str, app: str = "github-actions") -> list[dict[str, Any]]:
    """Return check runs as GitHub has them; one without a conclusion goes on."""
    return [
        {"conclusion": one or None, "status": "completed" if one else "in_progress", "app": {"slug": app}}
        for one in conclusions
    ]


def run(
    project: Path, runner: Lab, checks: Sequence[dict[str, Any]] = ended("success", "success"), **payload: Any
) -> Result:
    """Run it, where CI ended so."""
    answers = (Answer("^api .*check-runs", stdout=json.dumps({"check_runs": checks})),)
    return runner.run(
        project, "workflow_dispatch", {"repository": {"full_name": "acme/golden-path"}, **payload}, "release.yml",
        recorders={"gh": Recorder(answers, env=("GH_TOKEN",))},
    )  # fmt: skip


def test_what_ci_found_green_is_tagged(project: Path, runner: Lab) -> None:
    result = run(project, runner)
    assert result.code == 0, result.stdout[-3000:]
    head = lab.git(project, "rev-parse", "HEAD")
    asked, made = result.called("gh")
    assert f"repos/acme/golden-path/commits/{head}/check-runs?check_name=test" in asked.line
    assert made.line == (
        f"gh release create v1.2.0 --repo acme/golden-path --target {head} --title v1.2.0 --notes-file notes/notes.md "
        "--latest"
    )


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        (ended("failure"), "failure"),
        (ended(), ""),
        (ended("success", ""), "in_progress, success"),
        (ended("success", app="someone"), ""),
    ],
    ids=["red", "never ran", "goes on", "of another app"],
)
def test_what_ci_did_not_find_green_is_not(checks: list[dict[str, Any]], said: str, project: Path, runner: Lab) -> None:
    result = run(project, runner, checks)
    assert (result.result("check"), result.result("tag")) == ("failure", "skipped")
    assert f"CI is not green for {lab.git(project, 'rev-parse', 'HEAD')}: test is '{said}'" in result.stdout
    assert len(result.called("gh")) == 1


def test_another_branch_is_refused(project: Path, runner: Lab) -> None:
    lab.git(project, "branch", "other")
    result = run(project, runner, ref="refs/heads/other")
    assert result.result("check") == "failure"
    assert "run it on main, not on refs/heads/other" in result.stdout
    assert result.called("gh") == []


def test_a_version_without_its_date_is_refused(project: Path, runner: Lab) -> None:
    (project / "CHANGELOG.md").write_text(f"# Changelog\n\n## Unreleased (1.2.0)\n\n{NOTES}")
    lab.commit_all(project, "Not yet")
    result = run(project, runner)
    assert (result.result("check"), result.result("tag")) == ("failure", "skipped")
    assert "CHANGELOG.md must begin with '## 1.2.0 (YYYY-MM-DD)'" in result.stdout


def test_a_prerelease_is_not_the_latest(project: Path, runner: Lab) -> None:
    for name in ("pyproject.toml", "CHANGELOG.md"):
        (project / name).write_text((project / name).read_text().replace("1.2.0", "1.2.0rc1"))
    lab.commit_all(project, "A candidate")
    result = run(project, runner)
    assert result.code == 0, result.stdout[-3000:]
    assert result.called("gh")[-1].line.endswith("--prerelease")
