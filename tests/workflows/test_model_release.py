"""model-release.yml against a real registry: a model is trained, pushed, signed, verified and offered to staging."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.labs import template as lab
from tests.labs.images import Lab as ImageLab
from tests.labs.service import make
from tests.labs.workflows import engine
from tests.labs.workflows.endings import Ended
from tests.labs.workflows.lab import Lab
from tests.labs.workflows.log import Result
from tests.labs.workflows.recorders import Answer, Recorder
from tests.workflows.conftest import GITHUB, SECRETS, VARIABLES, pushed_diff
from tests.workflows.trained import SERVICE, WORKFLOW, Trained, written

pytestmark = [pytest.mark.images, pytest.mark.models, pytest.mark.only("model")]

VERSION = "model-v1.0.0"
JOBS = ("train", "sign", "verify", "promote")
RECORDED = {"gh": GITHUB, **{name: Recorder((Answer(real=True),)) for name in ("cosign", "oras")}}


@pytest.fixture(scope="module")
def first(
    language: str, template: Path, image_lab: ImageLab, own_registry: str, tmp_path_factory: pytest.TempPathFactory
) -> Trained:
    """Nobody changes it."""
    assert language == "model"
    made = written(template, image_lab, own_registry, tmp_path_factory.mktemp("models"))
    lab.git(made.folder, "tag", VERSION)
    made.signed_as(f"{WORKFLOW}@refs/tags/{VERSION}")
    return made


def run(runner: Lab, trained: Trained, **more: Any) -> Result:
    payload = {"ref": f"refs/tags/{VERSION}", "repository": {"full_name": f"acme/{SERVICE}", "private": False}}
    settings = {"secrets": SECRETS, "variables": VARIABLES, "recorders": RECORDED, **more}
    return runner.run(trained.folder, "push", payload, "model-release.yml", env=trained.env, **settings)


@pytest.fixture(scope="module")
def released(first: Trained, tmp_path_factory: pytest.TempPathFactory) -> Result:
    return run(Lab(tmp_path_factory.mktemp("first")), first)


def test_what_is_trained_is_what_is_signed_verified_and_offered(released: Result, first: Trained) -> None:
    assert released.code == 0, released.stdout[-5000:]
    assert {job: released.result(job) for job in JOBS} == dict.fromkeys(JOBS, "success")
    calls = [call.arguments for call in released.called("cosign")]
    named = {call[0]: call[-1] for call in calls}
    assert set(named) == {"sign", "attest", "verify", "verify-attestation"}
    [reference] = set(named.values())
    # Who trains can neither push nor sign, and who can do that trains nothing.
    assert {released.jobs[call.job].id for call in released.called("oras")} == {"sign", "verify"}
    assert "train" not in next(job for job in released.jobs.values() if job.id == "sign").output
    manifest = json.loads(
        subprocess.run(["crane", "manifest", reference], env=first.env, capture_output=True, check=True).stdout
    )
    assert manifest["annotations"]["org.opencontainers.image.version"] == VERSION
    file, removed, added = pushed_diff(released, f"acme/{SERVICE}", "release/staging-model")
    assert file == "deploy/releases/staging/model/kustomization.yaml"
    assert removed.endswith(" # nothing yet")
    assert added == f"    digest: {reference.partition('@')[2]} # {VERSION}"
    [created] = [call for call in released.called("gh") if call.arguments[:2] == ("pr", "create")]
    assert created.arguments[created.arguments.index("--title") + 1] == f"Release model {VERSION} to staging"
    assert reference.partition("@")[2] in created.arguments[created.arguments.index("--body") + 1]
    [attested] = released.called("actions/attest")
    assert f"{attested.inputs['subject-name']}@{attested.inputs['subject-digest']}" == reference
    assert "hunter2" not in released.stdout


def again(first: Trained, folder: Path, registry: str) -> Trained:
    """The service in a folder of the test's own, with a registry in which nothing of it is signed."""
    lab.git(folder, "clone", "--quiet", str(first.folder), SERVICE)
    programs = folder / "programs"
    programs.mkdir()
    (programs / "oras").symlink_to(first.programs / "oras")
    mine = replace(first, folder=folder / SERVICE, programs=programs, env=engine.before(first.env, programs))
    for file in ("deploy/releases/staging/model/kustomization.yaml", ".golden-path/model.mk"):
        text = (mine.folder / file).read_text()
        (mine.folder / file).write_text(re.sub(r"(\S+)/model-orders-model\b", rf"{registry}/model-orders-model", text))
    lab.commit_all(mine.folder, "Another registry")
    lab.git(mine.folder, "tag", "--force", VERSION)
    return mine


@pytest.fixture
def another(first: Trained, own_registry: str, tmp_path: Path) -> Callable[[str], Trained]:
    return lambda name: again(first, tmp_path, f"{own_registry}/{secrets.token_hex(4)}/{name}")


def packed(released: Result, folder: Path, revision: str) -> dict[str, Any]:
    """What to run with so that the job that trains has ended, and left its first model as one of this commit."""
    artifacts = folder / "packed"
    shutil.copytree(released.artifacts, artifacts)
    [card] = artifacts.glob("**/model.json")
    card.write_text(json.dumps(json.loads(card.read_text()) | {"revision": revision}))
    return {"ended": {"train": Ended("success")}, "artifacts": artifacts}


def stopped(result: Result, reason: str) -> None:
    assert (result.result("sign"), result.result("verify"), result.result("promote")) == (
        "success",
        "failure",
        "skipped",
    )
    assert re.search(reason, next(job for job in result.jobs.values() if job.id == "verify").output)
    assert not result.called("gh")


def test_nothing_goes_on_when_the_signature_is_another_workflows(
    runner: Lab, another: Callable[[str], Trained], released: Result, tmp_path: Path
) -> None:
    trained = another("models-by-ci")
    head = lab.git(trained.folder, "rev-parse", "HEAD")
    trained.signed_as(f"{WORKFLOW.replace('model-release.yml', 'ci.yml')}@refs/heads/main")
    stopped(run(runner, trained, **packed(released, tmp_path, head)), "FAIL  model-verify: cosign verify: ")


def test_nothing_goes_on_from_a_tag_beside_main(
    runner: Lab, another: Callable[[str], Trained], released: Result, tmp_path: Path
) -> None:
    """Whoever may push a tag could have changed the workflow in it."""
    trained = another("models-beside-main")
    lab.git(trained.folder, "switch", "--quiet", "--create", "evil")
    (trained.folder / "evil").write_text("")
    lab.commit_all(trained.folder, "Evil")
    head = lab.git(trained.folder, "rev-parse", "HEAD")
    lab.git(trained.folder, "tag", "--force", VERSION)
    lab.git(trained.folder, "switch", "--quiet", "main")
    trained.signed_as(f"{WORKFLOW}@refs/tags/{VERSION}", sha=head)
    result = run(runner, trained, **packed(released, tmp_path, head))
    stopped(result, f"the model is of commit {head}, which is not on the main branch")


@pytest.fixture(scope="module")
def staged(first: Trained, released: Result, image_lab: ImageLab, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The service whose staging runs a signed image and the released model, as merged."""
    folder = tmp_path_factory.mktemp("staged") / SERVICE
    shutil.copytree(first.folder, folder, symlinks=True)
    lab.git(folder, "pull", "--quiet", str(released.remotes / "acme" / SERVICE), "release/staging-model")
    identity = first.authority.identity(WORKFLOW.replace("model-release", "release") + "@refs/heads/main")
    env = {**image_lab.environment(folder, "python"), **identity}
    for verb in (("image", "PUSH=true"), ("sign",)):
        done = make(folder, "python", *verb, env=env)
        assert done.returncode == 0, done.stdout
    image = (folder / "build/image-ref").read_text().strip()
    done = make(folder, "python", "promote", "TO=staging", f"IMAGE_REF={image}", env=env)
    assert done.returncode == 0, done.stdout
    lab.commit_all(folder, "Release to staging")
    return replace(first, folder=folder)


def promoted(runner: Lab, trained: Trained) -> Result:
    return runner.run(
        trained.folder, "push", {"repository": {"full_name": f"acme/{SERVICE}"}}, "promote.yml",
        env=trained.env, recorders=RECORDED, secrets=SECRETS, variables=VARIABLES,
    )  # fmt: skip


def test_production_is_offered_the_image_and_the_model_of_staging(runner: Lab, staged: Trained) -> None:
    result = promoted(runner, staged)
    assert result.code == 0, result.stdout[-5000:]
    assert {call.arguments[0] for call in result.called("cosign")} >= {"verify", "verify-attestation"}
    text = lab.git(result.remotes / "acme" / SERVICE, "show", "--format=%s", "--unified=0", "release/production")
    assert re.match(rf"Release \S+ and model {VERSION} to production\n", text)
    files = re.findall(r"^\+\+\+ b/(.+)$", text, re.MULTILINE)
    ours = Path("deploy/releases/production")
    assert files == [str(ours / "kustomization.yaml"), str(ours / "model/kustomization.yaml")]
    added = re.findall(r"^\+    digest: (\S+)", text, re.MULTILINE)
    for environment in ("staging", "staging/model"):
        assert (staged.folder / f"deploy/releases/{environment}/kustomization.yaml").read_text().count(
            added.pop(0)
        ) == 1


def test_a_model_that_nobody_signed_is_not_offered(runner: Lab, staged: Trained, tmp_path: Path) -> None:
    """Merged by hand: the image is as it should be."""
    folder = tmp_path / SERVICE
    shutil.copytree(staged.folder, folder, symlinks=True)
    release = folder / "deploy/releases/staging/model/kustomization.yaml"
    name, digest = (re.search(pattern, release.read_text()) for pattern in (r"- name: (\S+)", r"digest: (\S+)"))
    assert name
    assert digest
    copied = f"{name[1]}-unsigned"
    subprocess.run(["crane", "copy", f"{name[1]}@{digest[1]}", f"{copied}:x"], env=staged.env, check=True)
    for file in (release, folder / ".golden-path/components/model/kustomization.yaml"):
        file.write_text(file.read_text().replace(name[1], copied))
    lab.commit_all(folder, "Somebody's own model")
    result = promoted(runner, replace(staged, folder=folder))
    assert (result.result("verify"), result.result("promote")) == ("failure", "skipped")
    assert "FAIL  model-verify: cosign verify: no signatures found" in result.jobs["verify"].output
    assert not result.called("gh")


def test_without_credentials_nothing_is_released_and_nothing_fails(runner: Lab, first: Trained) -> None:
    result = run(runner, first, secrets={}, variables={})
    assert result.code == 0, result.stdout[-3000:]
    assert {result.result(job) for job in JOBS} == {"skipped"}
    summary = next(job for job in result.jobs.values() if job.id == "configuration").summary
    assert "gh secret set REGISTRY_PASSWORD" in summary
