"""What a rollout does next: pure rules on how the services of its ring stand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from golden_path.errors import Exit, FleetError
from golden_path.rollout import ledger
from golden_path.rollout.fleet_file import CHECKED, Fleet, Ring
from golden_path.rollout.forges import GREEN, RED
from golden_path.rollout.ledger import Rollout
from golden_path.rollout.steps import DECLINED, READY, RETURNED, UPGRADED, Seen

NAMED = 5


def scope(fleet: Fleet, rollout: Rollout) -> list[Ring]:
    """Return the rings that a rollout works on: the one that started last, or on the way back all that started.

    Raises:
        FleetError: ``fleet.yaml`` has not the ring that the ledger names.
    """
    if rollout.state == ledger.STOP:
        return [ring for ring in fleet.rings if ring.name in rollout.started]
    names = [ring.name for ring in fleet.rings]
    if rollout.ring not in names:
        raise FleetError(
            f"{fleet.file}: the rollout of {rollout.version} is in the ring {rollout.ring!r}, which is not there any "
            "more: put it back, or stop the rollout with golden-path fleet rollback",
            Exit.FLEET,
        )
    return [fleet.rings[names.index(rollout.ring)]]


def decide(fleet: Fleet, rollout: Rollout, seen: Sequence[Seen]) -> list[dict[str, Any]]:
    """Return the events that follow.

    Args:
        fleet: the fleet.
        rollout: as the ledger has it.
        seen: the services of its scope.

    Returns:
        Events for the ledger; none where there is nothing to decide yet.
    """
    if rollout.state == ledger.STOP:
        done = all(one.state in (RETURNED, DECLINED) for one in seen)
        return [ledger.event(ledger.BACK)] if done else []
    if rollout.state != ledger.START:
        return []
    [ring] = scope(fleet, rollout)
    red = [one.name for one in seen if one.state == RED]
    if len(red) > ring.max_red * len(seen) + 1e-9:
        names = ", ".join(red[:NAMED]) + (f" and {len(red) - NAMED} more" if len(red) > NAMED else "")
        reason = f"{len(red)} of {len(seen)} services of the ring {ring.name} are red ({names}), and at most " \
                 f"{ring.max_red:.0%} may be"  # fmt: skip
        return [ledger.event(ledger.STOP, ring=ring.name, reason=reason)]
    if not enough(ring, seen):
        return [ledger.event(ledger.LACK)] if rollout.enough else []
    if rollout.enough is None and ring.soak:
        return [ledger.event(ledger.ENOUGH)]
    if rollout.enough and datetime.now(UTC) < rollout.enough + timedelta(seconds=ring.soak):
        return []
    after = fleet.rings[fleet.rings.index(ring) + 1 :]
    return [ledger.event(ledger.RING, ring=after[0].name) if after else ledger.event(ledger.DONE)]


def by_hand(rollout: Rollout, seen: Sequence[Seen], *, first: bool) -> list[dict[str, Any]]:
    """Return the events that say which services somebody upgraded by hand, each once.

    Args:
        rollout: as the ledger has it.
        seen: the services of its scope.
        first: whether its ring has only just started: what has the version already has it from nobody's pull request.
    """
    if rollout.state != ledger.START:
        return []
    found = [one for one in seen if one.ahead or (first and one.state in (GREEN, RED, UPGRADED))]
    return [
        ledger.event(ledger.HAND, service=one.name, version=one.version)
        for one in found
        if rollout.hand.get(one.name) != one.version
    ]


def green(ring: Ring, one: Seen) -> bool:
    """Whether a service is green as its ring counts."""
    return one.state == GREEN or (one.state == READY and ring.green == CHECKED)


def enough(ring: Ring, seen: Sequence[Seen]) -> bool:
    """Whether enough of a ring is green."""
    return sum(green(ring, one) for one in seen) >= ring.require * len(seen) - 1e-9
