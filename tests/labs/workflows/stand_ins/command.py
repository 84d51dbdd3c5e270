"""What stands in for a program: records how it was called, and answers as the test said."""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.labs.workflows.stand_ins import record


def _stdin() -> str:
    # A terminal never ends; an empty device has nothing.
    mode = os.fstat(0).st_mode
    return sys.stdin.read() if stat.S_ISFIFO(mode) or stat.S_ISREG(mode) else ""


def _answer(name: str, arguments: str, answers: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the first answer that fits and is not used up."""
    uses = record.folder() / f"{name}.uses"
    with record.locked(record.folder()):
        used = uses.read_text(encoding="utf-8").split() if uses.exists() else []
        for number, answer in enumerate(answers):
            spent = answer["times"] is not None and used.count(str(number)) >= answer["times"]
            if not spent and re.search(answer["match"], arguments):
                uses.write_text(" ".join([*used, str(number)]), encoding="utf-8")
                return answer
    return {"stdout": "", "stderr": "", "code": 0, "real": False}


def main(name: str, own: Path) -> int:
    """Record the call and answer.

    Args:
        name: of the program.
        own: the folder of the stand-ins, in which the real one is not.

    Returns:
        The exit code.
    """
    recorder = record.settings()["recorders"][name]
    arguments = sys.argv[1:]
    answer = _answer(name, " ".join(arguments), recorder["answers"])
    stdin = "" if answer["real"] else _stdin()
    names = list(os.environ) if "*" in recorder["env"] else recorder["env"]
    env = {key: os.environ[key] for key in names if key in os.environ}
    call = {
        "kind": "command",
        "name": name,
        "arguments": arguments,
        "env": env,
        "stdin": stdin,
        "folder": str(Path.cwd()),
    }
    record.write(call)
    if answer["real"]:
        folders = [part for part in os.environ["PATH"].split(os.pathsep) if Path(part) != own]
        if real := shutil.which(name, path=os.pathsep.join(folders)):
            os.execv(real, [real, *arguments])
        sys.stderr.write(f"{name}: not found\n")
        return 127
    sys.stdout.write(answer["stdout"])
    sys.stderr.write(answer["stderr"])
    return int(answer["code"])
