"""The measures of DORA, of histories whose measures were computed by hand."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from golden_path.service.measures import Deployment, History, Incident, Measures, histories, measure, moment

START = datetime(2026, 3, 1, tzinfo=UTC)
A, B, C = (f"ghcr.io/acme/orders@sha256:{letter * 64}" for letter in "abc")


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def out(hours: float, image: str = "", *, lead: float | None = None, incident: str = "") -> Deployment:
    """A version that goes out, made ``lead`` hours before."""
    return Deployment(at(hours), False, image, None if lead is None else at(hours - lead), incident)


def back(hours: float, image: str = "", incident: str = "") -> Deployment:
    return Deployment(at(hours), True, image, None, incident)


def hours(told: list[timedelta]) -> list[float]:
    return sorted(one.total_seconds() / 3600 for one in told)


def history(*deployments: Deployment, **incidents: tuple[float | None, float | None]) -> History:
    return History(
        list(deployments),
        {
            name: Incident(*(None if one is None else at(one) for one in pair))
            for name, pair in incidents.items()
        },
    )  # fmt: skip


def test_a_month_as_it_should_be() -> None:
    """Three deployments in ten days; leads of 2, 4 and 30 hours."""
    told = measure(history(out(0, A, lead=2), out(100, B, lead=4), out(240, C, lead=30)))
    assert (told.days, told.deployed, told.failed, told.rework) == (10, 3, 0, 0)
    assert hours(told.leads) == [2, 4, 30]
    assert told.recoveries == []


def test_a_rollback_counts_for_the_version_that_it_takes_back() -> None:
    told = measure(history(out(0, A), out(24, B), back(26, A), out(48, C)))
    assert (told.deployed, told.failed) == (3, 1)
    assert hours(told.recoveries) == [2], "nobody told of an incident: from the deployment to the rollback"


def test_two_rollbacks_of_one_version_are_one_failure() -> None:
    """It came back twice, for example since a revert was made by a person and by Argo Rollouts."""
    told = measure(history(out(0, A), out(24, B), back(26, A), back(27, A)))
    assert (told.deployed, told.failed) == (2, 1)


def test_back_by_two_versions_in_one_step() -> None:
    """B was fine while it ran; only C, which was running, failed."""
    told = measure(history(out(0, A), out(24, B), out(48, C), back(49, A), out(72, B)))
    assert (told.deployed, told.failed) == (4, 1)


def test_back_step_by_step_without_images() -> None:
    told = measure(history(out(0), out(24), out(48), back(49), back(50)))
    assert (told.deployed, told.failed) == (3, 2)


def test_a_hot_fix_counts_for_the_version_that_ran() -> None:
    """Version B hurts at hour 25, the fix goes out at 27, the incident is over at 28."""
    told = measure(history(out(0, A), out(24, B), out(27, C, incident="INC-1"), **{"INC-1": (25, 28)}))
    assert (told.deployed, told.failed, told.rework) == (3, 1, 1)
    assert hours(told.recoveries) == [3]


def test_a_rollback_and_then_the_fix_are_one_failure() -> None:
    """A, which came back, did nothing wrong: the fix remedies what B did."""
    told = measure(
        history(out(0, A), out(24, B), back(26, A), out(40, C, incident="INC-1"), **{"INC-1": (25, 26.5)})
    )  # fmt: skip
    assert (told.deployed, told.failed, told.rework) == (3, 1, 1)
    assert hours(told.recoveries) == [1.5], "the incident's, not once more the rollback's"


def test_a_hot_fix_that_needs_one_itself() -> None:
    told = measure(
        history(
            out(0, A), out(24, B, incident="INC-1"), out(26, C, incident="INC-2"),
            **{"INC-1": (23, 24.5), "INC-2": (25, 27)},
        )
    )  # fmt: skip
    assert (told.deployed, told.failed, told.rework) == (3, 2, 2)
    assert hours(told.recoveries) == [1.5, 2]


def test_an_incident_that_no_deployment_remedies_is_no_change_failure() -> None:
    """A disk was full. It counts for the recovery, not for the changes."""
    told = measure(history(out(0, A), out(24, B), **{"INC-1": (30, 31)}))
    assert (told.failed, hours(told.recoveries), told.open) == (0, [1], 0)


def test_incidents_that_go_on_are_open() -> None:
    told = measure(history(out(0, A), **{"INC-1": (1, None), "INC-2": (None, 5)}))
    assert (told.open, told.recoveries) == (1, [])


def test_two_deployments_a_minute() -> None:
    told = measure(history(*(out(number / 120, lead=1) for number in range(240))), at(0), at(24))
    assert (told.days, told.deployed, len(told.leads)) == (1, 240, 240)


def test_a_month_without_any() -> None:
    told = measure(history(out(0, A)), at(24 * 31), at(24 * 61))
    assert (told.days, told.deployed, told.failed, told.leads, told.recoveries) == (30, 0, 0, [], [])


def test_a_service_of_which_nothing_is_known() -> None:
    assert measure(History()) == Measures()
    assert measure(History(), at(0), at(48)).days == 2


def test_clocks_that_disagree() -> None:
    """A commit of after its deployment, and an incident that ends before it begins: said, and in no number."""
    told = measure(history(out(10, A, lead=-1), out(20, B, lead=3), **{"INC-1": (15, 14)}))
    assert (told.clocks, hours(told.leads), told.recoveries) == (2, [3], [])


def test_a_period_knows_what_ran_before_it() -> None:
    """B went out before the period and comes back in it: it is in neither number of the rate."""
    told = measure(history(out(0, A), out(20, B), back(30, A), out(40, C)), at(24), at(48))
    assert (told.days, told.deployed, told.failed) == (1, 1, 0)


def test_a_period_does_not_know_what_comes_after_it() -> None:
    told = measure(history(out(0, A), out(20, B), back(30, A), **{"INC-1": (21, 30)}), at(0), at(24))
    assert (told.deployed, told.failed, told.open, told.recoveries) == (2, 0, 1, [])


def test_the_end_of_a_period_is_not_in_it() -> None:
    told = measure(history(out(0), out(24)), at(0), at(24))
    assert told.deployed == 1


def test_the_order_of_events_does_not_matter() -> None:
    deployments = [out(0, A), out(24, B), back(26, A), out(40, C, incident="INC-1"), out(50, B), back(51, C)]
    told = measure(history(*deployments, **{"INC-1": (25, 26.5)}))
    assert (told.failed, told.rework) == (2, 1)
    for seed in range(20):
        shuffled = random.Random(seed).sample(deployments, len(deployments))
        assert measure(history(*shuffled, **{"INC-1": (25, 26.5)})) == told


def test_a_team_has_the_measures_of_its_services() -> None:
    team = Measures()
    team.add(measure(history(out(0, A, lead=1), out(24, B), back(25, A)), at(0), at(240)))
    team.add(measure(history(out(3, A, lead=5)), at(0), at(240)))
    assert (team.days, team.deployed, team.failed, hours(team.leads)) == (10, 3, 1, [1, 5])


def event(kind: str, when: str, **more: Any) -> dict[str, Any]:
    content = {"environment": {"id": "production"}, **more}
    return {
        "context": {"type": f"dev.cdevents.{kind}.0.3.0", "timestamp": when, "source": "s", "id": when},
        "subject": {"id": "orders", "content": content},
    }


def test_events_of_other_kinds_are_left_out() -> None:
    kinds = ("pipelinerun.finished", "service.upgraded", "x", "incident.reported")
    others = [event(kind, "2026-03-01T00:00:00Z") for kind in kinds]
    assert histories([*others, {"context": {"type": "org.example"}}]) == {}


@pytest.mark.parametrize("text", ["yesterday", "2026-03-01T00:00:00", "2026-13-01T00:00:00Z", ""])
def test_a_time_without_a_zone_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"time zone|Invalid isoformat|month"):
        moment(text)


def test_zones_are_the_same_moment() -> None:
    [found] = histories(
        [event("service.deployed", "2026-03-01T13:00:00+01:00"), event("service.deployed", "2026-03-01T12:00:00.000Z")]
    ).values()
    assert len({one.when for one in found.deployments}) == 1
