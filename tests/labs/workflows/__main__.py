"""``python -m tests.labs.workflows check FOLDER`` and ``run FOLDER WORKFLOW``."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.labs.errors import LabError
from tests.labs.toolchains import MissingToolchainError
from tests.labs.workflows import inputs
from tests.labs.workflows.lab import Lab
from tests.labs.workflows.lint import lint


def _check(folder: Path) -> int:
    findings = [*inputs.check(folder), *lint(folder)]
    sys.stdout.writelines(f"{finding}\n" for finding in findings)
    return 1 if findings else 0


def _payload(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        payload = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LabError(f"cannot read the payload {file}: {error}") from None
    if not isinstance(payload, dict):
        raise LabError(f"the payload {file} is no JSON object")
    return payload


def _run(arguments: argparse.Namespace) -> int:
    payload = _payload(arguments.payload)
    with tempfile.TemporaryDirectory() as folder:
        result = Lab(Path(folder)).run(arguments.folder, arguments.event, payload, arguments.workflow)
    sys.stdout.write(f"{result.stdout}\n")
    for key, job in result.jobs.items():
        sys.stdout.write(f"{job.result:<9} {key}\n")
    return result.code


def main() -> int:
    """Run one command.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.labs.workflows", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="hold workflows to pins and actions, and lint them")
    check.add_argument("folder", type=Path)
    run = commands.add_parser("run", help="run a workflow as it is committed, programs for real")
    run.add_argument("folder", type=Path)
    run.add_argument("workflow", help="file name in .github/workflows")
    run.add_argument("--event", default="push")
    run.add_argument("--payload", type=Path, help="JSON file")
    arguments = parser.parse_args()
    try:
        return _check(arguments.folder) if arguments.command == "check" else _run(arguments)
    except (LabError, MissingToolchainError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
