"""A good version is promoted; one whose own pods are worse is sent back, for the reason that makes it worse."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.deployment import Deployment
from tests.cluster.versions import Answered, Versions, burst, every, load, slow
from tests.labs.built import Built
from tests.labs.cluster import Lab
from tests.labs.peers import Answer, Request, item_answer, problem_answer

pytestmark = [pytest.mark.cluster, pytest.mark.only("go")]

STABLE_RATE, CANARY_RATE = 60, 12
FIRST = 60  # requests at once; with less than 50, nothing is judged


@pytest.fixture
def deployment(cluster_lab: Lab, runnable: Built, tmp_path: Path) -> Iterator[Deployment]:
    with Deployment(cluster_lab, runnable.folder, tmp_path) as running:
        yield running


def test_a_good_version_is_promoted(deployment: Deployment, versions: Versions) -> None:
    stable, _ = versions.start(item_answer, STABLE_RATE)
    canary, _ = versions.start(item_answer, CANARY_RATE)
    version = deployment.release()
    deployment.scrape({deployment.stable: stable, version: canary})
    status = deployment.ended()
    assert status["stableRS"] == version, deployment.measured()
    measured = deployment.measured()
    assert {"availability-objective", "availability-than-stable", "latency-objective", "latency-than-stable"} == set(
        measured
    )
    assert all(value.startswith("Successful") for values in measured.values() for value in values)


# By objective, the share of bad requests up to which an analysis is content; slo.yaml says what is slow.
LIMITS = {"availability": 0.0144, "latency": 0.144}
THRESHOLD_SECONDS = 0.5


def bad(objective: str, answered: list[Answered]) -> float:
    """Return the share of requests that do not meet an objective, as their callers saw it."""
    errors = [one.status >= 500 if objective == "availability" else one.seconds > THRESHOLD_SECONDS for one in answered]
    return sum(errors) / len(errors)


@pytest.mark.parametrize(
    ("answer", "objective"),
    [(lambda _: problem_answer(500), "availability"), (slow, "latency")],
    ids=["errors", "slow"],
)
def test_a_version_whose_own_pods_are_worse_is_sent_back(
    deployment: Deployment, versions: Versions, answer: Callable[[Request], Answer], objective: str
) -> None:
    stable, good = versions.start(item_answer, STABLE_RATE)
    canary, some = versions.start(every(16 if objective == "availability" else 2, answer), CANARY_RATE)
    version = deployment.release()
    deployment.scrape({deployment.stable: stable, version: canary})
    status = deployment.ended()
    assert status.get("abort"), deployment.measured()
    assert f'Metric "{objective}-' in status["message"]
    assert "assessed Failed due to failed (2) > failureLimit (1)" in status["message"]
    # All pods together are within the limit that the canary is over.
    assert bad(objective, [*good, *some]) < LIMITS[objective] < bad(objective, some)
    gone = deployment.wait(lambda status: status.get("updatedReplicas", 0) == 0 and status["availableReplicas"] == 2)
    assert gone["stableRS"] == deployment.stable


def test_a_version_whose_very_first_requests_fail_is_sent_back(deployment: Deployment, versions: Versions) -> None:
    """All of them between two scrapes, and none after: a counter that began with them would not have them."""
    stable, _ = versions.start(item_answer, STABLE_RATE)
    answers = [lambda _: problem_answer(500)]
    canary, _ = versions.start(lambda request: answers[-1](request), 0)
    version = deployment.release()
    deployment.scrape({deployment.stable: stable, version: canary})
    deployment.judged()
    time.sleep(8)  # well before the first measurement, and within the window of all of them
    assert set(burst(canary, FIRST)) == {502}
    answers.append(item_answer)
    with load(canary, CANARY_RATE):
        status = deployment.ended()
    assert status.get("abort"), deployment.measured()
    assert 'Metric "availability-' in status["message"]


def test_few_requests_are_not_judged(deployment: Deployment, versions: Versions) -> None:
    stable, _ = versions.start(item_answer, STABLE_RATE)
    canary, _ = versions.start(lambda _: problem_answer(500), 1)
    version = deployment.release()
    deployment.scrape({deployment.stable: stable, version: canary})
    assert deployment.ended()["stableRS"] == version, deployment.measured()


def test_pods_that_are_not_scraped_wait_for_a_person(deployment: Deployment, versions: Versions) -> None:
    stable, _ = versions.start(item_answer, STABLE_RATE)
    deployment.release()
    deployment.scrape({deployment.stable: stable})
    status = deployment.ended()
    assert not status.get("abort")
    assert [pause["reason"] for pause in status["pauseConditions"]] == ["InconclusiveAnalysisRun"]
    assert status["stableRS"] == deployment.stable


def test_without_prometheus_no_version_goes_out(deployment: Deployment) -> None:
    deployment.prometheus.stop()
    deployment.release()
    status = deployment.ended()
    assert status.get("abort"), deployment.measured()
    assert "assessed Error due to consecutiveErrors (4) > consecutiveErrorLimit (3)" in status["message"]
    assert status["stableRS"] == deployment.stable
