"""Cutting a Markdown text that is too long for a forge, so that what is left reads as it was meant."""

from __future__ import annotations

import re

# GitHub takes 65536 code points of a text, ASCII or not (measured: dead-claudia/github-limits#13), and 256 of a title.
LONGEST, LONGEST_TITLE = 65000, 250
MORE = "... and more, in the commit's message\n"
_FENCE = re.compile(r" *(`{3,}(?=[^`]*$)|~{3,})(.*)")
_ITEM = re.compile(r"(?:[-*+]|\d+[.)]) ")


def cut(text: str, longest: int = LONGEST) -> str:
    """Return a text, or its beginning up to where a paragraph, heading or whole item ends, and a line that says so.

    No code block is left open, and an item is there with all that belongs to it, or not at all.

    Args:
        text: in Markdown.
        longest: how many characters it may have.
    """
    if len(text) <= longest:
        return text
    room = longest - len(MORE) - 1
    fence, item, blank, at, end = "", False, True, 0, 0
    for line in text.splitlines(keepends=True):
        if at > room:
            break
        found = _FENCE.match(line)
        if fence:
            if found and found[1].startswith(fence) and not found[2].strip():
                fence = ""
        else:
            starts = blank and line.strip() and not line.startswith(" ")
            if _ITEM.match(line):
                end, item = at, True
            elif line.startswith("#") or (starts and not (found and item)):  # an item's code block belongs to it
                end, item = at, False
            fence = found[1] if found else ""
        blank = not line.strip()
        at += len(line)
    return f"{text[:end].rstrip()}\n\n{MORE}".lstrip("\n")
