"""The part of a template's CHANGELOG.md that concerns one service and one step.

A heading of the second level names a version. An entry that begins with words in brackets, ``- [java] ...`` or
``- [language=java, wolfi] ...``, concerns only the services of which one of the words is an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from packaging.version import Version

from golden_path.source import versions

LONGEST = 200  # characters of a heading that are looked at
_HEADING = re.compile(r"^## .*?\bv?(\d+(?:\.\d+)+[\w.+-]*)")
_ENTRY = re.compile(r"^[-*] ")
_MARKED = re.compile(r"^([-*] )\[([\w=., -]+)\](?!\()[: ]*")


def between(text: str, old: str, new: str, answers: Mapping[str, Any]) -> str:
    """Return the entries after one version up to another.

    Args:
        text: of CHANGELOG.md.
        old: the version that the service has.
        new: the version that it gets.
        answers: of the service, by question.

    Returns:
        Markdown, with a heading a version; empty where there is nothing to say.
    """
    low, high = versions.parse(old), versions.parse(new)
    if low is None or high is None:
        return ""
    parts = []
    for version, lines in _sections(text):
        if low < version <= high:
            body = "\n".join(concerning(lines, answers)).strip("\n")
            if body:
                parts.append(f"## {version}\n\n{body}")
    return "\n\n".join(parts)


def _sections(text: str) -> Iterator[tuple[Version, list[str]]]:
    version: Version | None = None
    lines: list[str] = []
    for line in text.split("\n"):
        if line.startswith("## "):
            if version:
                yield version, lines
            found = _HEADING.match(line[:LONGEST])
            version, lines = (versions.parse(found[1].rstrip(".-+")) if found else None), []
        else:
            lines.append(line)
    if version:
        yield version, lines


def concerning(lines: Iterable[str], answers: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines without those of entries that are marked for others.

    Args:
        lines: Markdown.
        answers: of the service, by question.
    """
    said = {str(value).lower() for value in answers.values() if isinstance(value, str)}
    said |= {f"{name}={value}".lower() for name, value in answers.items()}
    wanted = True
    for line in lines:
        if _ENTRY.match(line):
            marked = _MARKED.match(line)
            words = {word.strip().lower() for word in marked[2].split(",")} if marked else set()
            wanted = not words or bool(words & said)
        elif line and not line.startswith((" ", "\t")):
            wanted = True  # a paragraph or heading between the entries
        if wanted:
            yield line
