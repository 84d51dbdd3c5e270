"""Rings through pull requests of GitHub's; ``gh`` is a stand-in, so the real GitHub is not proven."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from golden_path.rendering.render import Renderer
from tests.labs.template import commit_all, git
from tests.updates import cases, fleets, foreign
from tests.updates.commands import as_process, golden_path
from tests.updates.fleets import BRANCH, REVERT, Fleet
from tests.updates.foreign import NEW
from tests.updates.gh_stand_in import GitHub


@dataclass(frozen=True)
class OnGitHub:
    """A fleet whose services are on what seems to be GitHub.

    Attributes:
        fleet: the fleet.
        hub: the stand-in.
        env: in which git finds the repositories, and the engine ``gh``.
    """

    fleet: Fleet
    hub: GitHub
    env: dict[str, str]

    def run(self, verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        # One at a time: what the stand-in knows is a file.
        return self.fleet.run(verb, "--jobs", "1", *arguments, **self.env)

    def killed(self, verb: str) -> int:
        """Run it as a process, which the stand-in kills; returns the exit code."""
        return as_process("fleet", verb, self.fleet.file, "--jobs", "1", **self.env).returncode

    def checked(self, services: list[Path], state: str, ref: str = BRANCH) -> None:
        for one in services:
            self.hub.check(one.stem, git(one, "rev-parse", ref), state)

    def merged(self, services: list[Path], branch: str = BRANCH) -> None:
        """Squashed, as GitHub does it: a new commit on main, and the branch is deleted."""
        for one in services:
            commit = git(one, "commit-tree", f"{branch}^{{tree}}", "-p", "main", "-m", "Squashed")
            git(one, "update-ref", "refs/heads/main", commit)
            git(one, "branch", "--quiet", "-D", branch)
            self.pull(one, branch, state="MERGED")

    def pull(self, service: Path, branch: str = BRANCH, **facts: Any) -> dict[str, Any]:
        """The pull request of a branch, after a change of it."""
        repo = f"github.com/acme/{service.stem}"
        [found] = [one for one in self.hub.pulls if (one["repo"], one["headRefName"]) == (repo, branch)]
        self.hub.edit(found["number"], **facts)
        return found


@pytest.fixture
def github(tmp_path: Path, renderer: Renderer) -> OnGitHub:
    return on_github(tmp_path, fleets.make(tmp_path, renderer, {"first": 3, "rest": 2}))


def on_github(tmp_path: Path, fleet: Fleet) -> OnGitHub:
    text = fleet.file.read_text().replace(f"git: {tmp_path}/services/", "git: https://github.com/acme/")
    fleet.file.write_text(text)
    commit_all(fleet.folder, "On GitHub")
    hub = GitHub(tmp_path / "hub")
    hub.folder.mkdir()
    hub.install()
    settings = tmp_path / "gitconfig"
    settings.write_text(f'[url "{tmp_path}/services/"]\n\tinsteadOf = https://github.com/acme/\n')
    return OnGitHub(
        fleet, hub, {"GIT_CONFIG_GLOBAL": str(settings), "PATH": f"{hub.folder}:{os.environ['PATH']}", "GH_TOKEN": "x"}
    )


def test_pull_requests_and_the_way_back(github: OnGitHub) -> None:
    first, rest = map(list, github.fleet.rings.values())
    assert github.run("advance").returncode == 0
    assert [one["repo"] for one in github.hub.pulls] == [f"github.com/acme/first-0{number}" for number in (1, 2, 3)]
    pull = github.hub.pulls[0]
    assert pull["title"] == f"Update the template from v1.0.0 to {NEW}"
    assert "Risk: high" in pull["body"]
    assert f"Rollout: {NEW} of 20" in pull["body"]
    assert cases.THEIRS in git(first[0], "show", f"{BRANCH}:b.txt")
    github.run("advance")
    assert len(github.hub.pulls) == 3

    github.checked(first, "SUCCESS")
    assert "3 ready" in github.run("status").stdout
    github.merged(first)
    assert "3 merged" in github.run("advance").stdout  # the checks of main are not there yet
    github.checked(first, "PENDING", "main")
    assert "3 merged" in github.run("status").stdout
    github.checked(first, "SUCCESS", "main")
    assert "2 pending" in github.run("advance").stdout
    assert [one["repo"] for one in github.hub.pulls[3:]] == ["github.com/acme/rest-01", "github.com/acme/rest-02"]

    github.checked(rest[:1], "FAILURE")
    done = github.run("advance")
    assert done.returncode == 11
    assert "1 of 2 services of the ring rest are red (rest-01)" in done.stdout
    assert [github.pull(one)["state"] for one in rest] == ["CLOSED", "CLOSED"]
    assert all(fleets.branches(one) == ["main"] for one in rest)
    [close] = [call for call in github.hub.calls if call[:2] == ["pr", "close"] and "rest-01" in call[4]]
    assert close[6].startswith("The rollout was stopped: 1 of 2 services")
    for one in first:
        assert github.pull(one, REVERT)["title"] == f"Take the template back from {NEW} to v1.0.0"
    github.run("advance")
    assert len(github.hub.pulls) == 8
    github.merged(first, REVERT)
    assert "taken back" in github.run("advance").stdout


def test_what_a_person_closed_stays_closed(github: OnGitHub) -> None:
    github.run("advance")
    closed = github.fleet.rings["first"][0]
    github.pull(closed, state="CLOSED")
    git(closed, "branch", "--quiet", "-D", BRANCH)
    assert "1 declined" in github.run("advance").stdout
    assert len(github.hub.pulls) == 3
    assert fleets.branches(closed) == ["main"]


def test_a_pull_request_of_another_rollout_is_not_ours(github: OnGitHub) -> None:
    """A first try was taken back: its closed pull requests do not count for the second."""
    github.run("advance")
    github.run("rollback")
    assert [one["state"] for one in github.hub.pulls] == ["CLOSED"] * 3
    assert "3 pending" in github.run("advance", "--to", NEW).stdout
    assert [one["state"] for one in github.hub.pulls] == ["CLOSED"] * 3 + ["OPEN"] * 3


@pytest.mark.parametrize("where", ["first", "last"])
def test_a_pull_request_is_known_by_the_line_in_its_text(github: OnGitHub, where: str) -> None:
    """The engine writes it first; before, it was last."""
    github.run("advance")
    mark, _, text = github.hub.pulls[0]["body"].partition("\n")
    assert mark.startswith(f"Rollout: {NEW} of 20")
    if where == "last":
        github.hub.edit(1, body=f"{text.strip()}\r\n\r\n{mark}\r\n")
    assert "3 pending" in github.run("advance").stdout
    assert len(github.hub.pulls) == 3
    github.hub.edit(1, body=f"{text.strip()}\n\nSee `{mark}`\n", state="CLOSED")
    github.run("advance")
    assert len(github.hub.pulls) == 4  # that one was not the rollout's
    github.hub.edit(4, body="", state="CLOSED")
    github.hub.edit(1, body=f"{mark}\n")
    assert github.run("rollback").returncode == 11
    assert {one["state"] for one in github.hub.pulls} == {"CLOSED"}


def test_a_pull_request_that_somebody_opened_by_hand_is_the_upgrades(github: OnGitHub, tmp_path: Path) -> None:
    """With the same branch, as ``make template-propose`` does, before the ring of its service starts."""
    [service, *_] = github.fleet.rings["rest"]
    git(tmp_path, "clone", "--quiet", str(service), "by-hand")
    assert golden_path("apply", tmp_path / "by-hand").returncode == 0
    git(tmp_path / "by-hand", "push", "--quiet", "origin", BRANCH)
    github.hub.add("github.com/acme/rest-01", BRANCH, "Update the template", "By hand.\n")
    github.hub.add("github.com/acme/rest-02", "template/update-v1.9.0", "Of 0.1.0")
    github.run("advance")
    github.checked(list(github.fleet.rings["first"]), "SUCCESS")
    github.merged(list(github.fleet.rings["first"]))
    github.checked(list(github.fleet.rings["first"]), "SUCCESS", "main")
    assert "2 pending" in github.run("advance").stdout
    [mine, other] = [one for one in github.hub.pulls if one["headRefName"] == BRANCH and "rest" in one["repo"]]
    assert mine["body"] == "By hand.\n"
    assert "Contains #2, which can be closed." in other["body"]
    assert github.run("rollback").returncode == 11
    assert [one["state"] for one in (github.pull(service), github.pull(github.fleet.rings["rest"][1]))] == [
        "CLOSED"
    ] * 2


def test_a_text_above_the_limit_of_the_forge(tmp_path: Path, renderer: Renderer) -> None:
    long = "".join(f"line {number} as it was, \U0001f308\n" for number in range(1500))
    fleet = fleets.make(tmp_path, renderer, {"first": 1})
    work = tmp_path / "first"
    for name in "abcdef":  # both sides add it
        foreign.write(f"{name}.md", long.replace("it was", "we have it"))(work)
        foreign.write(f"{name}.md", long)(fleet.template / "template")
    commit_all(work, "Long")
    git(work, "push", "--quiet", str(fleet.services[0]), "HEAD:main")
    commit_all(fleet.template, "Long")
    git(fleet.template, "tag", "--force", NEW)
    github = on_github(tmp_path, fleet)
    done = github.run("advance")
    assert done.returncode == 0, done.stderr
    body = github.hub.pulls[0]["body"]
    assert 40000 < len(body) <= 65536
    assert body.startswith(f"Rollout: {NEW} of 20")
    assert body.endswith("~~~~~~\n\n... and more, in the commit's message\n")
    assert body.count("- [ ] `") == body.count("\n~~~~~~diff\n") == body.count("\n~~~~~~\n")
    assert "1 pending" in github.run("advance").stdout
    assert github.run("rollback").returncode == 11
    assert github.hub.pulls[0]["state"] == "CLOSED"


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_a_pull_request(github: OnGitHub, when: str) -> None:
    """Pushed without a pull request, or opened without the engine knowing: the next run completes it, none twice."""
    github.hub.kill_at(2, when)
    assert github.killed("advance") == -signal.SIGKILL
    second = github.fleet.rings["first"][1]
    tip = git(second, "rev-parse", BRANCH)
    assert len(github.hub.pulls) == (1 if when == "before" else 2)
    assert github.run("advance").returncode == 0
    assert sorted(one["repo"][-8:] for one in github.hub.pulls) == ["first-01", "first-02", "first-03"]
    assert git(second, "rev-parse", BRANCH) == tip


def test_gh_that_fails_or_is_missing_is_one_line_a_service(github: OnGitHub) -> None:
    (github.hub.folder / "gh").write_text("#!/bin/sh\necho 'HTTP 401: Bad credentials' >&2\nexit 1\n")
    done = github.run("advance")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"golden-path: first-0{number}: gh pr list: HTTP 401: Bad credentials" for number in (1, 2, 3)
    ]
    (github.hub.folder / "gh").unlink()
    tools = github.hub.folder / "tools"
    tools.mkdir()
    for name in ("git", "sh"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    github.env["PATH"] = str(tools)
    assert "first-01: gh is missing: install GitHub's program" in github.run("advance").stderr
