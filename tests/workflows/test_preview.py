"""preview.yml: a labelled pull request gets an image and a branch, and both go by their digest."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.labs import template as lab
from tests.labs.workflows.lab import Lab
from tests.labs.workflows.log import Result
from tests.labs.workflows.recorders import Answer, Recorder
from tests.workflows.conftest import SECRETS, VARIABLES, Release

pytestmark = [pytest.mark.images, pytest.mark.only("go")]

BRANCH = "preview/pr-7"
JOBS = ("publish", "remove", "expire")


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


def results(result: Result) -> dict[str, str]:
    return {job: result.result(job) for job in JOBS}


def branches(result: Result) -> list[str]:
    return lab.git(result.remotes / "acme/go-orders", "branch", "--format=%(refname:short)").split()


def test_label_on_then_off(runner: Lab, release: Release) -> None:
    shown = run(runner, release, pull_request(release, "labeled", label={"name": "preview"}))
    assert results(shown) == {"publish": "success", "remove": "skipped", "expire": "skipped"}, shown.stdout[-4000:]
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
        assert results(gone) == {"publish": "skipped", "remove": "success", "expire": "skipped"}
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


def test_what_nobody_touches_expires(runner: Lab, release: Release) -> None:
    for number in (7, 8):
        lab.git(release.folder, "branch", f"preview/pr-{number}")
    now = datetime.now(UTC)
    listed = [
        {"number": 7, "updatedAt": (now - timedelta(days=8)).isoformat().replace("+00:00", "Z")},
        {"number": 8, "updatedAt": (now - timedelta(days=6)).isoformat().replace("+00:00", "Z")},
    ]
    gh = Recorder((Answer("^pr list", stdout=json.dumps(listed)),))
    result = run(runner, release, {}, gh)
    assert results(result) == {"publish": "skipped", "remove": "skipped", "expire": "success"}, result.stdout[-4000:]
    assert branches(result) == ["main", "preview/pr-8"]
    assert [call.arguments for call in result.called("gh")][1:] == [("pr", "edit", "7", "--remove-label", "preview")]
