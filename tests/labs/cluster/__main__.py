"""``python -m tests.labs.cluster up|down|status|env``."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time

from tests.labs.cluster.lab import Lab
from tests.labs.errors import LabError
from tests.labs.toolchains import MissingToolchainError


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _up(lab: Lab) -> None:
    start = time.monotonic()
    started = lab.up()
    for name, what in lab.status().items():
        _say(f"{name:<24} {'started' if name in started else 'ran already'}, {what}")
    _say(f"up after {time.monotonic() - start:.0f} s; for a shell: . <(python -m tests.labs.cluster env)")


def main() -> int:
    """Run one command.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.labs.cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start what does not run")
    commands.add_parser("down", help="end everything")
    commands.add_parser("status", help="show what runs")
    commands.add_parser("env", help="print the settings for a shell")
    arguments = parser.parse_args()
    lab = Lab()
    try:
        if arguments.command == "up":
            _up(lab)
        elif arguments.command == "down":
            lab.down()
        elif arguments.command == "status":
            for name, what in lab.status().items():
                _say(f"{name:<24} {what or 'down'}")
        else:
            for name, value in lab.environment().items():
                if os.environ.get(name) != value:
                    _say(f"export {name}={shlex.quote(value)}")
    except (LabError, MissingToolchainError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
