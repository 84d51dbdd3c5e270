"""The verbs that talk to a Pact broker: the real `pact` CLI against a stand-in for the broker's API.

No broker server can be had from the package registries, so a real broker is unproven here. The stand-in answers the
requests of the CLI with documents in the form of the broker's HAL API.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from golden_path.service import version
from tests.labs import template as lab
from tests.labs.broker import SERVICE, Broker, Result
from tests.labs.peers import Answer, Peer
from tests.labs.service import free_port, make


@pytest.fixture(scope="module")
def folder(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service with its shared tools; its language does not matter."""
    folder = lab.render(template, tmp_path_factory.mktemp("broker") / SERVICE, {"upstream": "inventory"})
    lab.commit_all(folder)
    assert make(folder, "go", "setup-tools", env={"CI": "true"}).returncode == 0
    return folder


def verb(folder: Path, *arguments: str, url: str = "", version: str = "1", **more: str) -> tuple[int, str]:
    """Run a verb as a job does; return its exit code and what it prints."""
    env = {"CI": "true", "PACT_BROKER_HTTP_RETRIES": "0", **more} | ({"PACT_BROKER_BASE_URL": url} if url else {})
    done = make(folder, "go", "--silent", *arguments, f"VERSION={version}", env=env, timeout=120)
    return done.returncode, done.stdout


@pytest.fixture
def service(folder: Path, tmp_path: Path) -> Path:
    """A copy of it, with files as old as those of the original: nothing is installed anew."""
    copy = shutil.copytree(folder, tmp_path / SERVICE, symlinks=True, ignore=shutil.ignore_patterns(".tools"))
    (copy / ".tools").symlink_to(folder / ".tools")
    return copy


@pytest.mark.parametrize(
    "name", ["contract-fetch", "contract-publish", "can-i-deploy", "record-deployment", "record-deployments"]
)
def test_without_a_broker_it_says_so(folder: Path, name: str) -> None:
    code, output = verb(folder, name, "ENVIRONMENT=staging")
    assert code == 0
    assert "configured; set PACT_BROKER_BASE_URL and PACT_BROKER_TOKEN" in output


def contract(folder: Path, consumer: str = "web") -> dict[str, Any]:
    """Return a contract that the answer of ``provider`` keeps."""
    found: dict[str, Any] = json.loads((folder / "contracts/provided/example-consumer.json").read_text())
    found["interactions"] = [one for one in found["interactions"] if "not exist" in one["description"]]
    return {**found, "consumer": {"name": consumer}}


def provider() -> Peer:
    return Peer(lambda _: Answer(404, b'{"status": 404}', "application/problem+json"))


def verified(folder: Path, results: dict[str, bool]) -> None:
    """Leave what `make contract` would."""
    (folder / "build/contracts").mkdir(parents=True, exist_ok=True)
    lines = [f"{name} {str(success).lower()}\n" for name, success in results.items()]
    (folder / "build/contracts/results").write_text("".join(lines))


def test_publish_sends_the_contracts(service: Path) -> None:
    consumed = service / "contracts/consumed"
    consumed.mkdir()
    (consumed / "orders-inventory.json").write_text(json.dumps(contract(service)))
    with Broker() as broker:
        code, output = verb(service, "contract-publish", url=broker.url)
        assert code == 0, output
        lab.git(service, "checkout", "--quiet", "--detach")
        code, output = verb(service, "contract-publish", url=broker.url, BRANCH="topic/7")
        assert code == 0, output
        code, output = verb(service, "contract-publish", url=broker.url)
        assert code != 0
        assert "no branch is checked out: set BRANCH to the one that this version is of" in output
    sent = [(one["pacticipantVersionNumber"], one["branch"]) for one in broker.published]
    assert sent == [("1", "main"), ("1", "topic/7")]
    assert json.loads(base64.b64decode(broker.published[0]["contracts"][0]["content"]))["interactions"]


def test_publish_without_contracts_says_so(service: Path) -> None:
    with Broker() as broker:
        code, output = verb(service, "contract-publish", url=broker.url)
    assert (code, "there are no contracts/consumed and no results" in output) == (0, True), output


def test_results_are_sent_as_the_verifier_sends_them(service: Path) -> None:
    """The real `pact verifier` fetches and publishes in one process; here two jobs do, and the broker sees the same."""
    pacts = {"web": contract(service), "app": contract(service, "app")}
    with Broker(contracts=pacts, pending=["app"]) as theirs, provider() as running:
        pact = [str(service / ".tools/python/bin/pact"), "verifier", "--hostname", "127.0.0.1",
                "--port", str(running.port), "--provider-name", SERVICE, "--broker-url", theirs.url, "--enable-pending",
                "--consumer-version-selectors", '{"deployedOrReleased":true}',
                "--consumer-version-selectors", '{"mainBranch":true}',
                "--publish", "--provider-version", "1", "--provider-branch", "main"]  # fmt: skip
        subprocess.run(pact, check=True, capture_output=True, env={"PACT_DO_NOT_TRACK": "true"})
    with Broker(contracts=pacts, pending=["app"], token="hunter2") as ours:
        code, output = verb(service, "contract-fetch", url=ours.url, PACT_BROKER_TOKEN="hunter2")
        assert code == 0, output
        verified(service, {"0-web.json": True, "1-app.pending.json": True})
        code, output = verb(service, "contract-publish", url=ours.url, PACT_BROKER_TOKEN="hunter2")
        assert code == 0, output
    assert ours.results == theirs.results == [Result("web", "1", True), Result("app", "1", True)]
    assert ours.branches == theirs.branches == {"1": "main"}
    asked = [
        [json.loads(one.body) for one in broker.requests if one.method == "POST" and "for-verification" in one.path]
        for broker in (ours, theirs)
    ]
    assert asked[0] == asked[1]
    assert len(asked[0]) == 1


@pytest.mark.parametrize("results", [{"0-web.json": False}, {}])
def test_what_is_not_kept_is_published_too(service: Path, results: dict[str, bool]) -> None:
    with Broker(contracts={"web": contract(service)}) as broker:
        code, output = verb(service, "contract-fetch", url=broker.url)
        assert code == 0, output
        verified(service, results)
        code, output = verb(service, "contract-publish", url=broker.url)
        assert code == 0, output
    assert broker.results == [Result("web", "1", success) for success in results.values()]


def test_only_what_the_job_before_left_is_published(service: Path) -> None:
    """Of the contracts that were fetched and the results that were packed; no result of what nobody fetched."""
    with Broker(contracts={"web": contract(service)}) as broker:
        code, fetched = verb(service, "contract-fetch", url=broker.url)
        verified(service, {"0-web.json": True})
        code, packed = verb(service, "contract-pack")
        [pacts, found] = [text.partition("sha256=")[2].strip() for text in (fetched, packed)]
        sums = {"PACTS_SHA256": pacts, "CONTRACTS_SHA256": found}
        for change in ("build/broker/index.json", "build/contracts/results", "build/contracts/consumed/evil.json"):
            (service / "build/contracts/consumed").mkdir(exist_ok=True)
            file = service / change
            before = file.read_bytes() if file.exists() else None
            file.write_bytes((before or b"{}") + b"\n")
            code, output = verb(service, "contract-publish", url=broker.url, **sums)
            assert code != 0, change
            assert f"{'/'.join(change.split('/')[:2])} is not what the job before has left" in output
            file.write_bytes(before) if before is not None else file.unlink()
        assert broker.results == []
        code, output = verb(service, "contract-publish", url=broker.url, **sums)
        assert (code, broker.results) == (0, [Result("web", "1", True)]), output
        verified(service, {"7-other.json": True})
        code, output = verb(service, "contract-publish", url=broker.url)
    assert code != 0
    assert "has a result of no contract that was fetched: '7-other.json true'" in output


def test_the_token_goes_to_the_broker_only(service: Path) -> None:
    """A broker that names another address is asked nothing there."""
    with Broker(contracts={"web": contract(service)}, token="hunter2") as broker, provider() as other:
        broker.url = other.url
        address = f"http://127.0.0.1:{broker.port}"
        code, output = verb(service, "contract-fetch", url=address, PACT_BROKER_TOKEN="hunter2")
    assert code != 0
    assert "the broker names another address: is PACT_BROKER_BASE_URL what it calls itself?" in output
    assert other.requests == []


def test_deployable(service: Path) -> None:
    with Broker(there={"staging": ["web"]}) as broker:
        broker.results.append(Result("web", "1", True))
        code, output = verb(service, "can-i-deploy", "ENVIRONMENT=staging", url=broker.url)
    assert code == 0, output
    assert "orders 1 fits what is in staging" in output


@pytest.mark.parametrize("deployed", [[], ["staging"]])
def test_what_breaks_a_consumer_is_not_deployable(service: Path, deployed: list[str]) -> None:
    """The first time, too; and it says whose contract, and of which version."""
    with Broker(there={"staging": ["web", "app"]}, deployed=deployed) as broker:
        broker.results += [Result("web", "1", True), Result("app", "1", False)]
        code, output = verb(service, "can-i-deploy", "ENVIRONMENT=staging", url=broker.url)
    assert code != 0
    assert "orders 1 may not go to staging: it breaks the contract of app 5\n" in output


def test_what_nobody_verified_is_not_deployable(service: Path) -> None:
    with Broker(there={"staging": ["web"]}, deployed=["staging"]) as broker:
        code, output = verb(service, "can-i-deploy", "ENVIRONMENT=staging", url=broker.url)
    assert code != 0
    assert "orders 1 may not go to staging: its contract with web 5 is not verified" in output


def test_first_deployment_does_not_deadlock(service: Path) -> None:
    with Broker(there={"staging": ["web"]}) as broker:
        code, output = verb(service, "can-i-deploy", "ENVIRONMENT=staging", url=broker.url)
    assert code == 0, output
    assert "was never deployed to staging" in output


def test_it_waits_for_results_that_are_on_their_way(service: Path) -> None:
    """The job of ci.yml that publishes them runs at the same time as the release."""
    with Broker(there={"staging": ["web"]}, deployed=["staging"]) as broker:
        broker.coming = [Result("web", "1", True)]
        code, output = verb(service, "can-i-deploy", "ENVIRONMENT=staging", url=broker.url, CONTRACTS_WAIT="60")
        assert code == 0, output
        code, output = verb(service, "can-i-deploy", "ENVIRONMENT=staging", url=broker.url, CONTRACTS_WAIT="soon")
    assert code != 0
    assert "CONTRACTS_WAIT must be seconds to wait for results, not 'soon'" in output


def test_unreachable_broker_is_no_permission(service: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    code, output = verb(service, "can-i-deploy", "ENVIRONMENT=staging", url=url)
    assert code != 0
    assert "can-i-deploy: the broker did not do it" in output
    code, output = verb(service, "contract-fetch", url=url)
    assert code != 0
    assert f"contracts: the broker did not do it: {url} cannot be reached" in output


def test_unknown_environment_and_none(service: Path) -> None:
    with Broker() as broker:
        code, output = verb(service, "can-i-deploy", "ENVIRONMENT=moon", url=broker.url)
        assert code != 0
        assert "'moon' not found" in output
        code, output = verb(service, "can-i-deploy", url=broker.url)
        assert code != 0
        assert "which environment? For example: make can-i-deploy ENVIRONMENT=staging" in output
        code, output = verb(service, "can-i-deploy", "ENVIRONMENT=staging", url=broker.url, version="")
        assert code != 0
        assert "which version? set VERSION to what git calls it" in output


# Names that git takes for tags; in the broker's URLs they must be one part of a path that no proxy reads otherwise.
VERSIONS = ["v1.2.3", "v1.2.3+build.5", "release/1.2", "v1%2F2", "latest", "-v1", "ö1"]


@pytest.mark.parametrize("name", VERSIONS)
def test_a_version_arrives_through_a_proxy(service: Path, name: str) -> None:
    """Of the real CLI's requests, before which a proxy decodes the path, as nginx does with proxy_pass and a path."""
    with Broker(contracts={"web": contract(service)}, there={"staging": ["web"]}, decoding=True) as broker:
        broker.results.append(Result("web", version.pact(name), True))
        for arguments in (("can-i-deploy",), ("record-deployment",)):
            code, output = verb(service, *arguments, "ENVIRONMENT=staging", url=broker.url, version=name)
            assert code == 0, output
            assert "warn" not in output
    assert broker.running == {"staging": version.pact(name)}
    assert quote(version.pact(name), safe="") == version.pact(name)


def test_as_git_has_it_some_would_not_arrive(service: Path) -> None:
    """The proxy of the test above is one: with the version as it is, another would be recorded, or none."""
    lost = []
    pact = str(service / ".tools/python/bin/pact")
    for name in VERSIONS:
        with Broker(decoding=True) as broker:
            what = ("--pacticipant", SERVICE, "--version", name, "--environment", "staging")
            env = {"PACT_BROKER_BASE_URL": broker.url, "PACT_BROKER_HTTP_RETRIES": "0"}
            done = subprocess.run(
                [pact, "broker", "record-deployment", *what], env=env, capture_output=True, check=False
            )
        if done.returncode or broker.running != {"staging": name}:
            lost.append(name)
    assert lost == ["release/1.2", "v1%2F2", "latest", "-v1"]


def test_versions_stay_apart() -> None:
    assert version.pact("v1.2.3") == "v1.2.3"
    assert len({version.pact(name) for name in (*VERSIONS, "release-1.2")}) == len(VERSIONS) + 1


def release(folder: Path, environment: str, digit: str, name: str) -> None:
    """Commit what an environment runs from now on."""
    file = folder / f"deploy/releases/{environment}/kustomization.yaml"
    lines = file.read_text().splitlines()
    new = f"    digest: sha256:{digit * 64}" + (f" # {name}" if name else "")
    changed = [new if "digest: " in line else line for line in lines]
    file.write_text("\n".join(changed) + "\n")
    lab.commit_all(folder, f"Release {name} to {environment}")


def test_what_main_deployed_is_recorded(service: Path) -> None:
    """Forwards and back, of each environment; a version that nobody named is no guess."""
    with Broker() as broker:
        for environment, digit, name in (
            ("staging", "a", "v1"), ("staging", "b", "v2+7"), ("production", "b", "v2+7"), ("staging", "a", "v1"),
        ):  # fmt: skip
            before = lab.git(service, "rev-parse", "HEAD")
            release(service, environment, digit, name)
            code, output = verb(service, "record-deployments", url=broker.url, BEFORE=before)
            assert code == 0, output
            assert broker.running[environment] == version.pact(name)
        assert broker.running == {"staging": "v1", "production": version.pact("v2+7")}
        code, output = verb(service, "record-deployments", url=broker.url, BEFORE="HEAD")
        assert (code, "No environment runs another image than before." in output) == (0, True), output
        release(service, "staging", "c", "")
        code, output = verb(service, "record-deployments", url=broker.url, BEFORE="HEAD^")
        assert code != 0
    assert "names no version: make record-deployment ENVIRONMENT=staging VERSION=..." in output
