"""The options of the commands on a fleet; what the commands do is imported when one is run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

JOBS = 8
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
        verb.set_defaults(run=_run, verb=name, patches="on", trust=False, to="", shard=None)
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


def _run(options: argparse.Namespace) -> int:
    from golden_path.rollout import commands  # the other commands start without it

    return commands.run(options)


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
