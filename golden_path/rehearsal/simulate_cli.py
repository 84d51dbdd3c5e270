"""The command ``golden-path simulate``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from golden_path import switch
from golden_path.errors import Exit
from golden_path.output import print_json, print_lines, say
from golden_path.rendering.render import Renderer
from golden_path.untrusted import foreign


def add(commands: Any) -> None:
    """Add the command to the parser's commands."""
    text = "rehearse the upgrade to a change of a template, over synthetic services"
    command = commands.add_parser("simulate", help=text, description=text)
    command.set_defaults(run=run, patches="on")
    command.add_argument("template", metavar="TEMPLATE", help="its repository's folder, or its address")
    command.add_argument("--to", default="HEAD", metavar="REF", help="the change; HEAD by default")
    command.add_argument("--from", dest="old", action="append", default=[], metavar="REF", help="a version; repeatable")
    command.add_argument("--last", type=_positive, default=2, metavar="N", help="or the last N releases (2)")
    command.add_argument("--answers", type=Path, metavar="FILE", help="answers and edits; the template's choices else")
    command.add_argument("--services", type=_positive, default=12, metavar="N", help="at most, without --answers (12)")
    command.add_argument("--edits", type=int, default=6, metavar="N", help="at random, a service (6); 0 for none")
    command.add_argument("--seed", default="0", help="of these")
    command.add_argument("--check", default="", metavar="COMMAND", help="run in each upgraded service without edits")
    command.add_argument("--max-conflict-rate", type=float, default=100.0, metavar="PERCENT", help="else exit code 3")
    command.add_argument("--json", action="store_true", help="for programs")
    command.add_argument("--trust", action="store_true", help="let the template run code of its own")
    command.add_argument("--patches", choices=("on", "off"), help=f"speed patches to Copier, as {switch.SWITCH}")


def run(options: argparse.Namespace) -> int:
    """Rehearse; returns the exit code: 3 where too many services are in conflict, one is broken or could not follow."""
    from golden_path.rehearsal import scenarios, simulate  # the other commands start without it
    from golden_path.rehearsal.outcome import as_json, table

    given = scenarios.load(options.answers) if options.answers else None
    with Renderer(trust=options.trust) as renderer:
        outcome = simulate.simulate(
            options.template, renderer, to=options.to, old=options.old, last=options.last, given=given,
            services=options.services, edits=max(options.edits, 0), seed=options.seed, check=options.check,
            progress=_progress,
        )  # fmt: skip
    if options.json:
        print_json(as_json(outcome))
    else:
        print_lines(*table(outcome))
    passed = outcome.rate <= options.max_conflict_rate and not outcome.broken and not outcome.problems
    if outcome.rate > options.max_conflict_rate:
        limit = f"{options.max_conflict_rate:g}"
        say(f"golden-path: {outcome.rate:.1f} % of the services are in conflict, more than {limit} %")
    return Exit.DONE if passed else Exit.CONFLICT


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{foreign.line(text)[:110]}")
        sys.stderr.flush()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("has to be 1 or more")
    return number
