"""The overview of a fleet that a person looks at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from packaging.version import Version

from golden_path.pages.table import Table, cell, link, name
from golden_path.rollout.fleet_file import Fleet
from golden_path.rollout.overview import Row
from golden_path.source import versions
from golden_path.untrusted import credentials
from golden_path.untrusted.foreign import html as escape

TABLE: Table[Row] = Table(
    heads=("Service", "Ring", "Version", "Behind", "Drift", "Pins behind", "Last upgrade", "Pull request", "To decide"),
    shows={
        "current": lambda one: not one.problem and not one.behind,
        "behind": lambda one: bool(one.behind),
        "drift": lambda one: bool(one.drift),
        "pins behind": lambda one: bool(one.pins),
        "to decide": lambda one: bool(one.conflicts),
        "red": lambda one: one.checks == "red",
        "problem": lambda one: bool(one.problem),
    },
    group="Ring",
)


def html(fleet: Fleet, rows: Sequence[Row], rollout: str) -> str:
    """Return the page.

    Args:
        fleet: the fleet.
        rows: its services.
        rollout: a sentence about the rollout.
    """
    order = {version: number for number, version in enumerate(_versions(rows))}
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return TABLE.page(
        f"Fleet of {credentials.masked(fleet.template)}",
        f"As of {made}. {escape(rollout)}",
        TABLE.tiles(rows),
        [ring.name for ring in fleet.rings],
        [_row(one, order) for one in rows],
    )


def _versions(rows: Sequence[Row]) -> list[str]:
    """The versions of the services, oldest first."""
    return sorted(
        {one.version for one in rows if not one.problem}, key=lambda one: (versions.parse(one) or Version("0"), one)
    )


def _row(one: Row, order: Mapping[str, int]) -> str:
    start = TABLE.start(one, one.name, one.ring)
    start += name(one.name, link(credentials.masked(one.git), one.name))
    start += cell(one.ring, escape(one.ring))
    if one.problem:
        return f'{start}<td colspan="{len(TABLE.heads) - 2}" data-sort="" class="bad">{escape(one.problem)}</td></tr>'
    pins = None if one.pins is None else [f"{pin}: {old} → {new}" for pin, (old, new) in one.pins.items()]
    cells = (
        cell(f"{order[one.version]:05}", escape(one.version)),
        _list(one.behind, "warn"),
        _list([f"{path}: {what}" for path, what in one.drift.items()], "warn"),
        cell("", "none there") if pins is None else _list(pins, "warn"),
        cell(one.upgraded, f"<time>{escape(one.upgraded[:10])}</time>" if one.upgraded else "none"),
        cell(f"{one.pull} {one.checks}", _pull(one)),
        cell(str(one.conflicts), f'<span class="bad">{one.conflicts}</span>' if one.conflicts else "0"),
    )  # fmt: skip
    return f"{start}{''.join(cells)}</tr>"


def _list(entries: Iterable[str], kind: str) -> str:
    lines = "".join(f"<li>{escape(one)}</li>" for one in entries)
    number = lines.count("<li>")
    if not number:
        return cell("0", '<span class="good">0</span>')
    return cell(str(number), f'<details><summary class="{kind}">{number}</summary><ul>{lines}</ul></details>')


def _pull(one: Row) -> str:
    if not one.pull:
        return "none"
    kind = {"green": "good", "red": "bad"}.get(one.checks, "")
    text = ", ".join(filter(None, (link(one.url, one.pull), one.checks)))
    return f'<span class="{kind}">{text}</span>'
