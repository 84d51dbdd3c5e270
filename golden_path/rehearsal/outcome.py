"""What a rehearsal found, and how it is shown."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Row:
    """One upgrade of one service.

    Attributes:
        old: the version that it has.
        answers: what it answered, all else being at its default.
        edited: whether people did something to it.
        conflicts: the reason by file.
        merged: files that both sides changed and nobody has to look at.
        lines: added and removed by the upgrade.
        broken: the last line of a check that failed; empty where it passed, or was not run.
        problem: why the upgrade could not be computed; empty where it could.
    """

    old: str
    answers: Mapping[str, Any]
    edited: bool
    conflicts: Mapping[str, str] = field(default_factory=dict)
    merged: int = 0
    lines: int = 0
    broken: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Outcome:
    """A rehearsal.

    Attributes:
        change: the commit that is rehearsed.
        rows: the upgrades.
        refused: answers that the template does not accept, with its reason.
    """

    change: str
    rows: Sequence[Row]
    refused: Sequence[tuple[Mapping[str, Any], str]] = ()

    @property
    def rate(self) -> float:
        """The share of edited services with a conflict, in percent; of all, where none was edited."""
        some = [row for row in self.rows if row.edited] or list(self.rows)
        return 100 * sum(bool(row.conflicts) for row in some) / len(some) if some else 0.0

    @property
    def broken(self) -> list[Row]:
        """Those whose check failed."""
        return [row for row in self.rows if row.broken]

    @property
    def problems(self) -> list[Row]:
        """Those whose upgrade could not be computed."""
        return [row for row in self.rows if row.problem]

    @property
    def files(self) -> list[tuple[str, int]]:
        """How often each file was in conflict, the most frequent first."""
        return Counter(path for row in self.rows for path in row.conflicts).most_common()


def shown(answers: Mapping[str, Any]) -> str:
    """Return answers as one short text."""
    return ", ".join(f"{name}={value}" for name, value in answers.items()) or "defaults"


def table(outcome: Outcome) -> Iterator[str]:
    """Yield what a person reads."""
    head = ("from", "services", "upgrades", "in conflict", "merged files", "broken", "changed lines")
    cells = []
    for old in dict.fromkeys(row.old for row in outcome.rows):
        rows = [row for row in outcome.rows if row.old == old]
        lines = [row.lines for row in rows if not row.edited and not row.problem]
        middle = f"{statistics.median(lines):.0f} (at most {max(lines)})" if lines else "-"
        cells.append((
            old[:12], str(sum(not row.edited for row in rows)), str(len(rows)),
            str(sum(bool(row.conflicts) for row in rows)), str(sum(row.merged for row in rows)),
            str(sum(bool(row.broken) for row in rows)), middle,
        ))  # fmt: skip
    widths = [max(len(line[number]) for line in (head, *cells)) for number in range(len(head))]
    for line in (head, *cells):
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
    yield f"{outcome.rate:.1f} % of the edited services have a conflict"
    yield from (f"  conflict  {path}, {count} times" for path, count in outcome.files[:20])
    yield from (f"  broken    {row.old[:12]}, {shown(row.answers)}: {row.broken}" for row in outcome.broken)
    yield from (f"  failed    {row.old[:12]}, {shown(row.answers)}: {row.problem}" for row in outcome.problems)
    yield from (f"  refused   {shown(answers)}: {reason}" for answers, reason in outcome.refused)


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return a rehearsal for a program (docs/reference/commands/simulate.md describes it)."""
    return {
        "change": outcome.change,
        "conflict_rate": round(outcome.rate, 2),
        "broken": len(outcome.broken),
        "failed": len(outcome.problems),
        "upgrades": [
            {"from": row.old, "answers": dict(row.answers), "edited": row.edited, "conflicts": dict(row.conflicts),
             "merged": row.merged, "changed_lines": row.lines, "broken": row.broken, "problem": row.problem}
            for row in outcome.rows
        ],
        "refused": [{"answers": dict(answers), "reason": reason} for answers, reason in outcome.refused],
    }  # fmt: skip
