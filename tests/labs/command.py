"""The command line of a lab: ``up``, ``down``, ``status`` and ``env``."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from collections.abc import Callable, Mapping

from tests.labs.errors import LabError
from tests.labs.started import StartedLab
from tests.labs.toolchains import MissingToolchainError


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _say_parts(parts: Mapping[str, str]) -> None:
    width = max(map(len, parts)) + 1
    for name, what in parts.items():
        _say(f"{name:<{width}} {what}")


def _up(lab: StartedLab, hint: Callable[[], str]) -> None:
    start = time.monotonic()
    with lab.by_hand():
        started = lab.up()
    states = lab.status().items()
    _say_parts({name: f"{'started' if name in started else 'ran already'}, {what}" for name, what in states})
    _say(f"up after {time.monotonic() - start:.0f} s{hint()}")


def main(
    lab: StartedLab,
    name: str,
    hint: Callable[[], str],
    environment: Callable[[argparse.Namespace], Mapping[str, str]],
    add_arguments: Callable[[argparse.ArgumentParser], None] = lambda _: None,
) -> int:
    """Run one command.

    Args:
        lab: the lab.
        name: of the package that is called.
        hint: returns what ``up`` says when all runs, after the seconds that it took.
        environment: returns what ``env`` prints, from the arguments.
        add_arguments: adds those of ``env``.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {name}", description=lab.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start what does not run")
    commands.add_parser("down", help="end everything")
    commands.add_parser("status", help="show what runs")
    add_arguments(commands.add_parser("env", help="print the settings for a shell"))
    arguments = parser.parse_args()
    try:
        if arguments.command == "up":
            _up(lab, hint)
        elif arguments.command == "down":
            lab.down()
        elif arguments.command == "status":
            _say_parts({part: what or "down" for part, what in lab.status().items()})
        else:
            for variable, value in environment(arguments).items():
                if os.environ.get(variable) != value:
                    _say(f"export {variable}={shlex.quote(value)}")
    except (LabError, MissingToolchainError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0
