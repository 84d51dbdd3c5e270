"""usage: dora SERVICE ENVIRONMENT PLACE

Print the four measures of DORA from events that `make deploy-event` wrote: PLACE is a folder of *.json and *.jsonl, or
one such file; what was sent to a receiver may be read from its export. The period is that of the events.
"""

import json
import math
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any


def events(place: Path) -> Iterator[dict[str, Any]]:
    """Yield the CDEvents, each once: a receiver may have an event twice."""
    files = sorted(path for path in place.rglob("*.json*") if path.is_file()) if place.is_dir() else [place]
    seen = set()
    for file in files:
        text = file.read_text(encoding="utf-8")
        for document in text.splitlines() if file.suffix == ".jsonl" else [text]:
            try:
                event = json.loads(document) if document.strip() else None
                event = event.get("data", event) if event else None
                key = event and (event["context"]["source"], event["context"]["id"])
            except (ValueError, KeyError, TypeError, AttributeError):
                raise ValueError(f"{file} holds something that is no CDEvent") from None
            if event and key not in seen:
                seen.add(key)
                yield event


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def measures(found: list[dict[str, Any]], service: str, environment: str) -> list[tuple[str, str]]:
    """The measures of one service in one environment: their names and values."""
    times: dict[str, list[datetime]] = {"deployed": [], "rolledback": []}
    leads: list[timedelta] = []
    incidents: dict[str, dict[str, datetime]] = {"detected": {}, "resolved": {}}
    for event in found:
        if not event["context"]["type"].startswith("dev.cdevents."):
            continue
        _, _, subject, what, *_ = event["context"]["type"].split(".")
        content, when = event["subject"]["content"], moment(event["context"]["timestamp"])
        whose = event["subject"]["id"] if subject == "service" else content.get("service", {}).get("id")
        if whose != service or content["environment"]["id"] != environment:
            continue
        if subject == "service" and what in times:
            times[what].append(when)
            if what == "deployed" and "commitTime" in event.get("customData", {}):
                leads.append(when - moment(event["customData"]["commitTime"]))
        elif subject == "incident" and what in incidents:
            # It may be reported more than once: it lasts from the first detection to the last resolution.
            pick, old = (min, datetime.max) if what == "detected" else (max, datetime.min)
            key = event["subject"]["id"]
            incidents[what][key] = pick(incidents[what].get(key, old.replace(tzinfo=when.tzinfo)), when)
    every = [time for some in (*times.values(), *map(dict.values, incidents.values())) for time in some]
    days = max(1, math.ceil((max(every) - min(every)) / timedelta(days=1))) if every else 0
    deployed, rolledback = len(times["deployed"]), len(times["rolledback"])
    begun = incidents["detected"]
    recoveries = [end - begun[key] for key, end in incidents["resolved"].items() if key in begun]
    return [
        ("deployments", f"{deployed} in {days} days, {deployed / days:.2f} a day" if every else "none"),
        ("lead time", span(leads)),
        ("change failure rate", f"{rolledback / deployed:.1%} ({rolledback} of {deployed})" if deployed else "unknown"),
        ("recovery time", f"{span(recoveries)}; {len(begun) - len(recoveries)} open"),
    ]


def span(spans: list[timedelta]) -> str:
    """The median; of nothing it is unknown."""
    if not spans:
        return "unknown"
    seconds = median(one.total_seconds() for one in spans)
    return f"{seconds / 3600:.1f} h (median of {len(spans)})"


def main(service: str, environment: str, place: str) -> int:
    if not Path(place).exists():
        sys.stderr.write(f"dora: there is no {place}: set EVENTS to a folder or file of events\n")
        return 2
    try:
        found = list(events(Path(place)))
        rows = measures(found, service, environment)
    except (ValueError, KeyError, TypeError, OSError) as error:
        said = f"an event has no {error}" if isinstance(error, KeyError) else error
        sys.stderr.write(f"dora: {said}\n")
        return 2
    sys.stdout.write(f"{service} in {environment}\n" + "".join(f"  {name:<21}{value}\n" for name, value in rows))
    return 0
