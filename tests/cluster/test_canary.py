"""A good version is promoted; one whose own pods are worse is sent back, for the reason that makes it worse."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cluster.canary import Deployment, load
from tests.labs.built import Built
from tests.labs.cluster import Lab
from tests.labs.peers import Answer, Peer, Request, item_answer, problem_answer
from tests.labs.service import Service

pytestmark = [pytest.mark.cluster, pytest.mark.only("go")]

STABLE_RATE, CANARY_RATE = 60, 12


@pytest.fixture
def deployment(cluster_lab: Lab, built: Built, tmp_path: Path) -> Iterator[Deployment]:
    with Deployment(cluster_lab, built.folder, tmp_path) as running:
        yield running


class Versions:
    """Processes of the stable version and of the canary, each with an upstream of its own."""

    def __init__(self, stack: ExitStack, built: Built) -> None:
        self._stack, self._built = stack, built

    def start(self, answer: Callable[[Request], Answer], rate: float) -> tuple[Service, list[int]]:
        """Start one under load; returns it and the statuses that it answers."""
        peer = self._stack.enter_context(Peer(answer))
        env = {"UPSTREAM_URL": peer.url, "UPSTREAM_RETRIES": "0", "UPSTREAM_TIMEOUT_MS": "5000"}
        service = self._stack.enter_context(Service(self._built.folder, self._built.language, env))
        return service, self._stack.enter_context(load(service, rate))


@pytest.fixture
def versions(built: Built) -> Iterator[Versions]:
    with ExitStack() as stack:
        yield Versions(stack, built)


def every(number: int, answer: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
    """Answer every so many requests as told, the others well."""
    count = itertools.count(1)
    return lambda request: answer(request) if next(count) % number == 0 else item_answer(request)


def slow(request: Request) -> Answer:
    answer = item_answer(request)
    answer.delay = 0.7
    return answer


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
    everything = [*good, *some]
    assert sum(code >= 500 for code in everything) / len(everything) < 0.0144
    gone = deployment.wait(lambda status: status.get("updatedReplicas", 0) == 0 and status["availableReplicas"] == 2)
    assert gone["stableRS"] == deployment.stable


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
