"""Programs that are recorded instead of run."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.labs.toolchains import ROOT


@dataclass(frozen=True)
class Answer:
    """What a recorded program does.

    Attributes:
        match: regular expression that is searched in the arguments, joined by spaces.
        stdout: what it prints.
        stderr: what it prints as error.
        code: its exit code.
        times: after how many calls it is used up, and a later answer comes; never by default.
        real: whether the real program runs instead, after the call is recorded.
    """

    match: str = ""
    stdout: str = ""
    stderr: str = ""
    code: int = 0
    times: int | None = None
    real: bool = False


@dataclass(frozen=True)
class Recorder:
    """How one program answers: with the first answer that fits, without one with nothing and exit code 0.

    Attributes:
        answers: in order.
        env: names of the variables to record; ``*`` for all.
    """

    answers: tuple[Answer, ...] = ()
    env: tuple[str, ...] = ()

    def settings(self) -> dict[str, Any]:
        """Return what the stand-in reads."""
        return dataclasses.asdict(self)


def launcher(module: str, call: str) -> str:
    """Return a program that calls a function of a stand-in, whatever environment and folder it runs in."""
    return (
        f"#!{sys.executable} -IB\nimport sys\nfrom pathlib import Path\n\nsys.path.insert(0, {str(ROOT)!r})\n"
        f"from tests.labs.workflows.stand_ins.{module} import main\n\nsys.exit(main({call}))\n"
    )


def write(folder: Path, names: Iterable[str]) -> None:
    """Write the programs.

    Args:
        folder: an empty one, to be put in front of PATH.
        names: of the programs.
    """
    for name in names:
        program = folder / name
        program.write_text(launcher("command", f"{name!r}, Path({str(folder)!r})"), encoding="utf-8")
        program.chmod(0o755)
