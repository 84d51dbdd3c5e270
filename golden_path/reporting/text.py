"""A report in words: a table for a terminal, and a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from golden_path.pages.table import Table, cell, name
from golden_path.reporting.report import Report, Service, figures
from golden_path.service.measures import Measures
from golden_path.untrusted.foreign import html as escape

UNKNOWN = "-"
MEASURES = ("Deployments", "A week", "Lead time", "Change failures", "Rework", "Recovery", "Open incidents")
TABLE: Table[Service] = Table(
    heads=("Service", "Team", *MEASURES),
    shows={
        "without a deployment": lambda one: not one.measures.deployed,
        "with failures": lambda one: bool(one.measures.failed),
        "with open incidents": lambda one: bool(one.measures.open),
        "with wrong clocks": lambda one: bool(one.measures.clocks),
    },
    group="Team",
)


def table(found: Report) -> Iterator[str]:
    """Yield lines for a terminal."""
    rows = [
        *((one.name, one.team, one.measures) for one in found.services),
        *(("", team, told) for team, told in found.teams.items()),
        ("all", "", found.total),
    ]
    cells = [
        [head.lower() for head in TABLE.heads],
        *([first, team or UNKNOWN, *texts(told)] for first, team, told in rows),
    ]
    widths = [max(len(line[number]) for line in cells) for number in range(len(TABLE.heads))]
    yield f"{found.environment}, {_period(found)}"
    for line in cells:
        yield "  ".join(one.ljust(width) for one, width in zip(line, widths, strict=True)).rstrip()
    if found.total.clocks:
        yield f"{found.total.clocks} spans end before they begin, so a clock was wrong; they are left out"


def texts(told: Measures) -> list[str]:
    """Return measures as a person reads them; what is not known is a hyphen, not 0."""
    known = figures(told)
    return [
        str(told.deployed),
        UNKNOWN if known.weekly is None else f"{known.weekly:.2f}",
        hours(known.lead),
        _percent(known.failures),
        _percent(known.rework),
        hours(known.recovery),
        str(told.open),
    ]


def hours(number: float | None) -> str:
    """Return a time as a person says it."""
    if number is None:
        return UNKNOWN
    if number < 1:
        return f"{number * 60:.0f} min"
    return f"{number:.1f} h" if number < 48 else f"{number / 24:.1f} days"


def _percent(number: float | None) -> str:
    return UNKNOWN if number is None else f"{number:.1%}"


def _period(found: Report) -> str:
    last = found.until - timedelta(microseconds=1)
    return f"{found.since:%Y-%m-%d} to {last:%Y-%m-%d}"


def html(found: Report) -> str:
    """Return the page."""
    total = dict(zip(MEASURES, texts(found.total), strict=True))
    lead = f"{escape(_period(found))}. Lead time and recovery are medians."
    if found.total.clocks:
        lead += f" {found.total.clocks} spans end before they begin, so a clock was wrong; they are left out."
    teams = _summary("Team", found.teams) if found.teams else ""
    return TABLE.page(
        f"Delivery in {found.environment}",
        lead,
        {"services": str(len(found.services)), **{key.lower(): text for key, text in total.items()}},
        list(found.teams),
        [_row(one) for one in found.services],
        above=_summary("Month", found.months) + teams,
    )


def _row(one: Service) -> str:
    start = TABLE.start(one, one.name, one.team) + name(one.name, escape(one.name)) + cell(one.team, escape(one.team))
    return f"{start}{''.join(map(cell, _keys(one.measures), map(escape, texts(one.measures))))}</tr>"


def _keys(told: Measures) -> list[str]:
    """Return what the cells are sorted by; what is not known comes first."""
    return ["" if one is None else f"{one:.6f}" for one in (told.deployed, *figures(told), told.open)]


def _summary(head: str, rows: Mapping[str, Measures]) -> str:
    most = max((one.deployed for one in rows.values()), default=0) or 1
    lines = []
    for first, told in rows.items():
        deployed, *others = (f"<td>{escape(text)}</td>" for text in texts(told))
        bar = deployed.replace("<td>", f'<td class="bar" style="--share: {100 * told.deployed / most:.0f}">', 1)
        lines.append(f'<tr><th scope="row">{escape(first)}</th>{bar}{"".join(others)}</tr>')
    heads = "".join(f'<th scope="col">{escape(one)}</th>' for one in (head, *MEASURES))
    body = f"<thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody>"
    return f'<div class="wide"><table class="summary">{body}</table></div>'
