"""What a person or a program reads on standard output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from golden_path.store.trees import Store
from golden_path.untrusted import foreign
from golden_path.upgrade import message
from golden_path.upgrade.changes import CONFLICT, KEPT, STATUSES, Change
from golden_path.upgrade.plan import Plan
from golden_path.upgrade.status import Status

BAR = "\\|"  # in a cell of a table


def plan_text(planned: Plan, store: Store, *, diff: bool) -> Iterator[str]:
    """Yield the lines of a plan.

    Args:
        planned: the upgrade.
        store: where the files are.
        diff: with the changed lines.
    """
    if planned.current:
        yield f"nothing to do: the service has {planned.old} of the template"
        return
    yield f"{planned.old} -> {planned.new}, risk {planned.risk}: {counts(planned)}"
    for change in sorted(planned.changes, key=lambda one: (STATUSES.index(one.status), one.path)):
        source = f" (was {change.source})" if change.source else ""
        reason = f": {change.reason}" if change.reason else ""
        yield f"  {change.status:<9} {change.path}{source}{reason}"
        if diff:
            yield from _indented("what did not arrive:", _missed(change, store))
            yield from _indented("what changes:", store.diff(change.before, change.after))
    for name, (old, new) in planned.answers.items():
        yield f"  answer    {name}: {old!r} -> {new!r}"
    yield from (f"  note      {note}" for note in planned.notes)


def _missed(change: Change, store: Store) -> str:
    return message.missed(change, store) if change.status in (CONFLICT, KEPT) else ""


def _indented(head: str, text: str) -> Iterator[str]:
    if text:
        yield f"            {head}"
        yield from (f"            {line}" for line in text.splitlines())


def counts(planned: Plan) -> str:
    """Return how many files there are of each status."""
    found = {status: sum(one.status == status for one in planned.changes) for status in STATUSES}
    return ", ".join(f"{number} {status}" for status, number in found.items() if number) or "no file changes"


def plan_json(planned: Plan, store: Store, path: str, source: str) -> dict[str, Any]:
    """Return a plan for a program (docs/reference/commands/plan.md describes it)."""
    return {
        "path": path,
        "template": source,
        "from": planned.old,
        "to": planned.new,
        "risk": planned.risk,
        "files": [
            {
                "path": one.path,
                "status": one.status,
                "reason": one.reason,
                "was": one.source,
                "diff": store.diff(one.before, one.after),
                "missed": _missed(one, store),
            }
            for one in planned.changes
        ],
        "answers": {name: {"before": old, "after": new} for name, (old, new) in planned.answers.items()},
        "notes": list(planned.notes),
        "changelog": planned.changelog,
    }


def status_table(rows: Sequence[Status]) -> Iterator[str]:
    """Yield a table of services, a line each."""
    head = ("service", "version", "newest", "behind", "drift", "last upgrade")
    cells = [
        (one.path, one.version, one.newest, str(len(one.behind)), str(len(one.drift)), one.upgraded[:10] or "none")
        for one in rows
    ]
    widths = [max(len(line[number]) for line in (head, *cells)) for number in range(len(head))]
    for line in (head, *cells):
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def status_json(rows: Sequence[Status], failed: dict[str, str]) -> list[dict[str, Any]]:
    """Return the services for a program; those that could not be looked at have a ``problem``."""
    known = [{name: value for name, value in asdict(one).items() if name != "lines"} for one in rows]
    return known + [{"path": path, "problem": reason} for path, reason in failed.items()]


def drift_markdown(row: Status) -> Iterator[str]:
    """Yield the lines of a summary: which files of the template's a service has otherwise, and whether it is behind."""
    yield f"### Template {foreign.words(row.version)}: {len(row.drift)} files differ from what it wrote"
    yield ""
    if row.drift:
        yield from ("| file | lines added | removed |", "|---|---|---|")
        for name in row.drift:
            added, removed = row.lines[name]
            yield f"| {foreign.code(name).replace('|', BAR)} | {added} | {removed} |"
        yield ""
    if row.behind:
        yield f"{foreign.words(row.newest)} is out: `make template-update`"
