"""The command ``golden-path report``."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from golden_path.errors import Exit
from golden_path.output import print_json, print_lines


def add(commands: Any) -> None:
    """Add the command to the parser's commands."""
    text = "measure the delivery of services from their deployment events, as DORA does"
    command = commands.add_parser("report", help=text, description=text)
    command.set_defaults(run=run, patches="on")
    command.add_argument("events", type=Path, nargs="+", metavar="EVENTS", help="folders or files of CDEvents")
    command.add_argument("--environment", default="production", metavar="NAME", help="production by default")
    command.add_argument("--since", type=_day, metavar="DATE", help="the first day (UTC); the first event by default")
    command.add_argument("--until", type=_day, metavar="DATE", help="the day after the last; the last event by default")
    command.add_argument(
        "--fleet", dest="services", type=Path, metavar="FILE", help="fleet.yaml: only its services, with their teams"
    )
    command.add_argument("--html", type=Path, metavar="FILE", help="write a page for people, too")
    command.add_argument("--json", action="store_true", help="for programs")


def run(options: argparse.Namespace) -> int:
    """Report; returns the exit code."""
    from golden_path.reporting import report, text  # the other commands start without it
    from golden_path.rollout import fleet_file
    from golden_path.untrusted import inside

    owners = None
    if options.services:
        owners = {member.name: member.team for member in fleet_file.load(options.services).members}
    found = report.report(options.events, options.environment, options.since, options.until, owners)
    if options.html:
        inside.report(options.html, text.html(found))
    if options.json:
        print_json(report.as_json(found))
    else:
        print_lines(*text.table(found))
    return Exit.DONE


def _day(given: str) -> datetime:
    try:
        return datetime.strptime(given, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a day such as 2026-03-31, not {given!r}") from None
