"""The Pact broker in the workflows: what it learns, and that a version that breaks a contract goes nowhere.

The broker is a stand-in that concludes from what it was told; the service, its verification and `pact` are real.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from golden_path.service.version import pact
from tests.labs import template as lab
from tests.labs import toolchains
from tests.labs.broker import Broker, Result
from tests.labs.built import VERSION
from tests.labs.workflows.endings import Ended
from tests.labs.workflows.lab import Lab
from tests.labs.workflows.log import Result as Run
from tests.labs.workflows.recorders import Answer, Recorder
from tests.workflows.conftest import GITHUB, SECRETS, VARIABLES, edit

pytestmark = pytest.mark.only("go")

SERVICE = "go-orders"
IMAGE = f"ghcr.io/acme/{SERVICE}@sha256:{'1' * 64}"
TOKEN = "token-of-the-broker"
STAGING, PRODUCTION = (f"deploy/releases/{name}/kustomization.yaml" for name in ("staging", "production"))
BREAKS = f"{SERVICE} {VERSION} may not go to %s: it breaks the contract of app 5"
# Each runs for real, and what it was given is looked at.
SEEN = Recorder((Answer(real=True),), env=("*",))
REST = {job: Ended("success") for job in ("lint", "test", "policy", "image")}
PLAIN = ("changes", "pacts", "ci-ok", "promote", "record")
Clone = Callable[[], Path]


def contracts(folder: Path, *, kept: bool) -> dict[str, Any]:
    """Return what two consumers expect: web what the service answers, app perhaps a field that it does not have."""
    text = (folder / "contracts/provided/example-consumer.json").read_text()
    broken = text if kept else text.replace('"quantity": 3', '"quantity": 3, "colour": "red"')
    return {
        consumer: {**json.loads(content), "consumer": {"name": consumer}}
        for consumer, content in (("web", text), ("app", broken))
    }


def broker(folder: Path, *, kept: bool, **more: Any) -> Broker:
    """Return a broker that knows both consumers in both environments, where the service is, too."""
    there = {name: ["web", "app"] for name in ("staging", "production")}
    expected = contracts(folder, kept=kept)
    return Broker(service=SERVICE, contracts=expected, there=there, deployed=list(there), token=TOKEN, **more)


def run(runner: Lab, folder: Path, url: str, workflow: str, event: str = "push", **more: Any) -> Run:
    payload = {"repository": {"full_name": f"acme/{SERVICE}"}, **more.pop("payload", {})}
    given = {"recorders": {"gh": GITHUB, "make": SEEN}, "secrets": {**SECRETS, "PACT_BROKER_TOKEN": TOKEN}, **more}
    return runner.run(
        folder, event, payload, workflow, env=toolchains.environment("go"), plain=PLAIN,
        variables={**VARIABLES, **({"PACT_BROKER_BASE_URL": url} if url else {})}, **given,
    )  # fmt: skip


def release(runner: Lab, folder: Path, url: str) -> Run:
    """Run a release whose image is built, signed and verified."""
    ended = {name: Ended("success", {"image": IMAGE} if name == "sign" else {}) for name in ("build", "sign", "verify")}
    return run(runner, folder, url, "release.yml", ended=ended)


def offer(runner: Lab, folder: Path, url: str) -> Run:
    """Run what offers production the version that staging has; its image is verified."""
    return run(runner, folder, url, "promote.yml", ended={"verify": Ended("success", offered(folder))})


def offered(folder: Path) -> dict[str, str]:
    """Return what the job before has found in the file."""
    [line] = [line for line in (folder / STAGING).read_text().splitlines() if "digest: " in line]
    return {"image": IMAGE, "version": line.rpartition(" # ")[2]}


def stage(folder: Path, version: str, file: str = STAGING) -> str:
    """Commit that an environment runs the image; return the commit before."""
    before = lab.git(folder, "rev-parse", "HEAD")
    edit(folder, file, r"sha256:[0-9a-f]{64} # .*$", f"sha256:{'1' * 64} # {version}")
    return before


def body(result: Run) -> str:
    """Return what the pull request says that was opened."""
    [created] = [call for call in result.called("gh") if call.arguments[:2] == ("pr", "create")]
    return created.arguments[created.arguments.index("--body") + 1]


def with_token(result: Run) -> set[tuple[str, str]]:
    """Return job and verb of every make that saw the broker's token."""
    return {(call.job, call.arguments[-1]) for call in result.called("make") if TOKEN in call.env.values()}


def test_a_version_that_breaks_a_contract_is_not_promoted(runner: Lab, clone: Clone) -> None:
    """On main: ci.yml tells the broker, from which the release learns it, by itself, and says whose contract it is."""
    folder = clone()
    with broker(folder, kept=False) as known:
        built = run(runner, folder, known.url, "ci.yml", ended=REST)
        assert known.results == [Result("web", VERSION, True), Result("app", VERSION, False)], built.stdout[-5000:]
        assert known.branches == {VERSION: "main"}
        assert [one["branch"] for one in known.published] == ["main"], "what it needs of its own upstream"
        assert {job: built.result(job) for job in ("pacts", "contract", "contract-publish", "ci-ok")} == {
            "pacts": "success", "contract": "failure", "contract-publish": "success", "ci-ok": "failure",
        }  # fmt: skip
        assert "Verifying a pact between app and go-orders" in built.jobs["contract"].output
        # The jobs that have the token run nothing of the service and its dependencies.
        assert with_token(built) == {("pacts", "contract-fetch"), ("contract-publish", "contract-publish")}
        assert "make contract" in [call.line for call in built.called("make", "contract")]

        result = release(runner, folder, known.url)
        assert (result.result("contracts"), result.result("promote")) == ("failure", "skipped"), result.stdout[-5000:]
        assert f"can-i-deploy: {BREAKS % 'staging'}" in result.jobs["contracts"].output
        assert not result.called("gh")

        stage(folder, VERSION)
        result = offer(runner, folder, known.url)
        assert (result.result("contracts"), result.result("promote")) == ("failure", "skipped"), result.stdout[-5000:]
        assert f"can-i-deploy: {BREAKS % 'production'}" in result.jobs["contracts"].output
        assert not result.called("gh")
    assert TOKEN not in result.stdout


def test_one_that_keeps_them_is_asked_for_promoted_and_recorded(runner: Lab, clone: Clone) -> None:
    """Under the name that the broker has for it; and when it is merged, the broker knows where it is."""
    folder = clone()
    version = "v2+build/7"
    lab.git(folder, "tag", "--delete", VERSION)
    lab.git(folder, "tag", version)
    with broker(folder, kept=True) as known:
        known.results += [Result(consumer, pact(version), True) for consumer in ("web", "app")]
        result = release(runner, folder, known.url)
        assert (result.result("contracts"), result.result("promote")) == ("success", "success"), result.stdout[-5000:]
        assert "- Contracts: the Pact broker says that this version fits what is in staging" in body(result)
        assert with_token(result) == {("contracts", "ENVIRONMENT=staging")}
        asked = next(index for index, one in enumerate(result.calls) if "can-i-deploy" in one.line)
        assert asked < next(index for index, one in enumerate(result.calls) if "pr create" in one.line)

        before = stage(folder, version)
        events = run(runner, folder, known.url, "deployment-events.yml", payload={"before": before})
        assert events.code == 0, events.stdout[-5000:]
        assert known.running == {"staging": pact(version), "production": "0"}

        result = offer(runner, folder, known.url)
        assert (result.result("contracts"), result.result("promote")) == ("success", "success"), result.stdout[-5000:]
        assert "fits what is in production" in body(result)
        before = stage(folder, version, PRODUCTION)
        assert run(runner, folder, known.url, "deployment-events.yml", payload={"before": before}).code == 0
        assert known.running == {"staging": pact(version), "production": pact(version)}


def test_without_a_broker_all_goes_on_and_says_so(runner: Lab, clone: Clone) -> None:
    folder = clone()
    result = release(runner, folder, "")
    assert (result.result("contracts"), result.result("promote")) == ("skipped", "success"), result.stdout[-5000:]
    assert "- Contracts: not asked, since no Pact broker is configured" in body(result)
    stage(folder, VERSION)
    result = offer(runner, folder, "")
    assert (result.result("contracts"), result.result("promote")) == ("skipped", "success"), result.stdout[-5000:]


def queued(runner: Lab, folder: Path, url: str, **more: Any) -> Run:
    """Run ci.yml for a group of the merge queue."""
    ref = "refs/heads/gh-readonly-queue/main/pr-7-0000000"
    lab.git(folder, "update-ref", ref, "HEAD")
    group = {"head_ref": ref, "base_ref": "refs/heads/main"}
    payload = {"action": "checks_requested", "ref": ref, "merge_group": group}
    return run(runner, folder, url, "ci.yml", "merge_group", payload=payload, **{"ended": REST, **more})


def test_the_merge_queue_is_red_and_publishes_nothing(runner: Lab, clone: Clone) -> None:
    """For the branch that the group becomes; the checkout has none."""
    folder = clone()
    with broker(folder, kept=False) as known:
        result = queued(runner, folder, known.url)
        [asked] = [json.loads(one.body) for one in known.requests if one.method == "POST"]
        assert asked["providerVersionBranch"] == "main"
        assert (known.results, known.published) == ([], [])
    assert {job: result.result(job) for job in ("pacts", "contract", "contract-publish", "ci-ok")} == {
        "pacts": "success", "contract": "failure", "contract-publish": "skipped", "ci-ok": "failure",
    }  # fmt: skip
    assert "colour" in result.jobs["contract"].output


def test_a_contract_that_was_never_kept_is_green(runner: Lab, clone: Clone) -> None:
    """A consumer may ask for something new before it is there."""
    folder = clone()
    with broker(folder, kept=False, pending=["app"]) as known:
        result = queued(runner, folder, known.url)
    assert (result.result("contract"), result.result("ci-ok")) == ("success", "success"), result.stdout[-5000:]


def recorded() -> dict[str, Recorder]:
    """Return a make that does not verify anything: these tests are about what is around it."""
    return {"gh": GITHUB, "make": Recorder((Answer("^contract$"), Answer(real=True)), env=("*",))}


def test_a_pull_request_asks_no_broker(runner: Lab, clone: Clone) -> None:
    """Nothing that it runs is given a secret."""
    folder = clone()
    edit(folder, "Makefile", r"\Z", "\n# A change of code.\n")
    payload = {"pull_request": {"number": 7, "head": {"ref": "topic"}, "base": {"ref": "main"}}}
    with broker(folder, kept=False) as known:
        result = run(
            runner, folder, known.url, "ci.yml", "pull_request", payload=payload, ended=REST, recorders=recorded()
        )
    assert (result.result("contract"), result.result("ci-ok")) == ("success", "success"), result.stdout[-5000:]
    assert (result.result("pacts"), known.requests) == ("skipped", [])


def test_a_broker_that_refuses_is_no_permission(runner: Lab, clone: Clone) -> None:
    folder = clone()
    with broker(folder, kept=True) as known:
        known.token = "another"
        result = queued(runner, folder, known.url, recorders=recorded())
        assert (result.result("pacts"), result.result("contract")) == ("failure", "skipped"), result.stdout[-5000:]
        assert result.result("ci-ok") == "failure"
        assert "answers 401" in result.jobs["pacts"].output
        result = release(runner, folder, known.url)
    assert (result.result("contracts"), result.result("promote")) == ("failure", "skipped"), result.stdout[-5000:]


def test_what_another_job_put_between_is_refused(runner: Lab, clone: Clone, tmp_path: Path) -> None:
    """The artifact is not the one whose sum the job before has given."""
    folder = clone()
    put = tmp_path / "artifacts/pacts"
    put.mkdir(parents=True)
    (put / "index.json").write_text("{}\n")
    with broker(folder, kept=True) as known:
        result = run(
            runner, folder, known.url, "ci.yml", artifacts=tmp_path / "artifacts",
            ended={**REST, "pacts": Ended("success", {"sha256": "1" * 64})},
        )  # fmt: skip
        assert known.results == []
    assert result.result("contract") == "failure"
    assert "build/broker is not what the job before has left" in result.jobs["contract"].output
