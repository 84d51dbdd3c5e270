"""preview.yml: a labelled pull request gets an image and a branch, which go when it ends, however it ends."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from golden_path.service.preview import FILE
from golden_path.service.promote import NAME
from tests.labs import template as lab
from tests.labs.workflows.endings import Ended
from tests.labs.workflows.lab import Lab
from tests.labs.workflows.log import Result
from tests.labs.workflows.recorders import Answer, Recorder
from tests.workflows.conftest import SECRETS, VARIABLES, Release

pytestmark = [pytest.mark.images, pytest.mark.only("go")]

BRANCH = "preview/pr-7"
JOBS = ("image", "publish", "remove", "sweep")
NONE = dict.fromkeys(JOBS, "skipped")


def run(runner: Lab, release: Release, payload: dict[str, Any], gh: Recorder | None = None, **more: Any) -> Result:
    event = "pull_request" if "pull_request" in payload else "schedule"
    payload = {"repository": {"full_name": "acme/go-orders"}, **payload}
    given = {"secrets": SECRETS, "variables": VARIABLES, **more}
    return runner.run(
        release.folder, event, payload, "preview.yml", env=release.env, recorders={"gh": gh or Recorder()}, **given
    )


def pull_request(
    release: Release, action: str, *, labels: tuple[str, ...] = ("preview",), **more: Any
) -> dict[str, Any]:
    state = "closed" if action == "closed" else "open"
    head = {"sha": lab.git(release.folder, "rev-parse", "HEAD"), "repo": {"full_name": "acme/go-orders"}}
    request = {"number": 7, "state": state, "labels": [{"name": name} for name in labels], "head": head}
    return {"action": action, "number": 7, "pull_request": request, **more}


def view(release: Release, *, state: str = "OPEN", labels: tuple[str, ...] = ("preview",), head: str = "") -> Answer:
    """Return what GitHub knows of the pull request when its image is built."""
    known = {
        "state": state,
        "labels": [{"name": name} for name in labels],
        "headRefOid": head or lab.git(release.folder, "rev-parse", "HEAD"),
    }
    return Answer("^pr view 7 ", stdout=json.dumps(known))


def results(result: Result) -> dict[str, str]:
    return {job: result.result(job) for job in JOBS}


def branches(result: Result) -> list[str]:
    return lab.git(result.remotes / "acme/go-orders", "branch", "--format=%(refname:short)").split()


def test_label_on_then_off(runner: Lab, release: Release) -> None:
    labeled = pull_request(release, "labeled", label={"name": "preview"})
    shown = run(runner, release, labeled, Recorder((view(release),), env=("GH_TOKEN",)))
    assert results(shown) == {**NONE, "image": "success", "publish": "success"}, shown.stdout[-4000:]
    # The token of the app is made where nothing of the pull request was built.
    assert [call.job for call in shown.called("actions/create-github-app-token")] == ["publish"]
    assert {call.job for call in shown.called("gh")} == {"publish"}
    remote = shown.remotes / "acme/go-orders"
    text = lab.git(remote, "show", f"{BRANCH}:deploy/releases/preview/kustomization.yaml")
    [digest] = re.findall(r"^    digest: (sha256:[0-9a-f]{64}) # pr-7$", text, re.MULTILINE)
    [name] = re.findall(r"^    newName: (\S+)$", text, re.MULTILINE)
    subprocess.run(["crane", "manifest", f"{name}@{digest}"], env=release.env, check=True, capture_output=True)
    # What is deployed is the pull request's own head and that one file.
    assert lab.git(remote, "rev-parse", f"{BRANCH}^") == lab.git(release.folder, "rev-parse", "HEAD")

    lab.git(release.folder, "fetch", "--quiet", str(remote), f"{BRANCH}:{BRANCH}")
    for payload in (
        pull_request(release, "unlabeled", labels=(), label={"name": "preview"}),
        pull_request(release, "closed"),
    ):
        gone = run(runner, release, payload)
        assert results(gone) == {**NONE, "remove": "success"}
        assert branches(gone) == ["main"]


@pytest.mark.parametrize(
    ("action", "labels", "label"),
    [("labeled", ("bug",), "bug"), ("synchronize", (), None), ("labeled", ("bug", "preview"), "bug"),
     ("unlabeled", ("preview",), "bug")],
)  # fmt: skip
def test_other_labels_do_nothing(
    runner: Lab, release: Release, action: str, labels: tuple[str, ...], label: str | None
) -> None:
    more = {"label": {"name": label}} if label else {}
    assert set(results(run(runner, release, pull_request(release, action, labels=labels, **more))).values()) == {
        "skipped"
    }


def test_a_fork_gets_none(runner: Lab, release: Release) -> None:
    payload = pull_request(release, "labeled", label={"name": "preview"})
    payload["pull_request"]["head"]["repo"] = {"full_name": "mallory/go-orders"}
    assert set(results(run(runner, release, payload)).values()) == {"skipped"}


def test_without_an_app_it_says_what_to_set(runner: Lab, release: Release) -> None:
    payload = pull_request(release, "labeled", label={"name": "preview"})
    result = run(runner, release, payload, secrets={}, variables={})
    assert result.code == 0
    assert set(results(result).values()) == {"skipped"}
    assert "gh secret set AUTOMATION_APP_KEY" in result.jobs["configuration"].summary


def test_of_three_labels_at_once_the_right_one_builds(runner: Lab, release: Release) -> None:
    """GitHub sends an event each, and of a group keeps the last that waits: only what does something is in one."""
    labels = ("bug", "preview", "docs")
    builder = "docker/setup-buildx-action"  # the job that builds begins with it, and needs no more here
    ended = {}
    for name in labels:
        labeled = pull_request(release, "labeled", labels=labels, label={"name": name})
        ended[name] = results(run(runner, release, labeled, fails=[builder]))
    assert ended == {"bug": NONE, "preview": {**NONE, "image": "failure"}, "docs": NONE}


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"state": "CLOSED"}, "pull request 7 has ended, or lost its label, while the image was built"),
        ({"labels": ("bug",)}, "pull request 7 has ended, or lost its label, while the image was built"),
        ({"head": "1" * 40}, "pull request 7 has a newer one"),
    ],
)
def test_what_the_pull_request_is_no_more_is_not_shown(
    runner: Lab, release: Release, known: dict[str, Any], said: str
) -> None:
    image = f"{NAME.findall((release.folder / FILE).read_text())[-1]}@sha256:{'1' * 64}"
    result = run(
        runner, release, pull_request(release, "synchronize"), Recorder((view(release, **known),)),
        ended={"image": Ended("success", {"ref": image})},
    )  # fmt: skip
    assert result.result("publish") == "success", result.stdout[-4000:]
    assert said in result.jobs["publish"].summary
    assert branches(result) == ["main"]


def days_ago(number: int, days: int) -> dict[str, Any]:
    touched = datetime.now(UTC) - timedelta(days=days)
    return {"number": number, "updatedAt": touched.isoformat().replace("+00:00", "Z")}


def test_what_is_left_is_swept(runner: Lab, release: Release) -> None:
    """7 is stale; 8 is shown; 9 and 10 ended, or lost the label, without a run of the workflow."""
    others = ["preview/pr-9x", "preview/shared", "previews/pr-9"]
    for name in (*(f"preview/pr-{number}" for number in (7, 8, 9, 10)), *others):
        lab.git(release.folder, "branch", name)
    gh = Recorder((Answer("^pr list", stdout=json.dumps([days_ago(7, 8), days_ago(8, 6), days_ago(6, 9)])),))
    result = run(runner, release, {}, gh)
    assert results(result) == {**NONE, "sweep": "success"}, result.stdout[-4000:]
    assert branches(result) == ["main", "preview/pr-8", *others]
    assert [call.arguments for call in result.called("gh")][1:] == [
        ("pr", "edit", number, "--remove-label", "preview") for number in ("6", "7")
    ]


def test_one_that_cannot_be_removed_keeps_none_of_the_others(runner: Lab, release: Release) -> None:
    for number in (7, 9):
        lab.git(release.folder, "branch", f"preview/pr-{number}")
    gh = Recorder((Answer("^pr list", stdout=json.dumps([days_ago(7, 8)])), Answer("^pr edit", code=1)))
    result = run(runner, release, {}, gh)
    assert result.result("sweep") == "failure"
    assert "FAIL  preview: gh pr edit" in result.jobs["sweep"].output
    assert branches(result) == ["main"]


@pytest.mark.parametrize(
    "listed", [Answer("^pr list", code=1), Answer("^pr list", stdout=json.dumps([days_ago(n, 0) for n in range(1000)]))]
)
def test_nothing_is_swept_without_knowing_all(runner: Lab, release: Release, listed: Answer) -> None:
    lab.git(release.folder, "branch", "preview/pr-1001")
    result = run(runner, release, {}, Recorder((listed,)))
    assert result.result("sweep") == "failure"
    assert branches(result) == ["main", "preview/pr-1001"]
