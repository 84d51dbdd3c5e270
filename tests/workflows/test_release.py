"""release.yml against a real registry: both platforms are built, pushed, joined, signed and verified, for Go."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.labs import template as lab
from tests.labs.built import Built
from tests.labs.images import Lab as ImageLab
from tests.labs.images.signing import Authority
from tests.labs.workflows import engine
from tests.labs.workflows.lab import REUSE, Lab
from tests.labs.workflows.log import Result
from tests.labs.workflows.recorders import Answer, Recorder

pytestmark = [pytest.mark.images, pytest.mark.only("go")]

CREDENTIALS = {"REGISTRY_PASSWORD": "hunter2"}
VARIABLES = {"REGISTRY_USERNAME": "robot"}
RECORDED = {name: Recorder((Answer(real=True),), env=("CACHE_FROM", "CACHE_TO")) for name in ("cosign", "docker")}


@dataclass
class Release:
    """A service that releases to the image lab's registry.

    Attributes:
        folder: its repository.
        env: of the jobs; without ``cosign``, which ``signed_as`` adds.
        authority: makes the certificates that stand in for keyless ones.
        programs: folder in front of the jobs' PATH.
    """

    folder: Path
    env: dict[str, str]
    authority: Authority
    programs: Path

    def signed_as(self, workflow: str) -> None:
        """Let cosign sign with a certificate of this identity, and trust the authority when it verifies."""
        identity = self.authority.identity(workflow)
        script = (
            'verb=$1; shift\ncase "$verb" in\n'
            f'  sign) set -- {identity["COSIGN_FLAGS"]} --key {identity["COSIGN_KEY"]} "$@" ;;\n'
            f'  verify) set -- {self.authority.verify_flags} "$@" ;;\n'
            'esac\nset -- "$verb" "$@"\nexport COSIGN_PASSWORD=\n'
        )
        engine.wrap(self.programs, "cosign", self.authority.env, script=script)


@pytest.fixture
def release(template: Path, built: Built, image_lab: ImageLab, tmp_path: Path) -> Release:
    answers = {"language": "go", "service_name": "go-orders", "registry": f"{image_lab.registry}/release"}
    folder = lab.render(template, tmp_path / "go-orders", answers)
    lab.commit_all(folder)
    lab.git(folder, "tag", "v2.0.0")
    for name in REUSE:
        if (built.folder / name).is_dir():
            shutil.copytree(built.folder / name, folder / name, symlinks=True, copy_function=os.link)
    env = image_lab.environment(folder, "go")
    programs = tmp_path / "programs"
    engine.wrap(programs, "docker", env, names=engine.DOCKER)
    (tmp_path / "authority").mkdir()
    made = Release(folder, engine.before(env, programs), Authority(tmp_path / "authority", env), programs)
    made.signed_as("https://github.com/acme/go-orders/.github/workflows/release.yml@refs/heads/main")
    return made


def run(runner: Lab, release: Release, **more: dict[str, str]) -> Result:
    settings = {"secrets": CREDENTIALS, "variables": VARIABLES, **more}
    payload = {"repository": {"full_name": "acme/go-orders", "private": False}}
    return runner.run(
        release.folder, "push", payload, "release.yml", env=release.env, recorders=RECORDED,
        secrets=settings["secrets"], variables=settings["variables"],
    )  # fmt: skip


def test_what_is_built_is_what_is_signed_and_verified(runner: Lab, release: Release) -> None:
    result = run(runner, release)
    assert result.code == 0, result.stdout[-5000:]
    assert {job: result.result(job) for job in ("build", "sign", "verify")} == dict.fromkeys(
        ("build", "sign", "verify"), "success"
    )
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


def test_nothing_goes_on_when_the_signature_is_another_workflows(runner: Lab, release: Release) -> None:
    release.signed_as("https://github.com/acme/go-orders/.github/workflows/ci.yml@refs/heads/main")
    result = run(runner, release)
    assert (result.result("sign"), result.result("verify")) == ("success", "failure")
    verify = next(job for job in result.jobs.values() if job.id == "verify")
    assert "FAIL  verify: cosign verify:" in verify.output
    assert result.code != 0


def test_without_credentials_nothing_is_released_and_nothing_fails(runner: Lab, release: Release) -> None:
    result = run(runner, release, secrets={}, variables={})
    assert result.code == 0
    assert {result.result(job) for job in ("build", "sign", "verify")} == {"skipped"}
    summary = next(job for job in result.jobs.values() if job.id == "configuration").summary
    assert "gh secret set REGISTRY_PASSWORD" in summary
    assert [call for call in result.calls if call.name == "docker"] == []
