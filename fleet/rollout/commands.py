"""The commands on a fleet: ``golden-path fleet ...``, and ``plan`` and ``status`` with ``--fleet``."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fleet.errors import Exit, FleetError
from fleet.output import print_json, print_lines, say
from fleet.render import Renderer
from fleet.rollout import fleet_file, judge, ledger, overview, page
from fleet.rollout.fleet_file import Fleet
from fleet.rollout.overview import Planned, Row
from fleet.rollout.run import Result, Run
from fleet.rollout.steps import BACKWARD, FAILED, FORWARD, Seen

JOBS = 8
_STATES = {ledger.START: "running", ledger.STOP: "stopped", ledger.BACK: "taken back", ledger.DONE: "done"}
_VERBS = {
    "status": "say how the rollout stands; change nothing",
    "judge": "start, continue, stop or end the rollout by how the services of its ring stand; touch no service",
    "advance": "judge, and open the pull requests that the ring lacks, or those of the way back",
    "rollback": "stop the rollout, close the pull requests that are open, and open those that take merged ones back",
}


def add(commands: Any) -> None:
    """Add ``golden-path fleet`` to the command line."""
    text = "roll a version out over a fleet, ring by ring"
    verbs = commands.add_parser("fleet", help=text, description=text).add_subparsers(required=True, metavar="VERB")
    for name, said in _VERBS.items():
        verb = verbs.add_parser(name, help=said, description=said)
        verb.set_defaults(run=run, verb=name, patches="on", trust=False, to="", shard=None)
        verb.add_argument("file", metavar="FILE", type=Path, nargs="?", default=Path("fleet.yaml"), help="fleet.yaml")
        verb.add_argument("--json", action="store_true", help="for programs")
        verb.add_argument("--jobs", type=positive, default=JOBS, metavar="N", help=f"services at a time; {JOBS}")
        if name in ("judge", "advance"):
            verb.add_argument(
                "--to", default="", metavar="VERSION", help="a tag of the template; the newest by default"
            )
        if name in ("advance", "rollback"):
            verb.add_argument("--trust", action="store_true", help="let the template run code of its own")
        if name == "advance":
            verb.add_argument("--shard", type=shard, metavar="I/N", help="do only this part, and judge nothing")
        if name == "judge":
            verb.add_argument("--shard-size", type=positive, default=25, metavar="N",
                              help="for --json: services a shard; 25")  # fmt: skip
        if name == "rollback":
            verb.add_argument("--reason", default="stopped by hand", help="for the ledger and the pull requests")


def options_of_fleet(command: argparse.ArgumentParser, *, html: bool) -> None:
    """Add the options of a command that takes services, for a fleet instead."""
    command.add_argument("--fleet", type=Path, metavar="FILE", help="all services of a fleet.yaml, instead of a PATH")
    command.add_argument("--jobs", type=positive, default=JOBS, metavar="N", help=f"services at a time; {JOBS}")
    if html:
        command.add_argument("--html", type=Path, metavar="FILE", help="with --fleet: write a page for people, too")


def refuse(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """End with a line where ``plan`` or ``status`` has neither a path nor a fleet, or both."""
    if not hasattr(options, "fleet"):
        return
    paths = options.paths if "paths" in options else list(filter(None, [options.path]))
    if bool(paths) == bool(options.fleet):
        parser.error("name a PATH, or a fleet with --fleet FILE")
    if options.fleet and (options.answers_file or getattr(options, "data", None) or getattr(options, "diff", False)):
        parser.error("--answers-file, --data and --diff are for one service; fleet.yaml has answers_file and data")
    if getattr(options, "html", None) and not options.fleet:
        parser.error("--html needs --fleet")


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
        options.html.write_text(page.html(fleet, rows, _sentence(fleet)), encoding="utf-8")
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
    return f"Rollout of {rollout.version}, in the ring {rollout.ring}: {_STATES[rollout.state]}{reason}."


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
    yield f"{rollout.version}: {_STATES[rollout.state]}" + (f": {rollout.reason}" if rollout.reason else "")
    if rollout.state == ledger.BACK:
        yield f"next: release a newer version, or try this one again with --to {rollout.version}"
    for ring, state in _rings(fleet, result):
        of_ring = [one for one in result.seen if one.ring == ring.name]
        yield f"  {ring.name:<12} {state:<8} {len(ring.members)} services" + (
            f": {_counts(of_ring)}; {ring.require:.0%} must be green, at most {ring.max_red:.0%} red" if of_ring else ""
        )
    for one in result.seen:
        if one.state not in ("green", "back", FAILED):
            undecided = f", {one.conflicts} to decide" if one.conflicts else ""
            yield f"  {one.state:<10} {one.name}{undecided} {one.url}".rstrip()


def _rings(fleet: Fleet, result: Result) -> Iterator[tuple[fleet_file.Ring, str]]:
    rollout = result.rollout
    for ring in fleet.rings:
        if rollout is None or ring.name not in rollout.started:
            yield ring, "waiting"
        elif rollout.state == ledger.START:
            yield ring, ("soaking" if rollout.enough else "running") if ring.name == rollout.ring else "passed"
        else:
            yield ring, {ledger.STOP: "stopped", ledger.BACK: "back", ledger.DONE: "passed"}[rollout.state]


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
        "state": _STATES[rollout.state] if rollout else "none",
        "reason": rollout.reason if rollout else "",
        "rings": rings,
        "services": [asdict(one) for one in result.seen],
    }


def positive(text: str) -> int:
    """Read a whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a number from 1, not {text!r}")
    return int(text)


def shard(text: str) -> tuple[int, int]:
    """Read ``I/N``."""
    index, _, count = text.partition("/")
    if not (index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise argparse.ArgumentTypeError(f"must be I/N with I from 1 to N, not {text!r}")
    return int(index), int(count)
