"""promote.yml while the error budget is spent: nothing new is offered to production, unless somebody says why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.labs import template as lab
from tests.labs.peers import Answer, Peer
from tests.labs.workflows.endings import Ended
from tests.labs.workflows.lab import Lab
from tests.labs.workflows.log import Result
from tests.workflows.conftest import GITHUB, SECRETS, VARIABLES, edit, pushed_diff

IMAGE = "ghcr.io/acme/orders"
ONE, TWO = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
STAGING, PRODUCTION = (f"deploy/releases/{name}/kustomization.yaml" for name in ("staging", "production"))
TOKEN = "token-of-prometheus"
LEFT = {"availability": "-1", "latency": "1"}
RESULT = [{"metric": {"objective": name}, "value": [0, share]} for name, share in LEFT.items()]
SPENT = Answer(body=json.dumps({"status": "success", "data": {"result": RESULT}}).encode())
SAID = "the error budget of orders-production is spent (left of 30 days: availability -100.0%, latency 100.0%)"


@pytest.fixture
def service(template: Path, tmp_path: Path) -> Path:
    """A service whose production runs v1, while staging has v2; its language does not matter."""
    folder = lab.render(template, tmp_path / "orders", {"service_name": "orders"})
    lab.commit_all(folder)
    lab.git(folder, "tag", "v1")
    release(folder, ONE, "v1", STAGING, PRODUCTION)
    lab.git(folder, "tag", "v2")
    release(folder, TWO, "v2", STAGING)
    return folder


def release(folder: Path, digest: str, version: str, *files: str) -> None:
    for file in files:
        edit(folder, file, r"sha256:[0-9a-f]{64} # .*$", f"{digest} # {version}")


def run(runner: Lab, folder: Path, peer: Peer, image: str, *, inputs: dict[str, str] | None = None) -> Result:
    """Run it for a push, or with inputs as somebody who starts it by hand; the image was verified."""
    payload: dict[str, Any] = {"repository": {"full_name": "acme/orders"}}
    return runner.run(
        folder, "push" if inputs is None else "workflow_dispatch",
        payload if inputs is None else {**payload, "inputs": inputs}, "promote.yml",
        ended={"verify": Ended("success", {"image": f"{IMAGE}@{image}"})}, recorders={"gh": GITHUB},
        secrets={**SECRETS, "PROMETHEUS_TOKEN": TOKEN}, variables={**VARIABLES, "PROMETHEUS_URL": peer.url},
    )  # fmt: skip


def body(result: Result) -> str:
    """Return what the pull request says that was opened."""
    [created] = [call for call in result.called("gh") if call.arguments[:2] == ("pr", "create")]
    return created.arguments[created.arguments.index("--body") + 1]


def message(result: Result) -> str:
    return lab.git(result.remotes / "acme/orders", "log", "-1", "--format=%B", "release/production")


def test_a_frozen_production_is_offered_nothing(runner: Lab, service: Path) -> None:
    with Peer(lambda _: SPENT) as peer:
        result = run(runner, service, peer, TWO)
    assert [request.headers["authorization"] for request in peer.requests] == [f"Bearer {TOKEN}"]
    assert result.result("promote") == "failure"
    assert f"FAIL  promote: {SAID}" in result.jobs["promote"].output
    assert f"Deploy freeze: {SAID}" in result.jobs["promote"].summary
    assert not result.called("gh")
    assert lab.git(result.remotes / "acme/orders", "branch", "--list", "release/*") == ""


def test_a_reason_is_recorded_and_lets_it_go(runner: Lab, service: Path) -> None:
    """The reason is text, whatever it says: no script and no shell sees it."""
    reason = 'fix of INC-7"; $(touch stolen) `touch stolen` ${{ github.token }}'
    with Peer(lambda _: SPENT) as peer:
        result = run(runner, service, peer, TWO, inputs={"freeze_override": reason})
    assert result.code == 0, result.stdout[-5000:]
    line = f"Deploy freeze overridden: {reason} ({SAID})"
    assert message(result) == f"Release v2 to production\n\n{line}"
    assert body(result).endswith(f"- {line}\n")
    assert line in result.jobs["promote"].summary
    changed = (PRODUCTION, f"    digest: {ONE} # v1", f"    digest: {TWO} # v2")
    assert pushed_diff(result, "acme/orders", "release/production") == changed


def test_what_is_left_is_recorded_too(runner: Lab, service: Path) -> None:
    """Started by hand, with the input left empty."""
    with Peer(lambda _: Answer(body=SPENT.body.replace(b"-1", b"0.25"))) as peer:
        result = run(runner, service, peer, TWO, inputs={"freeze_override": ""})
    assert result.code == 0, result.stdout[-5000:]
    line = "Deploy freeze: error budget left of 30 days: availability 25.0%, latency 100.0%"
    assert (message(result), body(result).splitlines()[-1]) == (f"Release v2 to production\n\n{line}", f"- {line}")


def test_going_back_is_offered_to_a_frozen_production(runner: Lab, service: Path) -> None:
    """The runner's checkout has what production ran before, and which version is older."""
    release(service, TWO, "v2", PRODUCTION)
    release(service, ONE, "v1", STAGING)
    with Peer(lambda _: SPENT) as peer:
        result = run(runner, service, peer, ONE)
    assert result.code == 0, result.stdout[-5000:]
    assert "Deploy freeze: not asked, since this goes back to v1, which ran there before" in body(result)
    assert peer.requests == []
