"""retrain.yml against a real registry: what is better than the model that runs is offered, and nothing else is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.labs import openlineage
from tests.labs import template as lab
from tests.labs.images import Lab as ImageLab
from tests.labs.peers import Answer as Said
from tests.labs.peers import Peer
from tests.labs.service import make
from tests.labs.workflows.lab import Lab
from tests.labs.workflows.log import Result
from tests.labs.workflows.recorders import Answer, Recorder
from tests.workflows.conftest import GITHUB, SECRETS, VARIABLES, edit, pushed_diff
from tests.workflows.trained import SERVICE, WORKFLOW, Trained, written

pytestmark = [pytest.mark.images, pytest.mark.models, pytest.mark.only("model")]

NAME = f"acme/{SERVICE}"
FIT = "training/fit.py"
BRANCH = "release/staging-model"
RECORDED = {"gh": GITHUB, **{name: Recorder((Answer(real=True),)) for name in ("cosign", "oras")}}
KEY = "key-of-the-catalogue"
# Jobs that need nothing of what is installed.
PLAIN = ("champion", "lineage", "sign", "verify", "promote", "configuration")


@pytest.fixture(scope="module")
def catalogue() -> Iterator[Peer]:
    with Peer(lambda _: Said(201, b"")) as peer:
        yield peer


@pytest.fixture(scope="module")
def trained(
    language: str, template: Path, image_lab: ImageLab, own_registry: str, tmp_path_factory: pytest.TempPathFactory
) -> Trained:
    """A service whose model could be better: it has two trees."""
    assert language == "model"
    made = written(template, image_lab, own_registry, tmp_path_factory.mktemp("models"))
    edit(made.folder, FIT, "n_estimators=50", "n_estimators=2")
    return made


def run(
    runner: Lab, trained: Trained, catalogue: Peer, number: int, event: str = "workflow_dispatch", **more: Any
) -> Result:
    trained.signed_as(f"{WORKFLOW}@refs/heads/main")
    payload = {"repository": {"full_name": NAME, "private": False}, **more}
    return runner.run(
        trained.folder, event, payload, "retrain.yml", env={**trained.env, "GITHUB_RUN_NUMBER": str(number)},
        secrets={**SECRETS, "OPENLINEAGE_API_KEY": KEY}, variables={**VARIABLES, "OPENLINEAGE_URL": catalogue.url},
        recorders=RECORDED, plain=PLAIN,
    )  # fmt: skip


def output(result: Result, job: str) -> str:
    return next(one for one in result.jobs.values() if one.id.rpartition("/")[2] == job).output


def body(result: Result) -> str:
    """The text of the pull request that was opened."""
    [created] = [call for call in result.called("gh") if call.arguments[:2] == ("pr", "create")]
    return created.arguments[created.arguments.index("--body") + 1]


def merge(result: Result, trained: Trained) -> str:
    """Merge the pull request, as a person does; returns the digest that staging has now."""
    file, _, added = pushed_diff(result, NAME, BRANCH)
    assert file == "deploy/releases/staging/model/kustomization.yaml"
    lab.git(trained.folder, "pull", "--quiet", "--no-ff", "--no-rebase", str(result.remotes / NAME), BRANCH)
    [digest] = re.findall("sha256:[0-9a-f]{64}", added)
    return str(digest)


def shown(trained: Trained) -> str:
    done = make(trained.folder, "model", "--silent", "promoted", "ENVIRONMENT=staging")
    return re.search("^model=(.*)$", done.stdout, re.MULTILINE)[1]  # type: ignore[index]


def test_a_better_model_comes_as_a_pull_request_and_goes_with_a_revert(
    trained: Trained, catalogue: Peer, tmp_path: Path
) -> None:
    """The first has nothing to be compared with; the second is better; the third is worse, and nobody hears of it."""
    runner = Lab(tmp_path / "runs")
    first = run(runner, trained, catalogue, 1)
    assert first.code == 0, first.stdout[-5000:]
    assert "Proposed: there is no champion" in body(first)
    champion = merge(first, trained)

    edit(trained.folder, FIT, "n_estimators=2", "n_estimators=50")
    second = run(runner, trained, catalogue, 2)
    assert second.code == 0, second.stdout[-5000:]
    text = body(second)
    assert "Proposed: better than the champion on the same held-out data." in text
    assert re.search(r"\| log_loss \| [\d.]+ \| [\d.]+ \| -[\d.]+ \|", text)
    assert f"The champion is `{shown(trained)}`." in text
    _, removed, added = pushed_diff(second, NAME, BRANCH)
    assert champion in removed
    assert champion not in added
    # Who has a token trains nothing, and who trains has none.
    asked = {second.jobs[call.job].id.rpartition("/")[2] for call in (*second.called("oras"), *second.called("cosign"))}
    assert asked == {"champion", "sign", "verify"}
    assert "train" not in output(second, "sign")
    told = [json.loads(request.body) for request in catalogue.requests]
    assert [openlineage.check(event).eventType.value for event in told] == ["START", "COMPLETE"] * 2  # type: ignore[union-attr]
    assert {request.headers["authorization"] for request in catalogue.requests} == {f"Bearer {KEY}"}

    challenger = merge(second, trained)
    assert shown(trained).endswith(challenger)
    lab.git(trained.folder, "revert", "--no-edit", "--mainline", "1", "HEAD")
    assert shown(trained).endswith(champion)
    done = make(trained.folder, "model", "model-verify", f"MODEL_REF={shown(trained)}", env=trained.env)
    assert done.returncode == 0, done.stdout
    lab.git(trained.folder, "revert", "--no-edit", "HEAD")
    assert shown(trained).endswith(challenger)

    edit(trained.folder, FIT, "n_estimators=50", "n_estimators=3")
    third = run(runner, trained, catalogue, 3)
    assert third.code == 0, third.stdout[-5000:]
    assert "and not below the champion's" in output(third, "train")
    assert not third.called("gh")
    assert {third.jobs[call.job].id for call in third.called("oras")} == {"champion"}


def test_data_that_break_the_contract_train_nothing(trained: Trained, catalogue: Peer, tmp_path: Path) -> None:
    before = len(catalogue.requests)
    edit(
        trained.folder,
        "training/data.py",
        r"^    return source\.data\.assign\(",
        '    source.data.loc[5, "mean area"] = -1\n    return source.data.assign(',
    )
    result = run(Lab(tmp_path / "runs"), trained, catalogue, 4, "repository_dispatch", action="retrain")
    assert result.result("train") == "failure"
    assert "mean area: 1 of 569 rows is not at least 10, the first is row 6" in output(result, "train")
    assert not result.called("gh")
    assert not result.called("cosign") or {result.jobs[call.job].id for call in result.called("cosign")} == {"champion"}
    told = [json.loads(request.body) for request in catalogue.requests[before:]]
    assert [openlineage.check(event).eventType.value for event in told] == ["START", "FAIL"]  # type: ignore[union-attr]


def test_a_calendar_alone_trains_nothing(trained: Trained, catalogue: Peer, tmp_path: Path) -> None:
    result = run(Lab(tmp_path / "runs"), trained, catalogue, 5, "schedule")
    assert result.code == 0, result.stdout[-3000:]
    assert (result.result("champion"), result.result("train")) == ("success", "skipped")
    assert "gh variable set RETRAIN --body true" in result.jobs["champion"].summary
