"""The rules by id. A rule is a function that yields findings: the file, the line, and what to do about it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Finding:
    rule: str
    file: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule} {self.message}"


Check = Callable[[Path], Iterator[tuple[Path, int, str]]]
RULES: dict[str, Check] = {}


def rule(identifier: str) -> Callable[[Check], Check]:
    """Register a check under its id; its docstring's first line is what `--list` shows."""

    def register(check: Check) -> Check:
        RULES[identifier] = check
        return check

    return register


def findings(root: Path) -> list[Finding]:
    """What breaks a rule in the repository at this folder."""
    return [
        Finding(identifier, file.relative_to(root), line, message)
        for identifier, check in sorted(RULES.items())
        for file, line, message in check(root)
    ]


def line_of(text: str, part: str) -> int:
    """The line on which a part of a text first stands, 1 where it does not."""
    before, found, _ = text.partition(part)
    return before.count("\n") + 1 if found else 1
