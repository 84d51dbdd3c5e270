"""The text of the pull request."""

import re
from typing import NamedTuple

LONGEST = 60000  # GitHub takes 65536 characters
NAMED = 100  # files of a row
KINDS = {"A": "added", "M": "changed", "D": "removed"}
GAP = "\u200b"  # a zero-width space
# What closes, links, calls somebody, or switches a CI off, where a merge puts the text into a commit.
ACTS = re.compile(
    r"(#(?=\d)|@(?=[\w\[])|\bGH-(?=\d)|[!&](?=\d)|/(?:issues|pulls?|discussions|merge_requests)/(?=\d)"
    r"|\[(?=[^\[\]]{0,60}(?:skip|no.?ci|ci[ _-])[^\[\]]{0,60}\])|\*\*\*(?=\w*NO_?CI)|skip-checks(?= *:))",
    re.IGNORECASE,
)


class Decision(NamedTuple):
    """What a person has to decide."""

    file: str
    why: str
    lines: str


def escaped(text: str) -> str:
    """A text on one line of a log: no control character, and no command of the CI's."""
    shown = "".join(one if one.isprintable() else ascii(one)[1:-1].replace("\\udc", "\\x") for one in text)
    return re.sub(r"^(\s*):(?=:)", r"\1\\x3a", shown).replace("##[", "\\x23#[")


def words(text: str) -> str:
    """A text of others in which no word acts."""
    return ACTS.sub(rf"\1{GAP}", escaped(text))


def code(text: str) -> str:
    """A file name, in code."""
    shown = words(text)
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    return f"{ticks} {shown} {ticks}" if "`" in shown or not shown.strip() else f"`{shown}`"


def cell(text: str) -> str:
    """The same, in a table."""
    return code(text).replace("|", "\\|")


def block(text: str) -> list[str]:
    """A difference; no run of tildes in it ends it."""
    lines = [words(line.removesuffix("\r").replace("\t", "    ")) for line in text.rstrip("\n").split("\n")]
    fence = "~" * max(6, 1 + max((len(run) for run in re.findall("~+", text)), default=0))
    return ["", f"{fence}diff", *lines, fence, ""]


def table(changes: list[tuple[str, str]], merged: list[str]) -> list[str]:
    """The files by kind of change."""
    lists = {word: [name for kind, name in changes if kind == letter] for letter, word in KINDS.items()}
    lists["changed"] = [name for name in lists["changed"] if name not in merged]
    lists["merged with your changes"] = merged
    rows = [
        f"| {kind} | {len(names)} | {', '.join(map(cell, names[:NAMED]))}{' ...' if len(names) > NAMED else ''} |"
        for kind, names in lists.items()
        if names
    ]
    return ["| what | files | |", "|---|---|---|", *rows, ""]


def checklist(decisions: list[Decision], *, lines: bool) -> list[str]:
    if not decisions:
        return ["Nothing: the template changed nothing that you had changed too.", ""]
    shown = []
    for one in decisions:
        shown += [f"- [ ] {code(one.file)}: {one.why}", *(block(one.lines) if lines and one.lines else [])]
    return [*shown, ""]


def body(
    source: str,
    current: str,
    version: str,
    changes: list[tuple[str, str]],
    merged: list[str],
    decisions: list[Decision],
) -> str:
    head = [f"Brings the template from {current} to {version}.", ""]
    if host := re.match(r"(?:gh:|(?:git\+)?https://github\.com/)([\w.-]+/[\w.-]+?)(?:\.git)?/?$", source):
        head += [f"What changed there: https://github.com/{host[1]}/compare/{current}...{version}", ""]
    steps = [f"`git fetch origin && git switch template/update-{version} && make check`"]
    if decisions:
        steps.append(
            "Decide each point above, commit that on this branch, tick it off. "
            "A branch with a commit of yours is not overwritten."
        )
    steps.append("Merge.")
    head += [*table(changes, merged), "## To decide", ""]
    end = ["## What to do next", "", *(f"{number}. {step}" for number, step in enumerate(steps, 1)), ""]
    for lines in (True, False):
        whole = "\n".join([*head, *checklist(decisions, lines=lines), *end])
        if len(whole) <= LONGEST:
            return whole
        end = ["The lines that did not arrive are left out here, since they are too many: see the template.", "", *end]
    return f"{whole[:LONGEST].rpartition(chr(10))[0]}\n\nCut off here: the diff shows the rest.\n"
