"""fleet.yml of this project: judge, shards and report, on bare repositories. Only ``gh auth setup-git`` is recorded."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from golden_path.rendering.render import Renderer
from tests.labs import template as lab
from tests.labs.toolchains import ROOT
from tests.labs.workflows.lab import Lab
from tests.labs.workflows.log import Result
from tests.labs.workflows.recorders import Recorder
from tests.updates import fleets
from tests.updates.fleets import BRANCH, Fleet
from tests.workflows.conftest import edit

pytestmark = pytest.mark.one_language

APP: dict[str, Any] = {"variables": {"AUTOMATION_APP_ID": "7"}, "secrets": {"AUTOMATION_APP_KEY": "private-key"}}


@dataclass(frozen=True)
class Project:
    """This project's workflow and engine in a repository with a ``fleet.yaml``.

    Attributes:
        fleet: the fleet; its folder is the repository.
        env: of the jobs.
    """

    fleet: Fleet
    env: dict[str, str]

    def run(self, runner: Lab, inputs: dict[str, str] | None = None, **settings: Any) -> Result:
        """Run the workflow, and take over what it pushed, as GitHub keeps it for the next run."""
        folder = self.fleet.folder
        payload = {"repository": {"full_name": "acme/golden-path"}, "inputs": inputs or {}}
        result = runner.run(
            folder, "workflow_dispatch", payload, "fleet.yml", recorders={"gh": Recorder(env=("GH_TOKEN",))},
            values={"actions/create-github-app-token": {"token": "app-token"}}, env=self.env, **{**APP, **settings},
        )  # fmt: skip
        remote = result.remotes / "acme/golden-path"
        if lab.git(remote, "for-each-ref", f"refs/heads/{fleets.LEDGER}"):
            lab.git(folder, "fetch", "--quiet", str(remote), f"+refs/heads/{fleets.LEDGER}:refs/heads/{fleets.LEDGER}")
        return result


@pytest.fixture
def project(tmp_path: Path) -> Project:
    with Renderer(trust=True) as renderer:
        fleet = fleets.make(tmp_path, renderer, {"first": 2, "rest": 3})
    names = ["Makefile", "requirements.txt", ".github/workflows/fleet.yml"]
    # With what its links lead to, which lies in the template.
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "golden_path", fleet.folder / "golden_path", ignore=ignored)
    for name in names:
        (fleet.folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, fleet.folder / name)
    (fleet.folder / ".gitignore").write_text(".venv/\n")
    lab.commit_all(fleet.folder, "Project")
    (fleet.folder / ".venv/bin").mkdir(parents=True)
    program = fleet.folder / ".venv/bin/python"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    program.chmod(0o755)
    (fleet.folder / ".venv/ready").touch()
    os.utime(fleet.folder / ".venv/ready", (2**31, 2**31))  # newer than any checkout's requirements.txt
    return Project(fleet, {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")})


def shards(result: Result) -> dict[str, list[str]]:
    """Return the services of which each job of the matrix told."""
    return {
        key: sorted(set(re.findall(r"\b(?:first|rest)-\d\d\b", job.output)))
        for key, job in result.jobs.items()
        if job.id == "work"
    }


def test_a_rollout_in_three_runs(project: Project, runner: Lab) -> None:
    """With two services a shard, where the workflow has 25: so the second ring is the work of several jobs."""
    fleet = project.fleet
    first, rest = fleet.rings.values()
    edit(fleet.folder, ".github/workflows/fleet.yml", r"fleet judge --to", "fleet judge --shard-size 2 --to")
    result = project.run(runner)
    assert result.code == 0, result.stdout[-3000:]
    assert shards(result) == {"work (1/1)": ["first-01", "first-02"]}
    assert all(fleets.branches(one) == [BRANCH, "main"] for one in first)
    assert all(fleets.branches(one) == ["main"] for one in rest)
    assert fleet.events() == ["start", "ring"]
    assert "2 pending" in result.jobs["report"].summary
    assert {call.line for call in result.called("gh")} == {"gh auth setup-git"}
    assert {call.env["GH_TOKEN"] for call in result.called("gh")} == {"app-token"}

    fleets.ci(first, "green")
    fleets.merge(first)
    result = project.run(runner)
    assert result.code == 0, result.stdout[-3000:]
    assert shards(result) == {"work (1/2)": ["rest-01", "rest-03"], "work (2/2)": ["rest-02"]}
    assert fleet.events() == ["start", "ring", "ring"]
    assert all(fleets.branches(one) == [BRANCH, "main"] for one in rest)

    fleets.ci(rest[:1], "red")
    result = project.run(runner)
    assert (result.result("judge"), result.result("report")) == ("success", "failure")
    assert "stopped: 1 of 3 services of the ring rest are red (rest-01)" in result.jobs["report"].summary
    assert all(fleets.branches(one) == [fleets.REVERT, "main"] for one in first)
    assert all(fleets.branches(one) == ["main"] for one in rest)


def test_rollback_by_hand(project: Project, runner: Lab) -> None:
    project.run(runner)
    result = project.run(runner, {"rollback": "latency; rose"})
    assert project.fleet.events() == ["start", "ring", "stop", "back"]
    assert all(fleets.branches(one) == ["main"] for one in project.fleet.services)
    assert "taken back: latency; rose" in result.jobs["judge"].summary


@pytest.mark.parametrize("left", ["fleet.yaml", "the App"])
def test_without_it_is_green_and_says_what_is_missing(project: Project, runner: Lab, left: str) -> None:
    if left == "fleet.yaml":
        lab.git(project.fleet.folder, "rm", "--quiet", "fleet.yaml")
        lab.git(project.fleet.folder, "commit", "--quiet", "--message", "No fleet")
    result = project.run(runner, **({} if left == "fleet.yaml" else {"variables": {}, "secrets": {}}))
    assert result.code == 0, result.stdout[-3000:]
    said = "there is no fleet.yaml" if left == "fleet.yaml" else "gh secret set AUTOMATION_APP_KEY"
    assert said in result.jobs["judge"].summary
    assert result.called("gh") == []


def test_a_mistake_in_fleet_yaml_fails_with_its_line(project: Project, runner: Lab) -> None:
    project.fleet.file.write_text(project.fleet.file.read_text().replace("ring: rest", "ring: none"))
    lab.commit_all(project.fleet.folder, "Mistake")
    result = project.run(runner)
    assert result.result("judge") == "failure"
    assert "services[2].ring: there is no ring 'none'" in result.jobs["judge"].output
