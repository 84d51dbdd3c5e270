"""Find the answers of a repository that no template wrote, by rules that the template ships in its ``adopt.yml``.

The engine knows sources (a file, the remote, the folder) and how to take a text out of them; what a ``go.mod`` means to
a template, only the template knows.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as Xml

import yaml

from golden_path.errors import Exit, FleetError
from golden_path.rules import bounded
from golden_path.source.adoption_rules import Case, Rule, Rules
from golden_path.source.forms import FORMS
from golden_path.source.patterns import matcher

_LARGEST = 1 << 20  # bytes; no manifest is larger
_BITS = 4096  # of a number that is an answer


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


def matches(patterns: Sequence[str], path: str) -> bool:
    """Whether a path matches one of some patterns as in ``.gitignore``."""
    return matcher(patterns)(path)


def answers(rules: Rules, repository: Repository, given: Mapping[str, Any] | None = None) -> dict[str, Found]:
    """Return what the rules find, by question.

    Args:
        rules: of the template.
        repository: in which to look.
        given: answers by question, which are not looked for.

    Raises:
        FleetError: the repository is something that the template does not write, or does not say what it is.
    """
    given = given or {}
    known = {name: str(value) for name, value in given.items()}
    found: dict[str, Found | None] = {}
    for name, some in rules.answers.items():
        if name in given:
            continue
        fitting = [one for one in some if all(known.get(key) in values for key, values in one.when.items())]
        try:
            found[name] = one = first(fitting, repository, known)
            known |= {name: str(one.value)} if one else {}
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


def first(rules: Sequence[Rule], repository: Repository, known: Mapping[str, str] | None = None) -> Found | None:
    """Return what the first rule that finds something finds.

    Args:
        rules: of a question, or of something else that is looked for.
        repository: in which to look.
        known: answers that a value may name.
    """
    return next((found for rule in rules if (found := _apply(rule, repository, known or {}))), None)


def _apply(rule: Rule, repository: Repository, known: Mapping[str, str]) -> Found | None:
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
        value = (
            FORMS[rule.form](taken)
            if rule.value is None
            else _filled(rule.value, {**known, "file": where, "text": taken})
        )
        if value or rule.value is not None:
            if rule.refuse:
                raise RefusedError(rule.refuse, where)
            return Found(value, f"{where}: {rule.because}" if rule.because else where)
    return None


def _filled(value: str, words: Mapping[str, str]) -> str:
    return re.sub(r"\{([a-z_]+)\}", lambda found: words.get(found[1], found[0]), value)


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
