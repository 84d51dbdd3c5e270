"""``python -m tests.labs.images up|down|status|env FOLDER``."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from pathlib import Path

from tests.labs.images import LabError
from tests.labs.images.lab import Lab
from tests.labs.toolchains import LANGUAGES, MissingToolchainError


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _up(lab: Lab) -> None:
    start = time.monotonic()
    started = lab.up()
    for name, what in lab.status().items():
        _say(f"{name:<10} {'started' if name in started else 'ran already'}, {what}")
    _say(f"up after {time.monotonic() - start:.0f} s in mode {lab.mode}, with the registry {lab.registry}")
    _say("for a shell in a service: . <(python -m tests.labs.images env FOLDER)")


def main() -> int:
    """Run one command.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.labs.images", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start what does not run")
    commands.add_parser("down", help="end everything")
    commands.add_parser("status", help="show what runs")
    env = commands.add_parser("env", help="print the settings for a shell in a service")
    env.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    lab = Lab()
    try:
        if arguments.command == "up":
            _up(lab)
        elif arguments.command == "down":
            lab.down()
        elif arguments.command == "status":
            for name, what in lab.status().items():
                _say(f"{name:<10} {what or 'down'}")
        else:
            _env(lab, arguments.folder)
    except (LabError, MissingToolchainError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _env(lab: Lab, folder: Path) -> None:
    language = _language(folder)
    for name, value in lab.environment(folder, language).items():
        if os.environ.get(name) != value:
            _say(f"export {name}={shlex.quote(value)}")


def _language(folder: Path) -> str:
    """Return the language of a service, by the file that its builds start from.

    Raises:
        LabError: it is none.
    """
    files = dict(zip(LANGUAGES, ("go.mod", "pom.xml", "package.json", "pyproject.toml"), strict=True))
    for language, file in files.items():
        if (folder / file).exists():
            return language
    raise LabError(f"{folder} is no service: it has none of {', '.join(files.values())}")


if __name__ == "__main__":
    sys.exit(main())
