"""What DORA measures of delivery (dora.dev/guides/dora-metrics), from CDEvents of deployments and incidents."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

DAY = timedelta(days=1)
Key = tuple[str, str]  # a service and an environment


class Deployment(NamedTuple):
    """A version that went out, or came back.

    Attributes:
        when: it was asked for.
        back: whether an older version came back.
        image: what runs since then; empty if that is not known.
        committed: when the commit in it was made; None if that is not known.
        incident: what it remedies; empty if it is a usual one.
    """

    when: datetime
    back: bool = False
    image: str = ""
    committed: datetime | None = None
    incident: str = ""


@dataclass
class Incident:
    """Something that hurt users.

    Attributes:
        detected: first, or None.
        resolved: last, or None.
    """

    detected: datetime | None = None
    resolved: datetime | None = None


@dataclass
class History:
    """What happened to one service in one environment.

    Attributes:
        deployments: and rollbacks, in any order.
        incidents: by id.
    """

    deployments: list[Deployment] = field(default_factory=list)
    incidents: dict[str, Incident] = field(default_factory=dict)

    @property
    def moments(self) -> Iterator[datetime]:
        """When something happened."""
        yield from (one.when for one in self.deployments)
        for one in self.incidents.values():
            yield from (when for when in (one.detected, one.resolved) if when)


@dataclass
class Measures:
    """The measures of one history, or of several.

    Attributes:
        days: that were measured.
        deployed: versions that went out.
        leads: from commit to deployment.
        failed: deployments that needed a rollback or a hot fix.
        rework: deployments that remedy an incident.
        recoveries: from what failed to its end.
        open: incidents without an end.
        clocks: spans that ended before they began, so that a clock was wrong; they are in no other number.
    """

    days: int = 0
    deployed: int = 0
    leads: list[timedelta] = field(default_factory=list)
    failed: int = 0
    rework: int = 0
    recoveries: list[timedelta] = field(default_factory=list)
    open: int = 0
    clocks: int = 0

    def add(self, other: Measures) -> None:
        """Take what was measured of another service in the same days."""
        self.days = max(self.days, other.days)
        self.deployed += other.deployed
        self.leads += other.leads
        self.failed += other.failed
        self.rework += other.rework
        self.recoveries += other.recoveries
        self.open += other.open
        self.clocks += other.clocks


def read(*places: Path) -> Iterator[dict[str, Any]]:
    """Yield CDEvents, each once, since a receiver may have an event twice.

    Args:
        places: folders of ``*.json`` and ``*.jsonl``, or such files; CDEvents, or CloudEvents around them.

    Raises:
        ValueError: a file holds something else.
        OSError: a file cannot be read.
    """
    seen = set()
    for file in (file for place in places for file in _files(place)):
        for document in _documents(file):
            try:
                event = json.loads(document) if document.strip() else None
                event = event.get("data", event) if event else None
                key = event and (event["context"]["source"], event["context"]["id"])
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                raise ValueError(f"{file} holds something that is no CDEvent") from None
            if event and key not in seen:
                seen.add(key)
                yield event


def _files(place: Path) -> list[Path]:
    return sorted(path for path in place.rglob("*.json*") if path.is_file()) if place.is_dir() else [place]


def _documents(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8") as lines:
        if file.suffix == ".jsonl":
            yield from lines
        else:
            yield lines.read()


def moment(text: str) -> datetime:
    """Return a time with its zone.

    Raises:
        ValueError: it is none, or has no zone.
    """
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return when


def histories(events: Iterable[Mapping[str, Any]]) -> dict[Key, History]:
    """Return what happened, by service and environment.

    Args:
        events: CDEvents; those of other kinds are left out.

    Raises:
        KeyError: an event lacks something.
        ValueError: a time is none.
    """
    found: dict[Key, History] = defaultdict(History)
    for event in events:
        kind = str(event["context"]["type"])
        if not kind.startswith("dev.cdevents.") or kind.count(".") < 3:
            continue
        _, _, subject, what, *_ = kind.split(".")
        if (subject, what) not in _KINDS:
            continue
        content, more = event["subject"]["content"], event.get("customData") or {}
        when, identifier = moment(event["context"]["timestamp"]), str(event["subject"]["id"])
        service = identifier if subject == "service" else str(content.get("service", {}).get("id", ""))
        history = found[service, str(content["environment"]["id"])]
        if subject == "service":
            committed = moment(more["commitTime"]) if what == "deployed" and "commitTime" in more else None
            image, incident = str(more.get("image", "")), str(more.get("incident", ""))
            history.deployments.append(Deployment(when, what == "rolledback", image, committed, incident))
            continue
        # It may be told more than once: an incident lasts from the first detection to the last resolution.
        one = history.incidents.setdefault(identifier, Incident())
        if what == "detected":
            one.detected = min(one.detected or when, when)
        else:
            one.resolved = max(one.resolved or when, when)
    return dict(found)


_KINDS = {("service", "deployed"), ("service", "rolledback"), ("incident", "detected"), ("incident", "resolved")}


def measure(history: History, since: datetime | None = None, until: datetime | None = None) -> Measures:
    """Measure.

    A deployment failed if it was rolled back, or if a later one remedies an incident that was detected while it ran.

    Args:
        history: of a service in an environment; what is older than ``since`` says what ran then.
        since: the first moment that counts; that of the first event by default.
        until: the first one that no longer counts; after the last event by default.

    Returns:
        The measures of what happened in that time, in whole days. What failed in it and ended later has no end yet.
    """
    every = list(history.moments)
    if not every:
        return Measures(days=_days(since, until) if since and until else 0)
    first, end = since or min(every), until or max(every) + timedelta(microseconds=1)
    order = sorted((one for one in history.deployments if one.when < end), key=lambda one: one.when)
    failures = _failures(order, history.incidents)
    told = Measures(days=_days(since or min(every), until or max(every)))
    for one in order:
        remedied = failures.get(id(one))
        if one.back or one.when < first:
            continue
        told.deployed += 1
        told.rework += bool(one.incident)
        if one.committed:
            _span(told, told.leads, one.committed, one.when)
        if remedied:
            told.failed += 1
            if not any(history.incidents[name].detected for name in remedied.incidents if name in history.incidents):
                _span(told, told.recoveries, one.when, remedied.when)
    for incident in history.incidents.values():
        if incident.detected is None or not first <= incident.detected < end:
            continue
        if incident.resolved is None or incident.resolved >= end:
            told.open += 1
        else:
            _span(told, told.recoveries, incident.detected, incident.resolved)
    return told


class _Failure(NamedTuple):
    when: datetime  # of the remedy
    incidents: tuple[str, ...]


def _failures(order: list[Deployment], incidents: Mapping[str, Incident]) -> dict[int, _Failure]:
    """Return which deployments failed, by identity."""
    found: dict[int, _Failure] = {}
    runs: list[Deployment] = []  # what ran, the newest last
    periods: list[tuple[datetime, Deployment | None]] = []  # since when which one runs, if that is known
    for one in order:
        failed: Deployment | None = None
        if one.back and runs and one.image and runs[-1].image == one.image:
            continue  # it is told once more
        if one.back:
            failed = runs.pop() if runs else None
            while runs and one.image and runs[-1].image and runs[-1].image != one.image:
                runs.pop()
        elif one.incident:
            known = incidents.get(one.incident)
            failed = _ran(periods, known.detected) if known and known.detected else (runs[-1] if runs else None)
            if any(one.incident in failure.incidents for failure in found.values()):
                failed = None  # what it remedies was counted when it was rolled back
        if failed is not None and id(failed) not in found:
            named = {one.incident} if one.incident else set()
            begun = {
                name
                for name, told in incidents.items()
                if told.detected and told.detected <= one.when and _ran(periods, told.detected) is failed
            }
            found[id(failed)] = _Failure(one.when, tuple(sorted(named | begun)))
        if not one.back:
            runs.append(one)
        periods.append((one.when, runs[-1] if runs else None))
    return found


def _ran(periods: list[tuple[datetime, Deployment | None]], when: datetime) -> Deployment | None:
    return next((one for since, one in reversed(periods) if since <= when), None)


def _span(told: Measures, spans: list[timedelta], begin: datetime, end: datetime) -> None:
    if end < begin:
        told.clocks += 1
    else:
        spans.append(end - begin)


def _days(since: datetime, until: datetime) -> int:
    return max(1, math.ceil((until - since) / DAY))
