"""The verbs that talk to a Pact broker: the real `pact` CLI against a stand-in for the broker's API.

No broker server can be had from the package registries, so a real broker is unproven here. The stand-in answers the
requests of the CLI with documents in the form of the broker's HAL API.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests.labs import template as lab
from tests.labs.broker import SERVICE, Broker
from tests.labs.service import free_port, make


@pytest.fixture(scope="module")
def folder(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service with its shared tools; its language does not matter."""
    folder = lab.render(template, tmp_path_factory.mktemp("broker") / SERVICE, {"upstream": "inventory"})
    lab.commit_all(folder)
    assert make(folder, "go", "setup-tools", env={"CI": "true"}).returncode == 0
    return folder


def verb(folder: Path, *arguments: str, url: str = "") -> tuple[int, str]:
    env = {"CI": "true", "PACT_BROKER_HTTP_RETRIES": "0"} | ({"PACT_BROKER_BASE_URL": url} if url else {})
    done = make(folder, "go", *arguments, "VERSION=1", env=env, timeout=120)
    return done.returncode, done.stdout


@pytest.mark.parametrize("name", ["contract-publish", "can-i-deploy", "record-deployment"])
def test_without_a_broker_it_says_so(folder: Path, name: str) -> None:
    code, output = verb(folder, name, "ENVIRONMENT=staging")
    assert code == 0
    assert "no Pact broker is configured; set PACT_BROKER_BASE_URL" in output


def test_publish_sends_the_contracts(folder: Path) -> None:
    consumed = folder / "contracts" / "consumed"
    consumed.mkdir(exist_ok=True)
    contract = json.loads((folder / "contracts" / "provided" / "example-consumer.json").read_text())
    (consumed / "orders-inventory.json").write_text(json.dumps(contract))
    with Broker() as broker:
        code, output = verb(folder, "contract-publish", url=broker.url)
        assert code == 0, output
        sent = json.loads(next(request.body for request in broker.requests if request.method == "POST"))
    assert (sent["pacticipantVersionNumber"], sent["branch"]) == ("1", "main")
    assert json.loads(base64.b64decode(sent["contracts"][0]["content"]))["interactions"]


def test_publish_without_contracts_says_so(template: Path, tmp_path: Path, folder: Path) -> None:
    empty = lab.render(template, tmp_path / "empty", {})
    (empty / ".tools").symlink_to(folder / ".tools")
    with Broker() as broker:
        code, output = verb(empty, "contract-publish", url=broker.url)
    assert (code, "contracts/consumed is empty" in output) == (0, True), output


def test_deployable(folder: Path) -> None:
    with Broker(deployable=True) as broker:
        code, output = verb(folder, "can-i-deploy", "ENVIRONMENT=staging", url=broker.url)
        assert code == 0, output
        assert "orders 1 fits what is in staging" in output
        question = next(request.path for request in broker.requests if request.path.startswith("/matrix"))
    assert "pacticipant]=orders" in question
    assert "environment=staging" in question


def test_not_deployable(folder: Path) -> None:
    with Broker(deployed=True) as broker:
        code, output = verb(folder, "can-i-deploy", "ENVIRONMENT=staging", url=broker.url)
    assert code != 0
    assert "orders 1 may not go to staging: it does not fit" in output


def test_first_deployment_does_not_deadlock(folder: Path) -> None:
    with Broker() as broker:
        code, output = verb(folder, "can-i-deploy", "ENVIRONMENT=staging", url=broker.url)
    assert code == 0, output
    assert "was never deployed to staging" in output


def test_first_deployment_that_was_seen_to_fail_is_stopped(folder: Path) -> None:
    with Broker(failed=1) as broker:
        code, output = verb(folder, "can-i-deploy", "ENVIRONMENT=staging", url=broker.url)
    assert code != 0
    assert "may not go to staging" in output


def test_unreachable_broker_is_no_permission(folder: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    code, output = verb(folder, "can-i-deploy", "ENVIRONMENT=staging", url=url)
    assert code != 0
    assert "can-i-deploy: the broker did not do it" in output


def test_unknown_environment_and_none(folder: Path) -> None:
    with Broker() as broker:
        code, output = verb(folder, "can-i-deploy", "ENVIRONMENT=moon", url=broker.url)
        assert code != 0
        assert "'moon' not found" in output
        code, output = verb(folder, "can-i-deploy", url=broker.url)
        assert code != 0
        assert "which environment? For example: make can-i-deploy ENVIRONMENT=staging" in output
