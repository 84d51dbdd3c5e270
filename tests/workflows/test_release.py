"""release.yml against a real registry: both platforms are built, pushed, joined, signed and verified, for Go."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.labs.workflows.lab import Lab
from tests.labs.workflows.log import Result
from tests.labs.workflows.recorders import Answer, Recorder
from tests.workflows.conftest import GITHUB, SECRETS, VARIABLES, Release, pushed_diff

pytestmark = [pytest.mark.images, pytest.mark.only("go")]

RECORDED = {
    **{name: Recorder((Answer(real=True),), env=("CACHE_FROM", "CACHE_TO")) for name in ("cosign", "docker")},
    "gh": GITHUB,
}

JOBS = ("build", "sign", "verify", "promote")


def run(runner: Lab, release: Release, **more: dict[str, str]) -> Result:
    settings = {"secrets": SECRETS, "variables": VARIABLES, **more}
    payload = {"repository": {"full_name": "acme/go-orders", "private": False}}
    return runner.run(
        release.folder, "push", payload, "release.yml", env=release.env, recorders=RECORDED,
        secrets=settings["secrets"], variables=settings["variables"],
    )  # fmt: skip


def test_what_is_built_is_what_is_signed_and_verified(runner: Lab, release: Release) -> None:
    result = run(runner, release)
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
    assert added == f"    digest: {signed.partition('@')[2]} # v2.0.0"
    [created] = [call for call in result.called("gh") if call.arguments[:2] == ("pr", "create")]
    assert created.arguments[created.arguments.index("--title") + 1] == "Release v2.0.0 to staging"
    assert created.env["GH_TOKEN"] == "stub-token"


def test_nothing_goes_on_when_the_signature_is_another_workflows(runner: Lab, release: Release) -> None:
    release.signed_as("https://github.com/acme/go-orders/.github/workflows/ci.yml@refs/heads/main")
    result = run(runner, release)
    assert (result.result("sign"), result.result("verify")) == ("success", "failure")
    assert result.result("promote") == "skipped"
    assert not result.called("gh")
    verify = next(job for job in result.jobs.values() if job.id == "verify")
    assert "FAIL  verify: cosign verify:" in verify.output
    assert result.code != 0


def test_without_credentials_nothing_is_released_and_nothing_fails(runner: Lab, release: Release) -> None:
    result = run(runner, release, secrets={}, variables={})
    assert result.code == 0
    assert {result.result(job) for job in JOBS} == {"skipped"}
    summary = next(job for job in result.jobs.values() if job.id == "configuration").summary
    assert "gh secret set REGISTRY_PASSWORD" in summary
    assert [call for call in result.calls if call.name == "docker"] == []
