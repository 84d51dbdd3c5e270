"""Reading requirements files of pip: includes, constraints, versions and hashes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from golden_path.rules.files import Files

# A requirements file for what runs; those for developers and tests are beside it.
FILES = ("requirements.txt", "requirements/*.txt", "!*dev*.txt", "!*test*.txt", "!*doc*.txt", "!*lint*.txt")
_OPTION = re.compile(r"(-r|-c|--requirement|--constraint)(?:\s*=\s*|\s+|(?<=-[rc]))(\S+)")
_NAME = re.compile(r"([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*(.*)")
_EXACT = re.compile(r"\(?\s*===?\s*[^\s*,<>=!~]+\s*\)?(?:\s|;|$)")
_FIXED = re.compile(r"@[0-9a-f]{40}\b|#sha(?:256|384|512)=|-\d[^/]*\.(?:whl|tar\.gz|zip)(?:\s|;|#|$)")
_MOST = 50  # files that one includes, each once


class Line(NamedTuple):
    """A requirement.

    Attributes:
        path: the file that has it.
        number: of its line.
        name: normal form; empty for an address without a name.
        text: as written, without marker, comment and hashes.
        exact: whether it names one version, or one commit; local folders do.
        hashed: whether a hash stands with it.
    """

    path: str
    number: int
    name: str
    text: str
    exact: bool
    hashed: bool


def normal(name: str) -> str:
    """Return a name of a Python package as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower().rstrip("-")


def read(files: Files, path: str) -> list[Line]:
    """Return the requirements of a file and of those that it includes; a constraint makes one exact."""
    fixed: dict[str, bool] = {}
    found = list(_lines(files, path, fixed, {path}))
    return [line._replace(exact=line.exact or fixed.get(line.name, False)) for line in found]


def included(files: Files, paths: list[str]) -> set[str]:
    """Return those of some files that others of them include."""
    return {other for path in paths for _, _, other in _options(files, path)}


def _lines(files: Files, path: str, fixed: dict[str, bool], seen: set[str]) -> Iterator[Line]:
    for number, text in _joined(files.text(path) or ""):
        if option := _OPTION.match(text):
            other = _beside(path, option[2])
            if other in seen or len(seen) > _MOST or not files.has(other):
                continue
            seen.add(other)
            more = _lines(files, other, fixed, seen)
            if option[1] in ("-c", "--constraint"):
                fixed |= {line.name: True for line in more if line.exact}
            else:
                yield from more
        elif found := _requirement(path, number, text):
            yield found


def _options(files: Files, path: str) -> Iterator[tuple[int, str, str]]:
    for number, text in _joined(files.text(path) or ""):
        if option := _OPTION.match(text):
            yield number, option[1], _beside(path, option[2])


def _requirement(path: str, number: int, text: str) -> Line | None:
    text, editable = re.subn(r"^(?:-e|--editable)[\s=]+", "", text)
    if text.startswith("-"):
        return None
    hashed = "--hash=" in text
    shown = re.split(r"\s+--|\s*;", text)[0].strip()
    if re.match(r"\.{0,2}/|\.$|\.\[|file:", shown):
        return None  # a folder beside it
    if re.match(r"[a-z+]+://", shown):
        return Line(path, number, "", shown, bool(_FIXED.search(shown)), hashed)
    named = _NAME.match(shown)
    if not named or editable:
        return None
    rest = named[2]
    exact = bool(_FIXED.search(rest)) if rest.startswith("@") else bool(_EXACT.match(rest))
    return Line(path, number, normal(named[1]), shown, exact, hashed)


def _joined(text: str) -> Iterator[tuple[int, str]]:
    start, joined = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        start = start or number
        joined += re.sub(r"(?:^|\s)#.*$", "", line).strip().removesuffix("\\")
        if line.rstrip().endswith("\\") and not line.lstrip().startswith("#"):
            joined += " "
            continue
        if joined.strip():
            yield start, joined.strip()
        start, joined = 0, ""


def _beside(path: str, other: str) -> str:
    parts: list[str] = []
    for part in (PurePosixPath(path).parent / other).parts:
        if part == ".." and parts:
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
