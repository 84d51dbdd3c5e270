"""promote.yml: what staging runs is verified and offered to production, and nothing else is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.labs import template as lab
from tests.labs.service import make
from tests.labs.workflows.lab import Lab
from tests.labs.workflows.log import Result
from tests.labs.workflows.recorders import Answer, Recorder
from tests.workflows.conftest import GITHUB, SECRETS, VARIABLES, VERSION, Release, pushed_diff

pytestmark = [pytest.mark.images, pytest.mark.only("go")]

OPEN = '[{"number": 3, "url": "https://github.com/acme/go-orders/pull/3"}]'


@dataclass(frozen=True)
class Staged:
    """A release whose image is signed and runs in staging.

    Attributes:
        release: the service.
        image: reference of the image.
    """

    release: Release
    image: str


@pytest.fixture(scope="module")
def first_staged(first_release: Release, tmp_path_factory: pytest.TempPathFactory) -> Staged:
    """Nobody changes it."""
    release = first_release.copied(tmp_path_factory.mktemp("staged"))
    for verb in (("image", "PUSH=true"), ("sign",)):
        done = make(release.folder, "go", *verb, env=release.env)
        assert done.returncode == 0, done.stdout
    image = (release.folder / "build/image-ref").read_text().strip()
    done = make(
        release.folder, "go", "promote", "TO=staging", f"IMAGE_REF={image}", f"VERSION={VERSION}", env=release.env
    )
    assert done.returncode == 0, done.stdout
    lab.commit_all(release.folder, f"Release {VERSION} to staging")
    return Staged(release, image)


@pytest.fixture
def release(first_staged: Staged, tmp_path: Path) -> Release:
    return first_staged.release.copied(tmp_path)


@pytest.fixture
def staged(first_staged: Staged) -> str:
    return first_staged.image


def run(runner: Lab, release: Release, gh: Recorder = GITHUB, **settings: dict[str, str]) -> Result:
    given = {"secrets": SECRETS, "variables": VARIABLES, **settings}
    return runner.run(
        release.folder, "push", {"repository": {"full_name": "acme/go-orders"}}, "promote.yml",
        env=release.env, recorders={"gh": gh}, secrets=given["secrets"], variables=given["variables"],
    )  # fmt: skip


def test_production_is_offered_what_staging_runs(runner: Lab, release: Release, staged: str) -> None:
    result = run(runner, release)
    assert result.code == 0, result.stdout[-5000:]
    file, removed, added = pushed_diff(result, "acme/go-orders", "release/production")
    assert file == "deploy/releases/production/kustomization.yaml"
    assert removed.endswith(" # nothing yet")
    assert added == f"    digest: {staged.partition('@')[2]} # {VERSION}"
    [created] = [call for call in result.called("gh") if call.arguments[:2] == ("pr", "create")]
    assert staged.partition("@")[2] in created.arguments[created.arguments.index("--body") + 1]


def test_an_open_pull_request_is_brought_up_to_date(runner: Lab, release: Release, staged: str) -> None:
    result = run(runner, release, Recorder((Answer("^pr list", stdout=OPEN),)))
    assert result.code == 0, staged
    assert [call.arguments[:3] for call in result.called("gh")][1:] == [("pr", "edit", "3")]


def test_what_is_not_verified_is_not_offered(runner: Lab, release: Release, staged: str) -> None:
    done = make(release.folder, "go", "image", "PUSH=true", "VERSION=v3.0.0", env=release.env)
    assert done.returncode == 0, done.stdout
    unsigned = (release.folder / "build/image-ref").read_text().strip()
    assert unsigned != staged
    done = make(release.folder, "go", "promote", "TO=staging", f"IMAGE_REF={unsigned}", "VERSION=v3", env=release.env)
    assert done.returncode == 0, done.stdout
    lab.commit_all(release.folder, "Somebody's own release")
    result = run(runner, release)
    assert (result.result("verify"), result.result("promote")) == ("failure", "skipped")
    assert "no signatures found" in result.jobs["verify"].output
    assert not result.called("gh")


def test_without_an_app_it_says_what_to_do(runner: Lab, release: Release, staged: str) -> None:
    secrets = {"REGISTRY_PASSWORD": "hunter2"}
    result = run(runner, release, secrets=secrets, variables={"REGISTRY_USERNAME": "robot"})
    assert result.code == 0
    summary = result.jobs["promote"].summary
    assert "and say in the message: Deploy freeze: not asked, since nothing runs there yet" in summary
    assert "gh secret set AUTOMATION_APP_KEY" in summary
    assert f"+    digest: {staged.partition('@')[2]} # {VERSION}" in summary
    assert not result.called("gh")


def test_nothing_is_pushed_over_somebodys_commit(runner: Lab, release: Release, staged: str) -> None:
    lab.git(release.folder, "switch", "--quiet", "--create", "release/production")
    (release.folder / "NOTES").write_text(staged)
    lab.commit_all(release.folder, "Mine")
    lab.git(release.folder, "switch", "--quiet", "main")
    result = run(runner, release)
    assert result.result("promote") == "failure"
    assert "FAIL  promotion: release/production has a commit of somebody else" in result.jobs["promote"].output
    assert lab.git(result.remotes / "acme/go-orders", "log", "-1", "--format=%s", "release/production") == "Mine"


def test_the_first_push_promotes_nothing_and_is_green(runner: Lab, first_release: Release) -> None:
    result = run(runner, first_release, secrets={}, variables={})
    assert result.code == 0
    assert (result.result("verify"), result.result("promote")) == ("success", "skipped")
