"""The text of the pull request."""

import re
from typing import NamedTuple

LONGEST = 60000  # GitHub takes 65536 characters
KINDS = {"A": "added", "M": "changed", "D": "removed"}


class Decision(NamedTuple):
    """What a person has to decide."""

    file: str
    why: str
    lines: str


def table(changes: list[str], merged: list[str]) -> list[str]:
    """The files by kind of change, from lines of `git diff --name-status`."""
    lists = {word: [line[2:] for line in changes if line[0] == letter] for letter, word in KINDS.items()}
    lists["changed"] = [name for name in lists["changed"] if name not in merged]
    lists["merged with your changes"] = merged
    rows = [f"| {kind} | {len(names)} | `{'`, `'.join(names)}` |" for kind, names in lists.items() if names]
    return ["| what | files | |", "|---|---|---|", *rows, ""]


def checklist(decisions: list[Decision]) -> list[str]:
    if not decisions:
        return ["Nothing: the template changed nothing that you had changed too.", ""]
    lines = []
    for one in decisions:
        shown = ["", "~~~~~~diff", one.lines.rstrip("\n"), "~~~~~~", ""] if one.lines else []
        lines += [f"- [ ] `{one.file}`: {one.why}", *shown]
    return [*lines, ""]


def body(
    source: str, current: str, version: str, changes: list[str], merged: list[str], decisions: list[Decision]
) -> str:
    lines = [f"Brings the template from {current} to {version}.", ""]
    if host := re.match(r"(?:gh:|(?:git\+)?https://github\.com/)([\w.-]+/[\w.-]+?)(?:\.git)?/?$", source):
        lines += [f"What changed there: https://github.com/{host[1]}/compare/{current}...{version}", ""]
    steps = [f"`git fetch origin && git switch template/update-{version} && make check`"]
    if decisions:
        steps.append(
            "Decide each point above, commit that on this branch, tick it off. "
            "A branch with a commit of yours is not overwritten."
        )
    steps.append("Merge.")
    lines += [*table(changes, merged), "## To decide", "", *checklist(decisions), "## What to do next", ""]
    whole = "\n".join([*lines, *(f"{number}. {step}" for number, step in enumerate(steps, 1)), ""])
    return whole if len(whole) <= LONGEST else f"{whole[:LONGEST]}\n~~~~~~\n\nCut off here: the diff shows the rest.\n"
