"""The report that a person looks at: one HTML file that loads nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from string import Template as Text

from packaging.version import Version

from golden_path.rollout.fleet_file import Fleet
from golden_path.rollout.overview import Row
from golden_path.source import versions
from golden_path.untrusted import credentials
from golden_path.untrusted.foreign import html as escape

HEADS = ("Service", "Ring", "Version", "Behind", "Drift", "Pins behind", "Last upgrade", "Pull request", "To decide")
# What a person may want to see alone, by the word in the page.
SHOWS: dict[str, Callable[[Row], bool]] = {
    "current": lambda one: not one.problem and not one.behind,
    "behind": lambda one: bool(one.behind),
    "drift": lambda one: bool(one.drift),
    "pins behind": lambda one: bool(one.pins),
    "to decide": lambda one: bool(one.conflicts),
    "red": lambda one: one.checks == "red",
    "problem": lambda one: bool(one.problem),
}
_FOLDER = Path(__file__).parent


def html(fleet: Fleet, rows: Sequence[Row], rollout: str) -> str:
    """Return the page.

    Args:
        fleet: the fleet.
        rows: its services.
        rollout: a sentence about the rollout.
    """
    script = (_FOLDER / "page.js").read_text(encoding="utf-8")
    order = {version: number for number, version in enumerate(_versions(rows))}
    counts = {"services": len(rows), **{name: sum(map(is_one, rows)) for name, is_one in SHOWS.items()}}
    return Text((_FOLDER / "page.html").read_text(encoding="utf-8")).substitute(
        hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        template=escape(credentials.masked(fleet.template)),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        rollout=escape(rollout),
        tiles="".join(f"<div><dt>{escape(name)}</dt><dd>{number}</dd></div>" for name, number in counts.items()),
        rings="".join(f"<option>{escape(ring.name)}</option>" for ring in fleet.rings),
        shows="".join(f'<option value="{_word(name)}">{escape(name)}</option>' for name in SHOWS),
        heads="".join(f'<th scope="col" aria-sort="none"><button type="button">{one}</button></th>' for one in HEADS),
        total=len(rows),
        rows="\n".join(_row(one, order) for one in rows),
        script=script,
    )


def _versions(rows: Sequence[Row]) -> list[str]:
    """The versions of the services, oldest first."""
    return sorted(
        {one.version for one in rows if not one.problem}, key=lambda one: (versions.parse(one) or Version("0"), one)
    )


def _row(one: Row, order: Mapping[str, int]) -> str:
    shows = " ".join(_word(name) for name, is_one in SHOWS.items() if is_one(one))
    start = f'<tr data-name="{escape(one.name.lower())}" data-ring="{escape(one.ring)}" data-is="{shows}">'
    start += f'<th scope="row" data-sort="{escape(one.name)}">{_link(credentials.masked(one.git), one.name)}</th>'
    start += _cell(one.ring, escape(one.ring))
    if one.problem:
        return f'{start}<td colspan="{len(HEADS) - 2}" data-sort="" class="bad">{escape(one.problem)}</td></tr>'
    pins = None if one.pins is None else [f"{name}: {old} → {new}" for name, (old, new) in one.pins.items()]
    cells = (
        _cell(f"{order[one.version]:05}", escape(one.version)),
        _list(one.behind, "warn"),
        _list([f"{path}: {what}" for path, what in one.drift.items()], "warn"),
        _cell("", "none there") if pins is None else _list(pins, "warn"),
        _cell(one.upgraded, f"<time>{escape(one.upgraded[:10])}</time>" if one.upgraded else "none"),
        _cell(f"{one.pull} {one.checks}", _pull(one)),
        _cell(str(one.conflicts), f'<span class="bad">{one.conflicts}</span>' if one.conflicts else "0"),
    )  # fmt: skip
    return f"{start}{''.join(cells)}</tr>"


def _cell(key: str, content: str) -> str:
    return f'<td data-sort="{escape(key)}">{content}</td>'


def _list(entries: Iterable[str], kind: str) -> str:
    lines = "".join(f"<li>{escape(one)}</li>" for one in entries)
    number = lines.count("<li>")
    if not number:
        return _cell("0", '<span class="good">0</span>')
    return _cell(str(number), f'<details><summary class="{kind}">{number}</summary><ul>{lines}</ul></details>')


def _pull(one: Row) -> str:
    if not one.pull:
        return "none"
    kind = {"green": "good", "red": "bad"}.get(one.checks, "")
    text = ", ".join(filter(None, (_link(one.url, one.pull), one.checks)))
    return f'<span class="{kind}">{text}</span>'


def _link(address: str, text: str) -> str:
    if address.startswith(("https://", "http://")):
        return f'<a href="{escape(address)}">{escape(text)}</a>'
    return escape(text)


def _word(name: str) -> str:
    return name.replace(" ", "-")
