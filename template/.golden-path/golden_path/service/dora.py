"""usage: dora SERVICE ENVIRONMENT PLACE

Print the measures of DORA from events that `make deploy-event` wrote: PLACE is a folder of *.json and *.jsonl, or one
such file; what was sent to a receiver may be read from its export. The period is that of the events.
"""

import sys
from datetime import timedelta
from pathlib import Path
from statistics import median

from golden_path.service.measures import History, Measures, histories, measure, read


def rows(told: Measures) -> list[tuple[str, str]]:
    """The measures: their names and values. Of what never happened it is not 0 but none, or unknown."""
    deployed, recoveries = told.deployed, f"{span(told.recoveries)}; {told.open} open"
    frequency = f"{deployed} in {told.days} days, {deployed / told.days:.2f} a day" if told.days else "none"
    return [
        ("deployments", frequency),
        ("lead time", span(told.leads)),
        ("change failure rate", share(told.failed, deployed)),
        ("rework rate", share(told.rework, deployed)),
        ("recovery time", recoveries),
        *([("clocks", f"{told.clocks} spans end before they begin, and are left out")] if told.clocks else []),
    ]


def share(some: int, every: int) -> str:
    return f"{some / every:.1%} ({some} of {every})" if every else "unknown"


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
        known = histories(read(Path(place)))
        told = measure(known.get((service, environment), History()))
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        said = f"an event has no {error}" if isinstance(error, KeyError) else error
        sys.stderr.write(f"dora: {said}\n")
        return 2
    sys.stdout.write(f"{service} in {environment}\n" + "".join(f"  {name:<21}{value}\n" for name, value in rows(told)))
    return 0
