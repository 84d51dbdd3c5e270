"""What a template says about adopting: its ``adopt.yml``, and the parts of it that a service has taken."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from golden_path.errors import Exit, FleetError
from golden_path.rules import bounded
from golden_path.source.forms import FORMS
from golden_path.source.patterns import matcher

NAME = "adopt.yml"
_KEYS = {"file", "remote", "folder", "get", "match", "value", "form", "refuse", "because", "when"}
_SOURCES = ("file", "remote", "folder")


@dataclass(frozen=True)
class Rule:
    """One way to find something.

    Attributes:
        source: ``file``, ``remote`` or ``folder``.
        file: patterns as in ``.gitignore``, from the root; the first file that matches counts.
        get: a path into JSON, TOML, YAML or XML, by names and numbers with dots; empty for the whole text.
        match: a regular expression (lines are lines); its first group counts, or all of it. None takes the text.
        value: what it means that the rest was found; None for the text that was found. ``{file}`` in it is the file,
            ``{text}`` the text, ``{NAME}`` an answer that was found before.
        form: ``lower``, ``slug`` or ``sentence``, or nothing.
        refuse: what the repository is, that the template does not write; empty for what it does.
        because: how the answer follows from what was found, in words.
        when: answers that were found before, with the values of which each has one; else the rule is passed over.
    """

    source: str
    file: Sequence[str] = ()
    get: str = ""
    match: re.Pattern[str] | None = None
    value: str | None = None
    form: str = ""
    refuse: str = ""
    because: str = ""
    when: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """Files of a template that can come alone.

    Attributes:
        files: patterns, as in ``.gitignore``.
        needs: parts without which they are of no use, or break something.
        unless: rules of which none may find something: the repository has its own, and the part is left out.
        say: what a person is told who has its own.
    """

    files: Sequence[str]
    needs: Sequence[str] = ()
    unless: Sequence[Rule] = ()
    say: str = ""


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
        parts: by name, in the order in which they are best brought.
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
    parts: Mapping[str, Part] = field(default_factory=dict)
    shipped: bool = False


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
        unknown = set(data) - {"answers", "leave_out", "instead", "next", "needs", "ask", "only", "warn", "parts"}
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
            parts=_parts(data.get("parts", {})),
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
    if form not in FORMS:
        raise ValueError(f"a form is one of {', '.join(filter(None, FORMS))}, not {form}")
    match = re.compile(str(data["match"]), re.MULTILINE) if "match" in data else None
    refuse = str(data.get("refuse", ""))
    value = str(data["value"]) if "value" in data else refuse or None
    files = data.get("file", ())
    rooted = _patterns([_rooted(str(one)) for one in ([files] if isinstance(files, str) else files)])
    because = str(data.get("because", ""))
    when = {str(name): _words(some) for name, some in data.get("when", {}).items()}
    return Rule(sources[0], rooted, str(data.get("get", "")), match, value, form, refuse, because, when)


def _words(data: Any) -> tuple[str, ...]:
    return (data,) if isinstance(data, str) else tuple(map(str, data))


def _parts(data: Mapping[str, Any]) -> dict[str, Part]:
    parts = {str(name): _part(one) for name, one in data.items()}
    for name, one in parts.items():
        if unknown := sorted(set(one.needs) - set(parts)):
            raise ValueError(f"the part {name} needs {', '.join(unknown)}, which is no part")
        if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
            raise ValueError(f"a part is called in lower case letters, digits and hyphens, not {name!r}")
    return parts


def _part(data: Mapping[str, Any]) -> Part:
    if unknown := sorted(set(data) - {"files", "needs", "unless", "say"}):
        raise ValueError(f"a part knows no {', '.join(unknown)}")
    if "files" not in data:
        raise ValueError(f"a part has files: {dict(data)}")
    unless = [_there(one) for one in data.get("unless", ())]
    return Part(_patterns(data["files"]), _words(data.get("needs", ())), unless, str(data.get("say", "")))


def _rooted(pattern: str) -> str:
    sign, rest = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    return f"{sign}/{rest.lstrip('/')}"


def _case(data: Mapping[str, Any]) -> Case:
    if unknown := sorted(set(data) - {"if", "files", "say"}):
        raise ValueError(f"a case knows no {', '.join(unknown)}")
    if "say" not in data:
        raise ValueError(f"a case says something (say): {dict(data)}")
    return Case([_there(one) for one in data.get("if", ())], _patterns(data.get("files", ())), str(data["say"]))


def _there(data: Mapping[str, Any]) -> Rule:
    """A rule that asks whether something is there, not what it says."""
    return _rule({"value": "there", **data})


NO_RULES = Rules()


def missing(patterns: Sequence[str], wrote: Collection[str], has: Collection[str]) -> bool:
    """Whether a service lacks most of the files that the template wrote and that match.

    Args:
        patterns: as in ``.gitignore``.
        wrote: the files that its version wrote.
        has: those that the service has.
    """
    matching = set(filter(matcher(patterns), wrote))
    return 2 * len(matching & set(has)) < len(matching)


def choice(rules: Rules, wrote: Collection[str], has: Collection[str]) -> tuple[str, ...]:
    """Return patterns of files that a service may be without: its own application, and parts that it did not take.

    Args:
        rules: of the version that it has.
        wrote: the files that this version wrote.
        has: those that the service has.
    """
    others = [part.files for part in rules.parts.values() if missing(part.files, wrote, has)]
    return (*rules.leave_out, *(pattern for files in others for pattern in files))
