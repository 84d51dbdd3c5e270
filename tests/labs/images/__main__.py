"""``python -m tests.labs.images up|down|status|env FOLDER``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.labs import command
from tests.labs.errors import LabError
from tests.labs.images.lab import Lab
from tests.labs.toolchains import LANGUAGES

NAME = "tests.labs.images"


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


def _add_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path)


def main() -> int:
    """Run one command; return the exit code."""
    lab = Lab()

    def hint() -> str:
        return (
            f" in mode {lab.mode}, with the registry {lab.registry}\n"
            f"for a shell in a service: . <(python -m {NAME} env FOLDER)"
        )

    def environment(arguments: argparse.Namespace) -> dict[str, str]:
        return lab.environment(arguments.folder, _language(arguments.folder))

    return command.main(lab, NAME, hint, environment, _add_folder)


if __name__ == "__main__":
    sys.exit(main())
