"""The score of a repository: what is left of 100 when each broken rule has cost its points."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from golden_path.rules.book import ERROR, RULES, WARNING, Finding

COST = {ERROR: 12, WARNING: 5}
MORE = 5  # points that further findings of one rule cost at most, one each


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
