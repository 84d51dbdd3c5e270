"""A page of the docs whose commands are run, in one shell, and whose output is compared.

Its blocks are of three kinds: `sh` is run; `output`, right after one, is all that it prints (`...` in a line is any
text, and a line of it any lines); `text` is for the reader only. If the output ends with make's own error, the last
command has to fail. Every other command must not.
"""

from __future__ import annotations

import re
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt

COMMANDS, OUTPUT, SKIPPED = "sh", "output", "text"
# How make ends where a command of the page is meant to fail.
FAILS = "make: *** "


class Step(NamedTuple):
    """Commands of the page.

    Attributes:
        line: of the page.
        commands: to run.
        shown: what they print; None if the page does not say.
    """

    line: int
    commands: str
    shown: str | None

    @property
    def fails(self) -> bool:
        return (self.shown or "").rstrip("\n").rpartition("\n")[2].startswith(FAILS)


def steps(text: str) -> list[Step]:
    """Return the commands of a page in order, each with the output that stands after them.

    Args:
        text: of the page, in Markdown.

    Raises:
        ValueError: a block is of no known kind, or shows the output of nothing.
    """
    found: list[Step] = []
    before = ""
    for token in MarkdownIt("commonmark").parse(text):
        if token.type not in ("fence", "code_block"):
            continue
        assert token.map
        line, kind = token.map[0] + 1, token.info
        if kind == COMMANDS:
            found.append(Step(line, token.content, None))
        elif kind == OUTPUT and before == COMMANDS:
            found[-1] = found[-1]._replace(shown=token.content)
        elif kind != SKIPPED:
            raise ValueError(f"line {line}: a block of {kind or 'no kind'!r} that nothing runs or compares")
        before = kind
    return found


def expected(shown: str) -> str:
    """Return the pattern of an output: a line ``...`` is any lines, and in a line it is any text."""
    lines = (
        "(?:.*\n)*" if line == "..." else ".*".join(map(re.escape, line.split("..."))) + "\n"
        for line in shown.splitlines()
    )
    return "".join(lines)


def script(known: Sequence[Step], mark: str) -> str:
    """Return a script for bash that runs the steps until one ends otherwise than the page says.

    Args:
        known: the steps.
        mark: a line that begins with it comes before the output of each.
    """
    parts = ["set -e\n"]
    for number, step in enumerate(known):
        told = f"echo {mark} {number}\n"
        failing = f"set +e\n{step.commands}code=$?\nset -e\ntest $code -ne 0\n"
        parts.append(told + (failing if step.fails else step.commands))
    return "".join([*parts, f"echo {mark} {len(known)}\n"])


def problems(known: Sequence[Step], env: Mapping[str, str], folder: Path) -> list[str]:
    """Run steps in one shell; return each that does not do what the page says, until one ends otherwise.

    Args:
        known: the steps.
        env: of the shell.
        folder: where it starts.
    """
    mark = f"step-{secrets.token_hex(8)}"
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", script(known, mark)], cwd=folder, env=env, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=1800,
    )  # fmt: skip
    outputs = re.split(f"^{mark} .*\n", done.stdout, flags=re.MULTILINE)[1:]
    found = [
        f"line {step.line}: {step.commands}printed\n{output}and not\n{step.shown}"
        for step, output in zip(known, outputs, strict=False)
        if step.shown is not None and not re.fullmatch(expected(step.shown), output)
    ]
    if len(outputs) <= len(known):
        step = known[len(outputs) - 1]
        found.append(f"line {step.line}: {step.commands}{'did not fail' if step.fails else 'failed'}:\n{outputs[-1]}")
    return found
