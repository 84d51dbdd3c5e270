"""release.yml against a real registry: both platforms are built, pushed, joined, signed and verified, for Go."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.labs import template as lab
from tests.labs.workflows.endings import Ended
from tests.labs.workflows.lab import TOKEN, Lab
from tests.labs.workflows.log import Result
from tests.labs.workflows.recorders import Answer, Recorder
from tests.workflows.conftest import GITHUB, SECRETS, VARIABLES, VERSION, Release, built_again, pushed_diff

pytestmark = [pytest.mark.images, pytest.mark.only("go")]

RECORDED = {
    **{name: Recorder((Answer(real=True),), env=("CACHE_FROM", "CACHE_TO")) for name in ("cosign", "docker")},
    "gh": GITHUB,
}

JOBS = ("build", "sign", "verify", "promote")
OWN_TOKEN = {"registry": "ghcr.io", "username": "octocat", "password": TOKEN}


def run(runner: Lab, release: Release, **more: Any) -> Result:
    settings = {"secrets": SECRETS, "variables": VARIABLES, **more}
    payload = {"repository": {"full_name": "acme/go-orders", "private": False}}
    return runner.run(release.folder, "push", payload, "release.yml", env=release.env, recorders=RECORDED, **settings)


@pytest.fixture(scope="module")
def first(first_release: Release, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A whole release; its images are there for others to sign."""
    return run(Lab(tmp_path_factory.mktemp("first")), first_release)


def test_what_is_built_is_what_is_signed_and_verified(first: Result, first_release: Release) -> None:
    result, release = first, first_release
    assert result.code == 0, result.stdout[-5000:]
    assert {job: result.result(job) for job in JOBS} == dict.fromkeys(JOBS, "success")
    pushed = {path.parent.name: path.read_text().strip() for path in result.artifacts.glob("*/**/image-ref")}
    assert len(pushed) == 2
    [signed] = [call.arguments[-1] for call in result.calls if call.name == "cosign" and call.arguments[0] == "sign"]
    [verified] = [
        call.arguments[-1] for call in result.calls if call.name == "cosign" and call.arguments[0] == "verify"
    ]
    assert signed == verified
    raw = subprocess.run(["crane", "manifest", signed], env=release.env, capture_output=True, check=True).stdout
    index = json.loads(raw)
    platforms = {entry["platform"]["architecture"] for entry in index["manifests"]} - {"unknown"}
    assert platforms == {"amd64", "arm64"}
    # Each platform's own index held the image and its attestations; all of that is in the one that was signed.
    for reference in pushed.values():
        part = subprocess.run(["crane", "manifest", reference], env=release.env, capture_output=True, check=True).stdout
        digests = {entry["digest"] for entry in json.loads(part)["manifests"]}
        assert digests <= {entry["digest"] for entry in index["manifests"]}
    [attested] = [call for call in result.calls if call.name == "actions/attest"]
    assert f"{attested.inputs['subject-name']}@{attested.inputs['subject-digest']}" == signed
    verify = next(job for job in result.jobs.values() if job.id == "verify")
    assert all(job.ended <= verify.began for job in result.jobs.values() if job.id in ("build", "sign"))
    # The cache is written here, and only here.
    builds = [call for call in result.calls if call.name == "docker" and "bake" in call.arguments]
    assert {call.env["CACHE_TO"].rpartition(":")[2] for call in builds} == {"amd64", "arm64"}
    assert "hunter2" not in result.stdout
    # And what was verified is what staging is to run; the pull request changes that one line.
    promoted = next(job for job in result.jobs.values() if job.id == "promote")
    assert verify.ended <= promoted.began
    file, removed, added = pushed_diff(result, "acme/go-orders", "release/staging")
    assert file == "deploy/releases/staging/kustomization.yaml"
    assert removed == f"    digest: sha256:{'0' * 64} # nothing yet"
    assert added == f"    digest: {signed.partition('@')[2]} # {VERSION}"
    [created] = [call for call in result.called("gh") if call.arguments[:2] == ("pr", "create")]
    assert created.arguments[created.arguments.index("--title") + 1] == f"Release {VERSION} to staging"
    assert created.env["GH_TOKEN"] == "stub-token"


def test_to_githubs_registry_with_the_jobs_own_token(runner: Lab, released: Callable[[str], Release]) -> None:
    """The default form, to the offer for production; docker and cosign find ghcr.io in the lab's registry."""
    release = released("ghcr.io/acme")
    app = {"secrets": {"AUTOMATION_APP_KEY": "key-of-the-app"}, "variables": {"AUTOMATION_APP_ID": "7"}}
    result = run(runner, release, **app)
    assert result.code == 0, result.stdout[-5000:]
    without_a_broker = {**dict.fromkeys(JOBS, "success"), "contracts": "skipped"}
    assert {job.id: job.result for job in result.jobs.values()} == without_a_broker
    assert logins(result) == {"build": OWN_TOKEN, "sign": OWN_TOKEN, "verify": OWN_TOKEN}
    [signed] = [call.arguments[-1] for call in result.called("cosign") if call.arguments[0] == "sign"]
    [verified] = [call.arguments[-1] for call in result.called("cosign") if call.arguments[0] == "verify"]
    assert signed == verified
    assert signed.startswith("ghcr.io/acme/go-orders@sha256:")
    builds = [call for call in result.called("docker") if "bake" in call.arguments]
    assert {call.env["CACHE_TO"].rpartition(":")[0] for call in builds} == {"ghcr.io/acme/go-orders-cache"}
    _, _, added = pushed_diff(result, "acme/go-orders", "release/staging")
    assert added == f"    digest: {signed.partition('@')[2]} # {VERSION}"
    # Merged, it is staging's, and promote.yml goes on from there.
    lab.git(release.folder, "pull", "--quiet", str(result.remotes / "acme/go-orders"), "release/staging")
    offered = runner.run(
        release.folder, "push", {"repository": {"full_name": "acme/go-orders"}}, "promote.yml",
        env=release.env, recorders=RECORDED, secrets=app["secrets"], variables=app["variables"],
    )  # fmt: skip
    assert offered.code == 0, offered.stdout[-5000:]
    assert logins(offered) == {"verify": OWN_TOKEN}
    assert pushed_diff(offered, "acme/go-orders", "release/production")[2] == added


def logins(result: Result) -> dict[str, dict[str, str]]:
    """Return what each job gave to docker/login-action, where that is the same in all legs."""
    found: dict[str, dict[str, str]] = {}
    for call in result.called("docker/login-action"):
        given = {name: value for name, value in call.inputs.items() if name in OWN_TOKEN}
        assert found.setdefault(result.jobs[call.job].id, given) == given
    return found


def test_nothing_goes_on_when_the_signature_is_another_workflows(
    runner: Lab, released: Callable[[str], Release], own_registry: str, first: Result, tmp_path: Path
) -> None:
    """The images are those of the first release."""
    registry = f"{own_registry}/release-by-ci"
    release = released(registry)
    release.signed_as("https://github.com/acme/go-orders/.github/workflows/ci.yml@refs/heads/main")
    artifacts = built_again(first, release, f"{own_registry}/release", registry, tmp_path)
    result = run(runner, release, ended={"build": Ended("success")}, artifacts=artifacts)
    assert (result.result("sign"), result.result("verify")) == ("success", "failure")
    assert result.result("promote") == "skipped"
    assert not result.called("gh")
    verify = next(job for job in result.jobs.values() if job.id == "verify")
    said = "FAIL  verify: cosign verify: .*failed to verify certificate identity: .*expected SAN value"
    assert re.search(said, verify.output)
    assert result.code != 0


def test_without_credentials_nothing_is_released_and_nothing_fails(runner: Lab, release: Release) -> None:
    result = run(runner, release, secrets={}, variables={})
    assert result.code == 0
    assert {result.result(job) for job in JOBS} == {"skipped"}
    summary = next(job for job in result.jobs.values() if job.id == "configuration").summary
    assert "gh secret set REGISTRY_PASSWORD" in summary
    assert [call for call in result.calls if call.name == "docker"] == []
