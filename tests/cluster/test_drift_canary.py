"""A canary of a model: sent back where its own pods drift and the stable ones do not, whatever else is said of it."""

from __future__ import annotations

import json
import math
import random
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cluster.deployment import Deployment
from tests.cluster.versions import load
from tests.labs.built import Built
from tests.labs.cluster import Lab
from tests.labs.service import Service

pytestmark = [pytest.mark.cluster, pytest.mark.models, pytest.mark.only("model")]

PSI = 0.25  # as in slo.yaml
Instance = dict[str, float]
# Requests a second, each with so many instances: all of them count, for nothing is sampled away.
RATE, BATCH = 6, 15


@pytest.fixture(scope="module")
def trained(runnable: Built) -> list[Instance]:
    """What the model of the service is trained on, as the API takes it."""
    code = (
        "import json; from training.data import load, raw; from [module].model.features import Features; "
        "rows = load(raw()).split()[0].rows.tolist(); "
        "print(json.dumps([dict(zip(Features.model_fields, row)) for row in rows]))"
    )
    module = runnable.folder.name.replace("-", "_")
    done = subprocess.run(
        [".venv/bin/python", "-c", code.replace("[module]", module)],
        cwd=runnable.folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: list[Instance] = json.loads(done.stdout)
    return found


def as_trained(instances: list[Instance]) -> Callable[[], object]:
    """Make batches of what the model is trained on."""
    chance = random.Random(7)
    return lambda: {"instances": chance.choices(instances, k=BATCH)}


def shifted(instances: list[Instance]) -> Callable[[], object]:
    """Make batches of the same, with one feature as if somebody had changed its unit."""
    return as_trained([{**one, "mean_texture": one["mean_texture"] * 2} for one in instances])


class Pods:
    """Processes of the service that stand for the pods of its versions, under load."""

    def __init__(self, stack: ExitStack, built: Built) -> None:
        self._stack, self._built = stack, built

    def start(self, document: Callable[[], object], rate: float = RATE, every: int = 1) -> Service:
        """Start one, and ask it for predictions; one of so many requests is sampled."""
        env = {"DRIFT_SAMPLE_EVERY": str(every)}
        service = self._stack.enter_context(Service(self._built.folder, self._built.language, env))
        self._stack.enter_context(load(service, rate, "/v1/predictions/batch", document))
        return service


@pytest.fixture
def pods(runnable: Built) -> Iterator[Pods]:
    with ExitStack() as stack:
        yield Pods(stack, runnable)


@pytest.fixture
def deploy(cluster_lab: Lab, runnable: Built, tmp_path: Path) -> Iterator[Callable[[str], Deployment]]:
    with ExitStack() as stack:
        yield lambda environment: stack.enter_context(Deployment(cluster_lab, runnable.folder, tmp_path, environment))


@pytest.fixture
def deployment(deploy: Callable[[str], Deployment]) -> Deployment:
    """Production, where nothing counts as good that was not measured."""
    return deploy("production")


def drift(deployment: Deployment) -> list[tuple[str, float]]:
    """How drift was judged, and of which index; NaN where there was none."""
    words = [one.split(maxsplit=1) for one in deployment.measured()["drift"]]
    return [(phase, float(value.strip("[]") or "nan")) for phase, value in words]


def test_a_model_that_is_asked_what_it_was_trained_on_is_promoted(
    deployment: Deployment, pods: Pods, trained: list[Instance]
) -> None:
    stable, canary = (pods.start(as_trained(trained)) for _ in range(2))
    version = deployment.release()
    deployment.scrape({deployment.stable: stable, version: canary})
    assert deployment.ended()["stableRS"] == version, deployment.measured()
    assert all(phase == "Successful" and 0 <= psi < PSI for phase, psi in drift(deployment)), drift(deployment)
    assert len(drift(deployment)) == 8, "four of each analysis"


def test_a_model_whose_own_pods_drift_is_sent_back(deployment: Deployment, pods: Pods, trained: list[Instance]) -> None:
    stable, canary = pods.start(as_trained(trained)), pods.start(shifted(trained))
    version = deployment.release()
    deployment.scrape({deployment.stable: stable, version: canary})
    status = deployment.ended()
    assert status.get("abort"), deployment.measured()
    assert 'Metric "drift" assessed Failed due to failed (2) > failureLimit (1)' in status["message"]
    assert all(psi > PSI for phase, psi in drift(deployment) if phase == "Failed")
    others = [one for name, values in deployment.measured().items() if name != "drift" for one in values]
    assert {one.split()[0] for one in others} == {"Successful"}, "it answers fast, and all requests"


def test_what_drifts_everywhere_is_not_the_fault_of_a_version(
    deployment: Deployment, pods: Pods, trained: list[Instance]
) -> None:
    stable, canary = (pods.start(shifted(trained)) for _ in range(2))
    version = deployment.release()
    deployment.scrape({deployment.stable: stable, version: canary})
    assert deployment.ended()["stableRS"] == version, deployment.measured()
    assert all(phase == "Successful" for phase, _ in drift(deployment))


@pytest.mark.parametrize("few", [{"rate": 0.1}, {"every": 0}], ids=["requests", "sampled"])
def test_few_values_wait_for_a_person(
    deployment: Deployment, pods: Pods, trained: list[Instance], few: dict[str, float]
) -> None:
    """However they are distributed; nothing else is said against the version."""
    stable, canary = pods.start(as_trained(trained)), pods.start(shifted(trained), **few)  # type: ignore[arg-type]
    version = deployment.release()
    deployment.scrape({deployment.stable: stable, version: canary})
    status = deployment.ended()
    assert not status.get("abort"), deployment.measured()
    assert [pause["reason"] for pause in status["pauseConditions"]] == ["InconclusiveAnalysisRun"]
    assert status["stableRS"] == deployment.stable
    assert [phase for phase, psi in drift(deployment) if math.isnan(psi)] == ["Inconclusive"] * 4
    deployment.decide("promote")
    assert deployment.wait(lambda status: not status.get("controllerPause"))


def test_in_staging_few_values_are_enough(
    deploy: Callable[[str], Deployment], pods: Pods, trained: list[Instance]
) -> None:
    deployment = deploy("staging")
    stable, canary = pods.start(as_trained(trained)), pods.start(shifted(trained), rate=0.1)
    version = deployment.release()
    deployment.scrape({deployment.stable: stable, version: canary})
    assert deployment.ended()["stableRS"] == version, deployment.measured()
    assert set(drift(deployment)) == {("Successful", 0)}


def test_a_model_that_is_not_scraped_waits_for_a_person(
    deploy: Callable[[str], Deployment], pods: Pods, trained: list[Instance]
) -> None:
    """In staging, too."""
    deployment = deploy("staging")
    stable = pods.start(as_trained(trained))
    deployment.release()
    deployment.scrape({deployment.stable: stable})
    status = deployment.ended()
    assert not status.get("abort")
    assert [pause["reason"] for pause in status["pauseConditions"]] == ["InconclusiveAnalysisRun"]
    assert {phase for phase, _ in drift(deployment)} == {"Inconclusive"}
