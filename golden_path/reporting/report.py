"""The numbers of a fleet: what DORA measures, by service, by team and by month."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from golden_path.errors import Exit, FleetError
from golden_path.service.measures import History, Measures, histories, measure, read

WEEK = 7


@dataclass(frozen=True)
class Service:
    """A service in an environment.

    Attributes:
        name: of it.
        team: that owns it; empty if nobody says.
        measures: of the period.
    """

    name: str
    team: str
    measures: Measures


@dataclass(frozen=True)
class Report:
    """The numbers.

    Attributes:
        environment: of which they are.
        since: the first moment of the period.
        until: the first one after it.
        services: by name.
        months: by their first days: ``2026-03``.
    """

    environment: str
    since: datetime
    until: datetime
    services: Sequence[Service]
    months: Mapping[str, Measures] = field(default_factory=dict)

    @property
    def teams(self) -> dict[str, Measures]:
        """The measures of the teams: those of all of a team's services, in one."""
        return {
            team: together(one.measures for one in self.services if one.team == team)
            for team in sorted({one.team for one in self.services if one.team})
        }

    @property
    def total(self) -> Measures:
        """The measures of all."""
        return together(one.measures for one in self.services)


def together(several: Iterable[Measures]) -> Measures:
    """Return the measures of several services as one."""
    found = Measures()
    for one in several:
        found.add(one)
    return found


def report(
    places: Sequence[Path],
    environment: str,
    since: datetime | None = None,
    until: datetime | None = None,
    owners: Mapping[str, str] | None = None,
) -> Report:
    """Compute the numbers.

    Args:
        places: files and folders of CDEvents.
        environment: of which.
        since: the first moment that counts; the first event of the environment by default.
        until: the first one that no longer counts; after the last event by default.
        owners: the team by service. With them, only these services count, also those of which there is no event.

    Raises:
        FleetError: a file cannot be read, holds something else, or there is no event of the environment.
    """
    known = _known(places)
    found = {service: one for (service, where), one in known.items() if where == environment}
    every = [when for one in found.values() for when in one.moments]
    if not every:
        others = ", ".join(sorted({where for _, where in known})) or "none"
        raise FleetError(
            f"there are no events of the environment {environment}; there are those of: {others}", Exit.USAGE
        )
    since, until = since or min(every), until or max(every) + timedelta(microseconds=1)
    if since >= until:
        raise FleetError("the period ends before it begins: look at --since and --until", Exit.USAGE)
    names = sorted(found if owners is None else owners)
    has = {name: found.get(name, History()) for name in names}
    services = [Service(name, (owners or {}).get(name, ""), measure(has[name], since, until)) for name in names]
    months = {
        f"{begin:%Y-%m}": together(measure(one, max(begin, since), min(end, until)) for one in has.values())
        for begin, end in _months(since, until)
    }
    return Report(environment, since, until, services, months)


def _known(places: Sequence[Path]) -> dict[tuple[str, str], History]:
    for place in places:
        if not place.exists():
            raise FleetError(f"there is no {place}: name a folder or file of CDEvents", Exit.USAGE)
    try:
        return histories(read(*places))
    except KeyError as error:
        raise FleetError(f"an event has no {error}", Exit.USAGE) from None
    except (ValueError, TypeError, AttributeError, OSError) as error:
        raise FleetError(str(error), Exit.USAGE) from None


def _months(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    begin = since.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while begin < until:
        end = (begin + timedelta(days=32)).replace(day=1)
        yield begin, end
        begin = end


def _middle(spans: Sequence[timedelta]) -> float | None:
    return median(one.total_seconds() for one in spans) / 3600 if spans else None


def _share(some: int, every: int) -> float | None:
    return some / every if every else None


class Figures(NamedTuple):
    """What a person and a program are told of measures; None if it is not known.

    Attributes:
        weekly: deployments a week.
        lead: median in hours.
        failures: share of the deployments, from 0 to 1.
        rework: the same.
        recovery: median in hours.
    """

    weekly: float | None
    lead: float | None
    failures: float | None
    rework: float | None
    recovery: float | None


def figures(told: Measures) -> Figures:
    """Return the figures of measures."""
    return Figures(
        _share(told.deployed * WEEK, told.days),
        _middle(told.leads),
        _share(told.failed, told.deployed),
        _share(told.rework, told.deployed),
        _middle(told.recoveries),
    )


def numbers(told: Measures) -> dict[str, Any]:
    """Return measures for a program; what is not known is None."""
    known = figures(told)
    return {
        "days": told.days,
        "deployments": told.deployed,
        "deployments_per_week": None if known.weekly is None else round(known.weekly, 3),
        "lead_time_hours": _rounded(known.lead),
        "change_failure_rate": _rounded(known.failures),
        "rework_rate": _rounded(known.rework),
        "recovery_time_hours": _rounded(known.recovery),
        "failed": told.failed,
        "rework": told.rework,
        "recoveries": len(told.recoveries),
        "open_incidents": told.open,
        "clocks": told.clocks,
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 4)


def as_json(found: Report) -> dict[str, Any]:
    """Return a report for a program (docs/reference/commands/report.md describes it)."""
    return {
        "environment": found.environment,
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "total": numbers(found.total),
        "teams": [{"team": team, **numbers(told)} for team, told in found.teams.items()],
        "months": [{"month": month, **numbers(told)} for month, told in found.months.items()],
        "services": [{"service": one.name, "team": one.team, **numbers(one.measures)} for one in found.services],
    }
