"""What act does not look at, or cannot show: read from the files of a service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.labs import template as lab
from tests.labs.toolchains import ROOT

pytestmark = pytest.mark.one_language

# None of these takes anything from a cache of GitHub's; setup-buildx-action does where it is not told otherwise.
WITHOUT_CACHE = {
    "actions/attest",
    "actions/checkout",
    "actions/create-github-app-token",
    "actions/download-artifact",
    "actions/upload-artifact",
    "docker/login-action",
    "docker/setup-buildx-action",
    "oras-project/setup-oras",
    "sigstore/cosign-installer",
}


@pytest.fixture
def service(template: Path, tmp_path: Path, language: str) -> Path:
    return lab.render(template, tmp_path / "orders", {"language": language})


def jobs(file: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(file.read_text())["jobs"]
    return found


def used(folder: Path, job: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each action that a job uses and its inputs, those in the repository's own actions too."""
    for step in job["steps"]:
        name = str(step.get("uses", "")).partition("@")[0]
        if name.startswith("./"):
            yield from used(folder, yaml.safe_load((folder / name / "action.yml").read_text())["runs"])
        elif name:
            yield name, step.get("with", {})


def test_the_ruleset_requires_a_check_that_is_there(service: Path) -> None:
    """By the name of the job, which is what GitHub calls the check; one that no job has would block every merge."""
    rules = json.loads((service / ".golden-path/ruleset.json").read_text())["rules"]
    [required] = [rule["parameters"] for rule in rules if rule["type"] == "required_status_checks"]
    names = {job["name"]: job for job in jobs(service / ".github/workflows/ci.yml").values()}
    for check in required["required_status_checks"]:
        assert check["context"] in names
        assert names[check["context"]]["if"] == "always()", "a skipped check counts as passed"


def test_a_release_takes_nothing_from_a_cache_of_setups(service: Path) -> None:
    """What any branch can write could change what is released; the registry's cache only main writes.

    In the service's own workflow and in the one that may be called instead.
    """
    called = ROOT / ".github/workflows/service-release.yml"
    for file in (service / ".github/workflows/release.yml", called):
        actions = [one for job in jobs(file).values() for one in used(service, job)]
        assert actions
        assert {name for name, _ in actions} <= WITHOUT_CACHE
        given = [inputs.get("cache-binary") for name, inputs in actions if name == "docker/setup-buildx-action"]
        assert given
        assert set(given) == {False}


def test_what_a_model_is_released_by(template: Path, tmp_path: Path) -> None:
    """No cache of setups either; only one job can sign, and it uses no action that runs what a lock brings."""
    service = lab.render(template, tmp_path / "orders", {"kind": "model"})
    found = jobs(service / ".github/workflows/model-release.yml")
    setups = [
        step["with"] for job in found.values() for step in job["steps"] if step.get("uses") == "./.github/actions/setup"
    ]
    assert setups == [{"cache": "false"}]
    assert [name for name, job in found.items() if "id-token" in job["permissions"]] == ["sign"]
    assert {one for name, job in found.items() if name != "train" for one, _ in used(service, job)} <= WITHOUT_CACHE
    given = [inputs for job in found.values() for name, inputs in used(service, job) if name == "docker/login-action"]
    own = {"registry": "ghcr.io", "username": "${{ github.actor }}", "password": "${{ github.token }}"}
    assert given == [own, own]


def test_what_deploys_to_production_is_in_its_environment(service: Path) -> None:
    """Its reviewers protect the job that offers production a version; act ignores ``environment``: it is read here."""
    for file in (service / ".github/workflows").glob("*.yml"):
        for name, job in jobs(file).items():
            deploys = any("TO=production" in str(step.get("run", "")) for step in job.get("steps", ()))
            assert (job.get("environment") == "production") is deploys, f"{file.name}: {name}"
            assert deploys is ((file.name, name) == ("promote.yml", "promote"))


def test_what_waits_in_a_group_does_something(service: Path) -> None:
    """Of three runs in a group GitHub keeps the last: in preview.yml, whose events mostly mean nothing, only jobs wait.

    act runs one event at a time; that these jobs are skipped when the event means nothing is seen in test_preview.py.
    """
    content = yaml.safe_load((service / ".github/workflows/preview.yml").read_text())
    assert "concurrency" not in content
    groups = {name: job.get("concurrency", {}).get("group") for name, job in content["jobs"].items()}
    number = "${{ github.event.pull_request.number }}"
    assert groups == {
        "configuration": "preview-${{ github.run_id }}", "image": f"preview-image-{number}",
        "publish": f"preview-{number}", "remove": f"preview-{number}", "sweep": "preview-sweep",
    }  # fmt: skip


def test_the_registry_of_github_takes_the_jobs_own_token(service: Path) -> None:
    """Of every workflow in its default form; release.yml and promote.yml are run so in test_release.py."""
    logins = [
        (file.name, step["with"])
        for file in sorted((service / ".github/workflows").glob("*.yml"))
        for job in jobs(file).values()
        for step in job.get("steps", ())
        if step.get("uses") == "./.github/actions/registry"
    ]
    assert {name for name, _ in logins} == {"ci.yml", "preview.yml", "promote.yml", "release.yml", "scheduled.yml"}
    for name, given in logins:
        assert given == {"username": "${{ github.actor }}", "password": "${{ github.token }}"}, name
    assert "configuration" not in jobs(service / ".github/workflows/release.yml")
