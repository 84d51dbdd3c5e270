"""A build workflow outside the repository: the same jobs, and its identity is the one that `make verify` asks for."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.labs import template as lab
from tests.labs.places import digest
from tests.labs.toolchains import ROOT
from tests.labs.workflows import endings, inputs
from tests.labs.workflows.endings import Ended
from tests.labs.workflows.lab import Lab
from tests.labs.workflows.lint import lint
from tests.labs.workflows.log import Result
from tests.workflows.conftest import SECRETS, VARIABLES, Release, built_again
from tests.workflows.test_release import RECORDED

pytestmark = pytest.mark.only("go")

COMMIT = "1" * 40
FILE = ".github/workflows/service-release.yml"
WORKFLOW = f"acme/golden-path/{FILE}@{COMMIT}"
ANSWERS = {"build_workflow": "organisation", "release_workflow": WORKFLOW}


def jobs(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(file.read_text())["jobs"]
    return found


def actions(job: dict[str, Any]) -> list[str]:
    return [step["uses"] for step in job["steps"] if "uses" in step]


def test_the_same_jobs(template: Path, tmp_path: Path, language: str) -> None:
    """What differs is where the image's name comes from, and that the job that signs runs nothing of the service."""
    folder = lab.render(template, tmp_path / "orders", {"language": language})
    local, called = jobs(folder / ".github/workflows/release.yml"), jobs(ROOT / FILE)
    assert set(called) == {"build", "sign"}
    for name in called:
        for key in ("needs", "strategy", "runs-on", "timeout-minutes", "permissions", "outputs"):
            assert called[name].get(key) == local[name].get(key), (name, key)
    assert actions(called["build"]) == actions(local["build"])
    for mine, theirs in zip(local["build"]["steps"], called["build"]["steps"], strict=True):
        assert mine.get("run") == theirs.get("run")
        if "registry" not in mine.get("uses", ""):
            assert mine.get("with") == theirs.get("with")
    shared = [one for one in actions(local["sign"]) if not one.startswith("./")]
    assert [one for one in actions(called["sign"]) if not one.startswith("docker/")] == shared
    scripts = "\n".join(str(step.get("run", "")) for step in called["sign"]["steps"])
    assert not re.search(r"\bmake\b|python|\./|service/", scripts)
    assert not [one for one in actions(called["sign"]) if one.startswith("./")]


@pytest.mark.parametrize("registry", ["ghcr.io/acme", "registry.example.com:5000/team"])
def test_linters_find_nothing(template: Path, tmp_path: Path, language: str, registry: str) -> None:
    folder = lab.render(template, tmp_path / "orders", {"language": language, "registry": registry, **ANSWERS})
    lab.commit_all(folder)
    assert lint(folder) == []
    assert inputs.check(folder) == []


@pytest.fixture(scope="module")
def organisation(released: Callable[..., Release]) -> Callable[..., Release]:
    """A service that is built by the workflow of another repository, signed as the test wants."""

    def make(
        registry: str, workflow: str = WORKFLOW, repository: str = "acme/go-orders", ref: str = "refs/heads/main"
    ) -> Release:
        made = released(registry, **ANSWERS)
        made.signed_as(f"https://github.com/{workflow}", repository=repository, ref=ref)
        return made

    return make


def run(runner: Lab, release: Release, called: Path = ROOT, artifacts: Path | None = None) -> Result:
    return runner.run(
        release.folder, "push", {"repository": {"full_name": "acme/go-orders", "private": False}}, "release.yml",
        env=release.env, recorders=RECORDED, secrets=SECRETS, variables=VARIABLES, artifacts=artifacts,
        called={f"acme/golden-path@{COMMIT}": called},
    )  # fmt: skip


@pytest.fixture(scope="module")
def first(organisation: Callable[..., Release], own_registry: str, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A whole release; its images are there for others to sign."""
    return run(Lab(tmp_path_factory.mktemp("first")), organisation(f"{own_registry}/called"))


@pytest.mark.images
def test_it_builds_signs_and_is_verified(first: Result) -> None:
    result = first
    assert result.code == 0, result.stdout[-5000:]
    assert result.result("verify") == "success"
    ends = {
        verb: [call.arguments[-1] for call in result.calls if call.name == "cosign" and call.arguments[0] == verb]
        for verb in ("sign", "verify")
    }
    assert ends["sign"] == ends["verify"]
    assert len(ends["sign"]) == 1
    [attested] = [call for call in result.calls if call.name == "actions/attest"]
    assert f"{attested.inputs['subject-name']}@{attested.inputs['subject-digest']}" == ends["sign"][0]
    assert "2 platform(s)" in result.jobs["verify"].output


@pytest.mark.images
@pytest.mark.parametrize(
    ("signed", "unlike"),
    [
        ({"workflow": "acme/go-orders/.github/workflows/release.yml@refs/heads/main"}, "SAN value"),
        ({"workflow": WORKFLOW.replace(COMMIT, "2" * 40)}, "SAN value"),
        ({"repository": "acme/other"}, "GithubWorkflowRepository to be"),
        ({"ref": "refs/heads/topic"}, "GithubWorkflowRef to be"),
    ],
    ids=["own workflow", "another commit", "another service", "another branch"],
)
def test_nothing_else_is_trusted(
    runner: Lab,
    organisation: Callable[..., Release],
    own_registry: str,
    first: Result,
    signed: dict[str, str],
    unlike: str,
    tmp_path: Path,
) -> None:
    """The images are those of the first release."""
    registry = f"{own_registry}/called-{digest(signed)}"
    release = organisation(registry, **signed)
    artifacts = built_again(first, release, f"{own_registry}/called", registry, tmp_path)
    signs_only = tmp_path / "golden-path"
    (signs_only / FILE).parent.mkdir(parents=True)
    shutil.copy(ROOT / FILE, signs_only / FILE)
    endings.apply(signs_only / FILE, {"build": Ended("success")})
    result = run(runner, release, signs_only, artifacts)
    assert result.result("sign") == "success"
    assert result.result("verify") == "failure"
    said = rf"FAIL  verify: cosign verify: .*failed to verify certificate identity: .*expected {unlike}"
    assert re.search(said, result.jobs["verify"].output)
