"""Patterns of paths, as in .gitignore: a slash before the end anchors, `**` stands for folders, `!` takes back."""

from __future__ import annotations

import re
from functools import cache
from itertools import groupby


@cache
def compiled(patterns: tuple[str, ...]) -> tuple[tuple[bool, re.Pattern[str]], ...]:
    """Return expressions for patterns, the last one first, each with whether it takes in; neighbours are joined."""
    found = [(not one.startswith("!"), _expression(one.removeprefix("!"))) for one in reversed(patterns)]
    return tuple(
        (wanted, re.compile("|".join(expression for _, expression in group), re.DOTALL))
        for wanted, group in groupby(found, key=lambda one: one[0])
    )


def matches(patterns: tuple[str, ...], path: str) -> bool:
    """Whether a path matches: the last pattern that fits says so; what lies in a folder that fits does, too."""
    return next((wanted for wanted, one in compiled(patterns) if one.fullmatch(path)), False)


def _expression(pattern: str) -> str:
    text, folder = pattern.rstrip("/"), pattern.endswith("/")
    start = "" if "/" in text else "(?:.*/)?"
    text = re.sub(r"(?:\*\*/)+\*\*(?=/|$)", "**", text.lstrip("/"))
    end = "/.*" if folder else "(?:/.*)?"
    if text.endswith("/**"):
        text, end = text.removesuffix("/**"), "/.*"
    done, at = start, 0
    while at < len(text):
        if text.startswith("**/", at) and (at == 0 or text[at - 1] == "/"):
            done, at = f"{done}(?:.*/)?", at + 3
        elif text[at] == "*":
            done, at = f"{done}[^/]*", at + 1
        elif text[at] == "?":
            done, at = f"{done}[^/]", at + 1
        elif text[at] == "[" and (close := text.find("]", at + 2)) > 0:
            inside = text[at + 1 : close].replace("\\", "\\\\")
            inside = f"^{inside[1:]}" if inside[0] in "!^" else inside
            done, at = f"{done}[{inside}]", close + 1
        else:
            done, at = done + re.escape(text[at]), at + 1
    return f"(?:{done}{end})"
