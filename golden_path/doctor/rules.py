"""The rules by id. A rule is a function that yields findings about a repository."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from golden_path.doctor.repository import Repository

ERROR, WARNING, NOTE = "error", "warning", "note"
SEVERITIES = (ERROR, WARNING, NOTE)
COST = {ERROR: 12, WARNING: 5, NOTE: 2}
MORE = 5  # points that further findings of one rule cost at most, one each


class Fix(NamedTuple):
    """A mechanical change of one file.

    Attributes:
        path: the file.
        change: returns its new content for the one that it has; for a new file that is empty.
        mode: of a new file.
    """

    path: str
    change: Callable[[bytes], bytes]
    mode: str = "100644"


class Found(NamedTuple):
    """What a check yields.

    Attributes:
        path: the file, also where it is the missing one.
        line: in it, from 1; 0 for the file as a whole.
        message: what is wrong and what to do, in one line.
        fix: where it is mechanical.
    """

    path: str
    line: int
    message: str
    fix: Fix | None = None


Check = Callable[["Repository"], Iterator[Found]]


@dataclass(frozen=True)
class Rule:
    """A rule.

    Attributes:
        identifier: for example ``GP101``.
        severity: one of ``SEVERITIES``.
        title: what it asks.
        reason: why.
        policy: the rule of a service's own ``make policy`` that asks the same; empty for none.
        scored: whether it counts in the score; what is only missing, and how it stands to the template, do not.
        check: finds what breaks it.
    """

    identifier: str
    severity: str
    title: str
    reason: str
    policy: str
    scored: bool
    check: Check


@dataclass(frozen=True)
class Finding:
    """What breaks a rule, where."""

    rule: Rule
    found: Found


RULES: dict[str, Rule] = {}


def rule(
    identifier: str, severity: str, title: str, reason: str, *, policy: str = "", scored: bool = True
) -> Callable[[Check], Check]:
    """Register a check under its id."""

    def register(check: Check) -> Check:
        RULES[identifier] = Rule(identifier, severity, title, reason, policy, scored, check)
        return check

    return register


def costs(findings: Sequence[Finding]) -> dict[str, int]:
    """Return what each broken rule costs: by its severity, and one point more a further finding, up to five.

    Rules that are not scored cost nothing: a file that appears is no better health.
    """
    counts = Counter(one.rule.identifier for one in findings if one.rule.scored)
    return {
        identifier: COST[RULES[identifier].severity] + min(number - 1, MORE)
        for identifier, number in sorted(counts.items())
    }


def score(findings: Sequence[Finding]) -> int:
    """Return 0 to 100: what is left when each broken rule has cost its points."""
    return max(0, 100 - sum(costs(findings).values()))
