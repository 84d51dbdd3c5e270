"""Blue/green: a good version becomes active; a bad one never does, or is sent back at once when it turns bad later."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.deployment import Deployment
from tests.cluster.versions import ITEM, Versions, every, slow
from tests.labs import template as template_lab
from tests.labs.built import UPSTREAM, Built
from tests.labs.cluster import Lab
from tests.labs.peers import Answer, Peer, Request, item_answer, problem_answer

pytestmark = [pytest.mark.cluster, pytest.mark.only("go")]

# Requests a second to the active version, and to one in preview besides those of smoke.yaml.
RATE, PREVIEW_RATE = 30, 12
OBJECTIVES = {"availability-objective", "availability-than-stable", "latency-objective", "latency-than-stable"}


def post(metric: dict[str, Any]) -> dict[str, Any]:
    """Return a request of the team's own beside the template's one: it makes an item, and so calls the upstream."""
    web = metric["provider"]["web"]
    url = web["url"].partition("?")[0]
    return {**metric, "name": "smoke-create", "provider": {"web": {"method": "POST", "url": url, "jsonBody": ITEM}}}


@pytest.fixture
def deployment(cluster_lab: Lab, template: Path, runnable: Built, tmp_path: Path) -> Iterator[Deployment]:
    """The environment of the service with the answer; its processes are those of the one that is built."""
    answers = {"language": "go", "service_name": runnable.folder.name, "upstream": UPSTREAM, "delivery": "blue-green"}
    folder = template_lab.render(template, tmp_path / "service", answers)
    file = folder / "deploy/base/smoke.yaml"
    smoke = yaml.safe_load(file.read_text())
    smoke["spec"]["metrics"].append(post(smoke["spec"]["metrics"][0]))
    file.write_text(yaml.safe_dump(smoke))
    with Deployment(cluster_lab, folder, tmp_path) as running:
        yield running


def never(deployment: Deployment, version: str) -> dict[str, Any]:
    """Wait for the end; the version may not be active at any time before."""

    def look(status: dict[str, Any]) -> bool:
        assert deployment.selected() != version, deployment.measured()
        return bool(status.get("abort"))

    return deployment.wait(look)


def test_a_good_version_becomes_active_after_the_smoke_requests(deployment: Deployment, versions: Versions) -> None:
    stable, _ = versions.start(item_answer, RATE)
    preview, _ = versions.start(item_answer, 0)
    deployment.preview(preview)
    version = deployment.release()
    deployment.scrape({deployment.stable: stable, version: preview})
    deployment.wait(lambda _: deployment.selected("-preview") == version and deployment.endpoints("-preview") != {})
    assert deployment.selected() == deployment.stable
    # The new version has all its pods before it is active; each pod is scraped once, whatever Service leads to it.
    both = {deployment.stable: 2, version: 2}
    deployment.wait(lambda _: deployment.endpoints("-pods") == both)
    assert (deployment.endpoints(), deployment.endpoints("-preview")) == ({deployment.stable: 2}, {version: 2})
    status = deployment.ended()
    assert status["stableRS"] == version, deployment.measured()
    assert deployment.selected() == version
    measured = deployment.measured()
    assert set(measured) == {*OBJECTIVES, "smoke-items", "smoke-create"}
    assert all(value.startswith("Successful") for values in measured.values() for value in values)
    # Before and after it was active, four times each.
    assert {len(measured[name]) for name in OBJECTIVES} == {8}


@pytest.mark.parametrize(
    ("answer", "number", "objective"),
    [(lambda _: problem_answer(500), 16, "availability"), (slow, 3, "latency")],
    ids=["errors", "slow"],
)
def test_a_version_that_answers_the_smoke_requests_worse_is_never_active(
    deployment: Deployment,
    versions: Versions,
    answer: Callable[[Request], Answer],
    number: int,
    objective: str,
) -> None:
    stable, good = versions.start(item_answer, RATE)
    preview, _ = versions.start(every(number, answer), PREVIEW_RATE)
    deployment.preview(preview)
    version = deployment.release()
    deployment.scrape({deployment.stable: stable, version: preview})
    status = never(deployment, version)
    assert f'Metric "{objective}-' in status["message"], deployment.measured()
    assert "assessed Failed due to failed (2) > failureLimit (1)" in status["message"]
    assert deployment.selected() == status["stableRS"] == deployment.stable
    assert {one.status for one in good} == {201}


def test_a_version_that_answers_nothing_is_never_active(deployment: Deployment, versions: Versions) -> None:
    stable, _ = versions.start(item_answer, RATE)
    preview, _ = versions.start(lambda _: problem_answer(500), 0)
    deployment.preview(preview)
    version = deployment.release()
    deployment.scrape({deployment.stable: stable, version: preview})
    status = never(deployment, version)
    # Both see it; which comes first depends on the machine.
    smoke = r'Metric "smoke-create" assessed Error due to consecutiveErrors \(5\) > consecutiveErrorLimit \(4\)'
    assert re.search(f'{smoke}|Metric "availability-[a-z-]+" assessed Failed', status["message"]), status["message"]
    asked = deployment.measured()["smoke-create"]
    assert asked
    assert all(one.startswith("Error") for one in asked), asked


def test_a_version_that_turns_bad_once_it_is_active_is_sent_back(deployment: Deployment, versions: Versions) -> None:
    active = threading.Event()

    def answer(request: Request) -> Answer:
        return problem_answer(500) if active.is_set() else item_answer(request)

    stable, _ = versions.start(item_answer, RATE)
    preview, _ = versions.start(every(16, answer), RATE)
    deployment.preview(preview)
    version = deployment.release()
    deployment.scrape({deployment.stable: stable, version: preview})
    deployment.wait(lambda _: deployment.selected() == version)
    assert deployment.status()["stableRS"] == deployment.stable, "it is not judged any more"
    active.set()
    status = deployment.ended()
    assert status.get("abort"), deployment.measured()
    assert 'Metric "availability-' in status["message"]
    deployment.wait(lambda _: deployment.selected() == deployment.stable)
    # Nothing had to start for it.
    assert deployment.endpoints() == {deployment.stable: 2}


def test_a_person_decides_as_the_runbook_says(cluster_lab: Lab, template: Path, tmp_path: Path) -> None:
    """Nothing is scraped, so each analysis waits for a person."""
    answers = {"language": "go", "service_name": "by-hand", "delivery": "blue-green"}
    folder = template_lab.render(template, tmp_path / "service", answers)
    with Deployment(cluster_lab, folder, tmp_path) as deployment, Peer(lambda _: Answer()) as peer:
        deployment.preview(peer)

        def waits_for_a_person(status: dict[str, Any]) -> bool:
            return bool(status.get("pauseConditions")) and not status.get("abort")

        def judged(metric: str = "latency-objective") -> int:
            return len(deployment.measured().get(metric, []))

        version = deployment.release()
        deployment.wait(waits_for_a_person)
        deployment.decide("abort")
        deployment.wait(lambda status: bool(status.get("abort")))
        assert deployment.selected() == deployment.stable
        deployment.decide("retry", "rollout")
        deployment.wait(waits_for_a_person)
        before = judged()
        deployment.decide("promote")
        deployment.wait(lambda status: judged() > before and waits_for_a_person(status))
        assert deployment.selected() == deployment.stable, "it is judged once more, no more than that"
        before = judged()
        deployment.decide("promote", "--full")
        deployment.wait(lambda status: deployment.selected() == version == status.get("stableRS"))
        # The pods of the version before are still there: it is active at once.
        deployment.decide("undo")
        deployment.wait(lambda status: deployment.selected() == deployment.stable == status.get("stableRS"))
        assert judged() == before, "neither was judged"
