"""Reading Dockerfiles: instructions, here-documents, arguments and stages, as BuildKit reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

_DOCUMENT = re.compile(r"(?<![<\w])\d*<<(-?)([\"']?)([A-Za-z_]\w*)\2(?=\s|$|[|&;>])")
_QUOTED = re.compile(r"\"(?:\\.|[^\"\\])*\"|'[^']*'")
_ESCAPE = re.compile(r"#\s*escape\s*=\s*([\\`])\s*$", re.IGNORECASE)
_DIRECTIVE = re.compile(r"#\s*\w+\s*=\s*\S")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::?([-+])([^{}]*))?\})")
_PAIR = re.compile(r"(\w+)=(\"(?:\\.|[^\"\\])*\"|'[^']*'|\S*)")
_LONGEST = 4096  # characters of a value: one that names itself twice would double with each line
_FOUR = 4  # fields of a variable: plain name, name in braces, sign and word


class Line(NamedTuple):
    """An instruction, its continuation lines joined; the text of here-documents is left out.

    Attributes:
        number: of its first line.
        keyword: in capitals.
        rest: what comes after the keyword.
    """

    number: int
    keyword: str
    rest: str


@dataclass(frozen=True)
class Stage:
    """A stage.

    Attributes:
        image: what it is built from, with the defaults of arguments filled in.
        name: how others call it, in lower case; empty for none.
        lines: its instructions, ``FROM`` first.
        arguments: the defaults that stand before the first stage.
    """

    image: str
    name: str
    lines: list[Line]
    arguments: Mapping[str, str] = field(default_factory=dict)

    def filled(self, text: str) -> str:
        """Return a text of the stage with the variables that it sets filled in; unknown ones stay."""
        known: dict[str, str] = {}
        for line in self.lines:
            if line.keyword in ("ARG", "ENV"):
                for name, value in pairs(line.rest):
                    known[name] = filled(value, known)
                if line.keyword == "ARG" and "=" not in line.rest and line.rest in self.arguments:
                    known[line.rest] = self.arguments[line.rest]
        return filled(text, known)


def stages(text: str) -> list[Stage]:
    """Return the stages of a Dockerfile; none where it has no ``FROM``."""
    found: list[Stage] = []
    defaults: dict[str, str] = {}
    for line in instructions(text):
        if line.keyword == "FROM":
            words = [word.strip("\"'") for word in line.rest.split() if not word.startswith("--")]
            named = words[2].lower() if len(words) > 2 and words[1].lower() == "as" else ""
            found.append(Stage(filled(words[0], defaults) if words else "", named, [line], dict(defaults)))
        elif found:
            found[-1].lines.append(line)
        elif line.keyword == "ARG":
            for name, value in pairs(line.rest):
                defaults[name] = filled(value, defaults)
    return found


def user(chain: list[Stage]) -> Line | None:
    """Return the instruction that says who the last stage runs as, also in the stages that it is built from."""
    return last(chain, "USER")


def last(chain: list[Stage], keyword: str) -> Line | None:
    """Return the instruction of a kind that counts for the last stage, also in the stages that it is built from."""
    by_name = {stage.name: stage for stage in chain if stage.name}
    stage, seen = chain[-1], set[str]()
    while True:
        found = next((line for line in reversed(stage.lines) if line.keyword == keyword), None)
        if found:
            return found._replace(rest=stage.filled(found.rest).strip("\"'"))
        parent = by_name.get(stage.image.lower())
        if parent is None or parent.name in seen:
            return None
        seen.add(parent.name)
        stage = parent


def root_of(chain: list[Stage]) -> str:
    """Return the image outside the file that the last stage comes from."""
    by_name = {stage.name: stage for stage in chain if stage.name}
    stage, seen = chain[-1], set[str]()
    while (parent := by_name.get(stage.image.lower())) and parent.name not in seen:
        seen.add(parent.name)
        stage = parent
    return stage.image


def pairs(text: str) -> list[tuple[str, str]]:
    """Return names and values of an ``ARG`` or ``ENV``; the old form ``ENV NAME VALUE`` is one, too."""
    if found := [(name, _bare(value)) for name, value in _PAIR.findall(text)]:
        return found
    name, _, value = text.partition(" ")
    return [(name, value.strip())] if value else []


def filled(text: str, known: Mapping[str, str]) -> str:
    """Return a text with variables filled in, ``${NAME:-word}`` too; unknown ones stay."""

    def value(match: re.Match[str]) -> str:
        plain, braced, sign, word = (match[number + 1] for number in range(_FOUR))
        name = plain or braced
        if sign == "+":
            return (word or "") if known.get(name) else ""
        return known.get(name) or (word if sign == "-" and word else match[0])

    done = _VARIABLE.sub(value, text[:_LONGEST])
    return done if len(done) <= _LONGEST else text[:_LONGEST]


def instructions(text: str) -> Iterator[Line]:
    """Yield the instructions of a Dockerfile."""
    start, joined, ends, escape = 0, "", list[tuple[str, str]](), "\\"
    directives = True
    lines = text.splitlines()
    last = {line.strip(): number for number, line in enumerate(lines, 1)}
    for number, line in enumerate(lines, 1):
        if ends:  # inside a here-document
            tabs, word = ends[0]
            if (line.lstrip("\t") if tabs else line).rstrip("\r") == word:
                ends.pop(0)
            continue
        if directives and (found := _ESCAPE.match(line)):
            escape = found[1]
        directives = directives and bool(_DIRECTIVE.match(line))
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        start = start or number
        stripped = line.strip()
        joined += stripped.removesuffix(escape)
        if not stripped.endswith(escape):
            keyword, _, rest = joined.replace("\t", " ").partition(" ")
            yield Line(start, keyword.upper(), rest.strip())
            if "<<" in rest and keyword.upper() in ("RUN", "COPY", "ADD"):
                documents = _DOCUMENT.finditer(_QUOTED.sub(_kept, rest))
                ends = [(one[1], one[3]) for one in documents if last.get(one[3], 0) > number]
            start, joined = 0, ""


def _kept(match: re.Match[str]) -> str:
    """A quoted word, where it may be the end of a here-document; else nothing."""
    before = match.string[max(0, match.start() - 3) : match.start()]
    return match[0] if before.endswith(("<<", "<<-")) else ""


def _bare(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
