"""ci.yml of a service for a model: what every service has, and the baseline of a pull request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.labs.workflows.endings import Ended
from tests.labs.workflows.lab import Lab
from tests.workflows.conftest import edit
from tests.workflows.test_ci import GH, JOBS, PLAIN, WORK, pull_request

pytestmark = [pytest.mark.images, pytest.mark.models, pytest.mark.only("model")]
Clone = Callable[[], Path]
OTHERS = {job: Ended("success") for job in WORK}


def test_pull_request_is_green(runner: Lab, clone: Clone, job_env: dict[str, str]) -> None:
    """Every job with its real verb: the model is trained in five of them, the image included."""
    folder = clone()
    edit(folder, "Makefile", r"\Z", "\n# A change of code.\n")
    result = pull_request(runner, folder, job_env)
    jobs = (*JOBS, "baseline")
    assert {job: result.result(job) for job in jobs} == dict.fromkeys(jobs, "success"), result.stdout[-5000:]
    for job, said in {
        "test": "ok    unit tests", "contract": "ok    contract, as provider", "policy": "ok    workflows",
        "image": "ok    image starts and stops", "baseline": "| accuracy |",
    }.items():  # fmt: skip
        assert said in result.jobs[job].output
    assert "| measure | base | head | head / base | limit |" in result.jobs["baseline"].summary
    assert "Not configured yet" in result.jobs["ci-ok"].summary


def test_a_model_that_is_worse_turns_the_check_red(runner: Lab, clone: Clone, job_env: dict[str, str]) -> None:
    folder = clone()
    edit(folder, "training/fit.py", "min_samples_leaf=2", "min_samples_leaf=150")
    result = pull_request(runner, folder, job_env, ended=OTHERS)
    assert (result.result("baseline"), result.result("ci-ok")) == ("failure", "failure"), result.stdout[-5000:]
    assert "FAIL  baseline: accuracy is worse by 0." in result.jobs["baseline"].output
    assert "FAIL  baseline: failure" in result.jobs["ci-ok"].output


def test_main_is_not_measured_again(runner: Lab, clone: Clone, job_env: dict[str, str]) -> None:
    result = runner.run(
        clone(), "push", {}, "ci.yml", env=job_env, recorders=GH, ended=OTHERS, plain=(*PLAIN, "baseline")
    )
    assert (result.result("baseline"), result.result("ci-ok")) == ("success", "success"), result.stdout[-5000:]
    assert "make baseline" not in result.jobs["baseline"].output
