"""What stands in for a pinned action: records the call, does what the real one would do to the files of the job."""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.labs.workflows.stand_ins import record
from tests.labs.workflows.stand_ins.artifacts import download, upload
from tests.labs.workflows.stand_ins.checkout import checkout
from tests.labs.workflows.stand_ins.failure import StepError

DOES: Mapping[str, Callable[[Mapping[str, str]], dict[str, str]]] = {
    "actions/checkout": checkout,
    "actions/upload-artifact": upload,
    "actions/download-artifact": download,
}


def _inputs(declared: list[str]) -> dict[str, str]:
    """Return the inputs that were given, under their declared names."""
    names = {name.lower(): name for name in declared}
    given = json.loads(os.environ["LAB_INPUTS"])
    return {names[name.lower()]: value for name, value in given.items() if name.lower() in names and value}


def _output(values: Mapping[str, str]) -> None:
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        for name, value in values.items():
            end = uuid.uuid4().hex
            file.write(f"{name}<<{end}\n{value}\n{end}\n")


def main() -> int:
    """Run the stand-in of the action in ``LAB_ACTION``.

    Returns:
        The exit code.
    """
    name = os.environ["LAB_ACTION"]
    action = record.settings()["actions"][name]
    inputs = _inputs(action["inputs"])
    record.write({"kind": "action", "name": name, "inputs": inputs})
    try:
        done = DOES[name](inputs) if name in DOES else {}
        for path, text in action["files"].items():
            target = Path(os.environ["GITHUB_WORKSPACE"], path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        _output({**action["stub"], **done, **action["values"]})
        if action["fails"]:
            raise StepError("told to fail")
    except StepError as error:
        sys.stdout.write(f"::error::{name}: {error}\n")
        return 1
    return 0
