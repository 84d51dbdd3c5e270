"""deployment-events.yml: what a merge deploys or rolls back arrives at the receiver as an event."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.labs import events
from tests.labs import template as lab
from tests.labs.peers import Answer, Peer
from tests.labs.service import make
from tests.labs.workflows.lab import Lab
from tests.labs.workflows.log import Result

IMAGE = "ghcr.io/acme/orders@sha256:"
TOKEN = "token-of-the-receiver"


@pytest.fixture
def service(template: Path, tmp_path: Path) -> Path:
    """A service with two releases in its history; its language does not matter."""
    folder = lab.render(template, tmp_path / "orders", {"service_name": "orders"})
    lab.commit_all(folder)
    lab.git(folder, "tag", "v1")
    (folder / "NOTES").write_text("second\n")
    lab.commit_all(folder, "Second")
    lab.git(folder, "tag", "v2")
    return folder


def release(folder: Path, digit: str, version: str) -> str:
    """Put an image into staging; return the commit before."""
    before = lab.git(folder, "rev-parse", "HEAD")
    done = make(folder, "go", "promote", "TO=staging", f"IMAGE_REF={IMAGE}{digit * 64}", f"VERSION={version}")
    assert done.returncode == 0, done.stdout
    lab.commit_all(folder, f"Release {version} to staging")
    return before


def run(runner: Lab, folder: Path, before: str, peer: Peer | None = None) -> Result:
    payload = {"repository": {"full_name": "acme/orders"}, "before": before}
    variables = {"CDEVENTS_URL": peer.url} if peer else {}
    return runner.run(
        folder, "push", payload, "deployment-events.yml", secrets={"CDEVENTS_TOKEN": TOKEN}, variables=variables
    )


def received(peer: Peer) -> list[dict[str, Any]]:
    found = [json.loads(request.body) for request in peer.requests]
    assert [events.problem(event, "0.5.1") for event in found] == [""] * len(found)
    return found


def test_a_deployment_and_a_rollback_are_sent(runner: Lab, service: Path) -> None:
    with Peer(lambda _: Answer(202)) as peer:
        for digit, version in (("a", "v1"), ("b", "v2"), ("a", "v1")):
            result = run(runner, service, release(service, digit, version), peer)
            assert result.code == 0, result.stdout[-5000:]
    sent = [(event["type"].split(".")[3], event["data"]["customData"]) for event in received(peer)]
    assert [(kind, data["image"], data.get("revision")) for kind, data in sent] == [
        ("deployed", f"{IMAGE}{'a' * 64}", lab.git(service, "rev-parse", "v1")),
        ("deployed", f"{IMAGE}{'b' * 64}", lab.git(service, "rev-parse", "v2")),
        ("rolledback", f"{IMAGE}{'a' * 64}", None),
    ]
    assert {request.headers["authorization"] for request in peer.requests} == {f"Bearer {TOKEN}"}


def test_a_promotion_is_of_its_environment(runner: Lab, service: Path) -> None:
    release(service, "a", "v1")
    before = lab.git(service, "rev-parse", "HEAD")
    assert make(service, "go", "promote", "FROM=staging", "TO=production").returncode == 0
    lab.commit_all(service, "Release v1 to production")
    with Peer(lambda _: Answer(202)) as peer:
        assert run(runner, service, before, peer).code == 0
    [event] = received(peer)
    assert event["data"]["subject"]["content"]["environment"] == {"id": "production"}


def test_without_a_receiver_it_is_green_and_says_how_to_set_it(runner: Lab, service: Path) -> None:
    result = run(runner, service, release(service, "a", "v1"))
    assert result.code == 0, result.stdout[-5000:]
    assert "gh variable set CDEVENTS_URL --repo acme/orders" in result.jobs["record"].summary


def test_the_first_push_records_nothing_and_is_green(runner: Lab, service: Path) -> None:
    with Peer(lambda _: Answer(202)) as peer:
        result = run(runner, service, "0" * 40, peer)
    assert (result.code, peer.requests) == (0, [])
    assert "No environment runs another image than before." in result.jobs["record"].summary


@pytest.mark.parametrize(
    ("status", "version", "said"),
    [
        (400, "v1", r"not sent: http://127\.0\.0\.1:\d+ answers 400"),
        (202, "v9", "FAIL  deployments: git does not know the version 'v9' of staging: record it by make deploy-event"),
    ],
)
def test_what_is_not_recorded_is_red_and_says_why(
    runner: Lab, service: Path, status: int, version: str, said: str
) -> None:
    with Peer(lambda _: Answer(status)) as peer:
        result = run(runner, service, release(service, "a", version), peer)
    assert result.result("record") == "failure"
    assert re.search(said, result.jobs["record"].output)
