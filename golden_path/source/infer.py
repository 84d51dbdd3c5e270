"""Find the answers of a repository that no template wrote, by rules that the template ships in its ``adopt.yml``.

The engine knows sources (a file, the remote, the folder) and how to take a text out of them; what a ``go.mod`` means to
a template, only the template knows.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as Xml

import yaml

from golden_path.errors import Exit, FleetError
from golden_path.rules import bounded
from golden_path.source.patterns import matcher

NAME = "adopt.yml"
_KEYS = {"file", "remote", "folder", "get", "match", "value", "form", "refuse", "because"}
_SOURCES = ("file", "remote", "folder")
_LARGEST = 1 << 20  # bytes; no manifest is larger
_BITS = 4096  # of a number that is an answer
_LONGEST = 200  # characters of a sentence
_SHORTEST = 10
_LINK = re.compile(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])|\[!\[[^\]]*\]\([^)]*\)\](?:\([^)]*\)|\[[^\]]*\])?")
_NAMED_LINK = re.compile(r"\[([^\[\]]+)\](?:\([^)]*\)|\[[^\]]*\])")


def sentence(text: str) -> str:
    """Return the first sentence of a paragraph in Markdown, plain; empty for badges, markup and a word."""
    plain = re.sub(r"[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}", "", _NAMED_LINK.sub(r"\1", _LINK.sub("", text)))
    plain = " ".join(plain.split())
    ended = re.match(r"(.*?[^.\s]{2}[.!?])(?:\s+(?=[^a-z])|$)", plain)
    found = ended[1] if ended else plain.rstrip(":")
    fits = _SHORTEST <= len(found) <= _LONGEST and " " in found
    return found if fits and not re.search(r"[<>\[\]{}|]|https?://", found) else ""


_FORMS: Mapping[str, Callable[[str], str]] = {
    "": lambda text: text,
    "lower": str.lower,
    "slug": lambda text: re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-"),
    "sentence": sentence,
}


@dataclass(frozen=True)
class Rule:
    """One way to find something.

    Attributes:
        source: ``file``, ``remote`` or ``folder``.
        file: patterns as in ``.gitignore``, from the root; the first file that matches counts.
        get: a path into JSON, TOML, YAML or XML, by names and numbers with dots; empty for the whole text.
        match: a regular expression (lines are lines); its first group counts, or all of it. None takes the text.
        value: what it means that the rest was found; None for the text that was found.
        form: ``lower``, ``slug`` or ``sentence``, or nothing.
        refuse: what the repository is, that the template does not write; empty for what it does.
        because: how the answer follows from what was found, in words.
    """

    source: str
    file: Sequence[str] = ()
    get: str = ""
    match: re.Pattern[str] | None = None
    value: str | None = None
    form: str = ""
    refuse: str = ""
    because: str = ""


@dataclass(frozen=True)
class Case:
    """Something that holds where one of its rules finds something.

    Attributes:
        rules: of which one is enough.
        files: that it is about.
        say: what a person is told, in Markdown.
    """

    rules: Sequence[Rule]
    files: Sequence[str]
    say: str


@dataclass(frozen=True)
class Rules:
    """What a template says about adopting.

    Attributes:
        answers: rules by question; the first that finds something counts.
        leave_out: patterns of files that a repository of its own has its own of, such as sources.
        needs: questions that are found or given, and never left to a default.
        ask: questions whose default a person has to look at, with what is asked.
        instead: rules by file: where one finds something, the file is not needed.
        only: files that come only where a rule finds something.
        warn: what an adoption may break, where a rule finds something.
        next: what a person does after it, in Markdown, with marks as in a changelog.
        shipped: whether the template has such a file.
    """

    answers: Mapping[str, Sequence[Rule]] = field(default_factory=dict)
    leave_out: Sequence[str] = ()
    needs: Sequence[str] = ()
    ask: Mapping[str, str] = field(default_factory=dict)
    instead: Mapping[str, Sequence[Rule]] = field(default_factory=dict)
    only: Sequence[Case] = ()
    warn: Sequence[Case] = ()
    next: str = ""
    shipped: bool = False


@dataclass(frozen=True)
class Repository:
    """What rules look at.

    Attributes:
        paths: its files, sorted.
        read: returns a file's content; nothing for what is no file.
        remote: ``HOST/OWNER/NAME`` of its origin; empty where there is none.
        folder: the name of its folder.
    """

    paths: Sequence[str]
    read: Callable[[str], bytes]
    remote: str
    folder: str


@dataclass(frozen=True)
class Found:
    """An answer.

    Attributes:
        value: as text, as ``--data`` takes it; what an answers file of old says is not text.
        where: it was found, in words.
    """

    value: Any
    where: str


class RefusedError(Exception):
    """A repository is something that the template does not write."""

    def __init__(self, what: str, where: str) -> None:
        super().__init__(what)
        self.what, self.where = what, where


def load(text: str) -> Rules:
    """Read an ``adopt.yml``.

    Args:
        text: empty where the template has none.

    Raises:
        FleetError: it is not valid.
    """
    if not text:
        return Rules()
    try:
        data = bounded.load(text) or {}
        unknown = set(data) - {"answers", "leave_out", "instead", "next", "needs", "ask", "only", "warn"}
        if unknown:
            raise ValueError(f"unknown: {', '.join(sorted(map(str, unknown)))}")
        return Rules(
            answers={str(name): [_rule(one) for one in rules] for name, rules in data.get("answers", {}).items()},
            leave_out=_patterns(data.get("leave_out", ())),
            needs=tuple(map(str, data.get("needs", ()))),
            ask={str(name): str(words) for name, words in data.get("ask", {}).items()},
            instead={str(name): [_there(one) for one in rules] for name, rules in data.get("instead", {}).items()},
            only=[_case(one) for one in data.get("only", ())],
            warn=[_case(one) for one in data.get("warn", ())],
            next=str(data.get("next", "")),
            shipped=True,
        )
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, re.error, OverflowError, RecursionError) as error:
        raise FleetError(f"the template's {NAME} cannot be read: {error}", Exit.TEMPLATE) from None


def _patterns(data: Any) -> tuple[str, ...]:
    patterns = tuple(map(str, data))
    matcher(patterns)  # which refuses what is none
    return patterns


def _rule(data: Mapping[str, Any]) -> Rule:
    sources = [name for name in _SOURCES if name in data]
    if unknown := sorted(set(data) - _KEYS):
        raise ValueError(f"a rule knows no {', '.join(unknown)}")
    if len(sources) != 1:
        raise ValueError(f"a rule has one of {', '.join(_SOURCES)}: {dict(data)}")
    form = str(data.get("form", ""))
    if form not in _FORMS:
        raise ValueError(f"a form is one of {', '.join(filter(None, _FORMS))}, not {form}")
    match = re.compile(str(data["match"]), re.MULTILINE) if "match" in data else None
    refuse = str(data.get("refuse", ""))
    value = str(data["value"]) if "value" in data else refuse or None
    files = data.get("file", ())
    rooted = _patterns([_rooted(str(one)) for one in ([files] if isinstance(files, str) else files)])
    because = str(data.get("because", ""))
    return Rule(sources[0], rooted, str(data.get("get", "")), match, value, form, refuse, because)


def _rooted(pattern: str) -> str:
    sign, rest = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    return f"{sign}/{rest.lstrip('/')}"


def _case(data: Mapping[str, Any]) -> Case:
    if unknown := sorted(set(data) - {"if", "files", "say"}):
        raise ValueError(f"a case knows no {', '.join(unknown)}")
    return Case([_there(one) for one in data.get("if", ())], _patterns(data.get("files", ())), str(data["say"]))


def _there(data: Mapping[str, Any]) -> Rule:
    """A rule that asks whether something is there, not what it says."""
    return _rule({"value": "there", **data})


def matches(patterns: Sequence[str], path: str) -> bool:
    """Whether a path matches one of some patterns as in ``.gitignore``."""
    return matcher(patterns)(path)


def answers(rules: Rules, repository: Repository, given: Collection[str] = ()) -> dict[str, Found]:
    """Return what the rules find, by question.

    Args:
        rules: of the template.
        repository: in which to look.
        given: questions that are answered already, and not looked for.

    Raises:
        FleetError: the repository is something that the template does not write, or does not say what it is.
    """
    found: dict[str, Found | None] = {}
    for name, some in rules.answers.items():
        try:
            found[name] = first(some, repository) if name not in given else None
        except RefusedError as error:
            raise FleetError(
                f"the repository is {error.what} ({error.where}), which the template does not write; "
                f"pass --data {name}=VALUE to adopt it all the same", Exit.ANSWERS,
            ) from None  # fmt: skip
    for name in rules.needs:
        if not found.get(name) and name not in given:
            below = _below(rules.answers.get(name, ()), repository)
            there = f"; below the root there are {', '.join(below[:3])}" if below else ""
            raise FleetError(f"nothing at the root says its {name}{there}: pass --data {name}=VALUE", Exit.ANSWERS)
    return {name: one for name, one in found.items() if one}


def _below(rules: Sequence[Rule], repository: Repository) -> list[str]:
    """What would have been found at the root, in folders."""
    names = [f"**{pattern}" for rule in rules for pattern in rule.file if "/" not in pattern[1:] and pattern[0] == "/"]
    return list(filter(matcher(names), repository.paths))


def holds(case: Case, repository: Repository) -> str:
    """Return where a case holds, in words; empty where it does not."""
    found = first(case.rules, repository)
    return found.where if found else ""


def first(rules: Sequence[Rule], repository: Repository) -> Found | None:
    """Return what the first rule that finds something finds."""
    return next((found for rule in rules if (found := _apply(rule, repository))), None)


def _apply(rule: Rule, repository: Repository) -> Found | None:
    texts: list[tuple[str, str | None]]
    if rule.source == "remote":
        texts = [("the remote", repository.remote)]
    elif rule.source == "folder":
        texts = [("the folder's name", repository.folder)]
    else:
        wanted = matcher(rule.file)
        texts = [(path, _text(rule, path, repository)) for path in repository.paths if wanted(path)]
    for where, text in texts:
        if text is None or not (text or rule.value is not None):
            continue
        taken = text.strip()
        if rule.match:
            matched = rule.match.search(text)
            if not matched:
                continue
            taken = (matched[1] if matched.re.groups else matched[0]) or ""
        value = rule.value if rule.value is not None else _FORMS[rule.form](taken)
        if value or rule.value is not None:
            if rule.refuse:
                raise RefusedError(rule.refuse, where)
            return Found(value, f"{where}: {rule.because}" if rule.because else where)
    return None


def _text(rule: Rule, path: str, repository: Repository) -> str | None:
    if not rule.get and not rule.match and rule.value is not None:
        return ""  # that it is there is all that counts
    content = repository.read(path)
    if len(content) > _LARGEST or b"\0" in content:
        return None
    text = content.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")
    return _got(text, path, rule.get) if rule.get else text


def _got(text: str, path: str, get: str) -> str | None:
    """The value at a place of a document; None where there is none, or the document is not valid."""
    parts = get.split(".")
    try:
        if path.endswith(".xml"):
            return _xml(text, parts)
        data: Any = tomllib.loads(text) if path.endswith(".toml") else (
            json.loads(text) if path.endswith(".json") else bounded.load(text)
        )  # fmt: skip
        for part in parts:
            data = data[int(part)] if isinstance(data, list) else data[part]
    except (ValueError, TypeError, KeyError, IndexError, yaml.YAMLError, RecursionError, Xml.ParseError):
        return None
    if isinstance(data, bool):
        return str(data).lower()
    if isinstance(data, int) and data.bit_length() > _BITS:
        return None
    return str(data) if isinstance(data, (str, int, float)) else None


def _xml(text: str, parts: Sequence[str]) -> str | None:
    if "<!" in re.sub(r"<!--.*?-->|<!\[CDATA\[.*?\]\]>", "", text, flags=re.DOTALL):
        return None  # declarations are how a small document becomes a large one
    place: Xml.Element | None = Xml.fromstring(text.encode())  # noqa: S314 - without declarations
    for part in parts:
        place = next((one for one in place if one.tag.rpartition("}")[2] == part), None) if place is not None else None
    return place.text if place is not None else None
