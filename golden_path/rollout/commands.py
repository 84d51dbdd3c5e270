"""The commands on a fleet: ``golden-path fleet ...``, and ``plan`` and ``status`` with ``--fleet``."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from golden_path.errors import Exit, FleetError
from golden_path.output import print_json, print_lines, say
from golden_path.rendering.render import Renderer
from golden_path.rollout import fleet_file, judge, ledger, overview, page
from golden_path.rollout.fleet_file import Fleet
from golden_path.rollout.overview import Planned, Row
from golden_path.rollout.run import Result, Run
from golden_path.rollout.steps import BACKWARD, FAILED, FORWARD, RETURNED, Seen
from golden_path.untrusted import inside

RINGS = WAITING, RUNNING, SOAKING, PASSED, STOPPED = "waiting", "running", "soaking", "passed", "stopped"
STATES = {ledger.START: RUNNING, ledger.STOP: STOPPED, ledger.BACK: RETURNED, ledger.DONE: "done"}
_SAID = {**STATES, ledger.BACK: "taken back"}


def plan(options: argparse.Namespace) -> int:
    """Run ``golden-path plan --fleet``; returns the exit code."""
    with Renderer(trust=options.trust) as renderer:
        planned = list(overview.plans(fleet_file.load(options.fleet), renderer, options.to, options.jobs))
    _problems(planned)
    if options.json:
        print_json([{**asdict(one), "conflicts": one.conflicts} for one in planned])
    else:
        print_lines(*overview.plan_table(planned))
    if any(one.conflicts for one in planned):
        return Exit.CONFLICT
    return next((one.code for one in planned if one.code), Exit.DONE)


def status(options: argparse.Namespace) -> int:
    """Run ``golden-path status --fleet``; returns the exit code."""
    fleet = fleet_file.load(options.fleet)
    with Renderer(trust=options.trust) as renderer:
        rows = list(overview.rows(fleet, renderer, options.jobs))
    _problems(rows)
    if options.html:
        inside.report(options.html, page.html(fleet, rows, _sentence(fleet)))
    if options.json:
        print_json([asdict(one) for one in rows])
    else:
        print_lines(*overview.row_table(rows))
    return next((one.code for one in rows if one.code), Exit.DONE)


def _sentence(fleet: Fleet) -> str:
    try:
        rollout = ledger.last(ledger.Ledger(fleet.file).read())
    except FleetError as error:
        return f"No rollout is known: {error}."
    if rollout is None:
        return "No version is rolled out."
    reason = f": {rollout.reason}" if rollout.reason else ""
    return f"Rollout of {rollout.version}, in the ring {rollout.ring}: {_SAID[rollout.state]}{reason}."


def _problems(found: Iterable[Planned | Row | Seen]) -> None:
    for one in found:
        if one.problem:
            say(f"golden-path: {one.name}: {one.problem}")
        if line := getattr(one, "moved", ""):
            say(f"golden-path: {one.name}: {line}")


def run(options: argparse.Namespace) -> int:
    """Run a verb of ``golden-path fleet``; returns the exit code."""
    one = Run(fleet_file.load(options.file), options.jobs)
    with Renderer(trust=options.trust) as renderer:
        if options.verb == "status":
            result = one.status()
        elif options.verb == "judge":
            result = one.judge(options.to)
        elif options.verb == "rollback":
            result = one.rollback(renderer, " ".join(options.reason.split()))
        elif options.shard:
            result = one.shard(renderer, *options.shard)
        else:
            result = one.advance(renderer, options.to)
    _problems(result.seen)
    if options.json:
        facts = _json(one.fleet, result)
        if options.verb == "judge":
            facts["shards"] = one.shards(result, options.shard_size)
        print_json(facts)
    else:
        print_lines(*_text(one.fleet, result))
    if result.rollout and result.rollout.state in (ledger.STOP, ledger.BACK):
        return Exit.STOPPED
    return next((seen.code for seen in result.seen if seen.code), Exit.DONE)


def _text(fleet: Fleet, result: Result) -> Iterator[str]:
    rollout = result.rollout
    if rollout is None:
        yield "no version is rolled out: start with golden-path fleet advance"
        return
    yield f"{rollout.version}: {_SAID[rollout.state]}" + (f": {rollout.reason}" if rollout.reason else "")
    if rollout.state == ledger.BACK:
        yield f"next: release a newer version, or try this one again with --to {rollout.version}"
    for ring, state in _rings(fleet, result):
        of_ring = [one for one in result.seen if one.ring == ring.name]
        yield f"  {ring.name:<12} {state:<8} {len(ring.members)} services" + (
            f": {_counts(of_ring)}; {ring.require:.0%} must be green, at most {ring.max_red:.0%} red" if of_ring else ""
        )
    for name, version in rollout.hand.items():
        yield f"  by hand    {name} has {version}"
    for one in result.seen:
        if one.state not in ("green", RETURNED, FAILED):
            undecided = f", {one.conflicts} to decide" if one.conflicts else ""
            yield f"  {one.state:<10} {one.name}{undecided} {one.url}".rstrip()


def _rings(fleet: Fleet, result: Result) -> Iterator[tuple[fleet_file.Ring, str]]:
    rollout = result.rollout
    for ring in fleet.rings:
        if rollout is None or ring.name not in rollout.started:
            yield ring, WAITING
        elif rollout.state == ledger.START:
            yield ring, (SOAKING if rollout.enough else RUNNING) if ring.name == rollout.ring else PASSED
        else:
            yield ring, {ledger.STOP: STOPPED, ledger.BACK: RETURNED, ledger.DONE: PASSED}[rollout.state]


def _counts(seen: Sequence[Seen]) -> str:
    states = dict.fromkeys((*FORWARD, *BACKWARD))
    counted = {state: sum(one.state == state for one in seen) for state in states}
    return ", ".join(f"{number} {state}" for state, number in counted.items() if number)


def _json(fleet: Fleet, result: Result) -> dict[str, Any]:
    rollout = result.rollout
    rings = []
    for ring, state in _rings(fleet, result):
        of_ring = [one for one in result.seen if one.ring == ring.name]
        facts = {"name": ring.name, "state": state, "services": len(ring.members)}
        known = {"enough": judge.enough(ring, of_ring)} if of_ring else {}
        rings.append({**facts, "require": ring.require, "max_red": ring.max_red, **known})
    return {
        "version": rollout.version if rollout else "",
        "state": STATES[rollout.state] if rollout else "none",
        "reason": rollout.reason if rollout else "",
        "rings": rings,
        "hand": dict(rollout.hand) if rollout else {},
        "services": [asdict(one) for one in result.seen],
    }
