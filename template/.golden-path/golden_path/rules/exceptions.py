"""What the rules let pass in a repository: ``.golden-path.yaml``, each exception with a reason and a last day."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from golden_path.rules import book, patterns
from golden_path.rules.book import ERROR, Finding, Found, rule
from golden_path.rules.documents import items, line
from golden_path.rules.files import Files

FILE = ".golden-path.yaml"
_FIELDS = {"rule", "path", "reason", "until"}
_FORM = "write rule, path, reason and until: 2026-12-31"


@dataclass(frozen=True)
class Permitted:
    """An exception that counts.

    Attributes:
        rules: ids.
        paths: patterns, as in .gitignore.
    """

    rules: frozenset[str]
    paths: tuple[str, ...]

    def lets_pass(self, found: Finding) -> bool:
        """Whether a finding is one of those."""
        return found.rule.identifier in self.rules and patterns.matches(self.paths, found.found.path)


@rule(
    "GP009", ERROR, "Every exception has a reason and an expiry date.", "an exception without an end turns the rule off"
)
def good(files: Files) -> Iterator[Found]:
    """Exceptions that cannot be read, that name no rule, or that have ended."""
    for number, one in _read(files):
        if isinstance(one, str):
            yield Found(FILE, number, one)


def without(files: Files, found: Sequence[Finding]) -> list[Finding]:
    """Return findings without those that an exception lets pass; GP009 is never let pass.

    Args:
        files: of the repository.
        found: what was found in it.
    """
    exceptions = [one for _, one in _read(files) if isinstance(one, Permitted)]
    return [one for one in found if not any(other.lets_pass(one) for other in exceptions)]


def _read(files: Files) -> list[tuple[int, Permitted | str]]:
    """The exceptions with their lines, or what is wrong with one."""
    return files.once(_parse)


def _parse(files: Files) -> list[tuple[int, Permitted | str]]:
    if not files.has(FILE):
        return []
    data = files.mapping(FILE)
    given = data.get("exceptions")
    if not isinstance(given, list) or set(data) != {"exceptions"}:
        return [(0, f"must have one list, exceptions; for each {_FORM}")]
    return [(line(given, number), _one(one)) for number, one in enumerate(items(given))]


def _one(data: Any) -> Permitted | str:
    if not isinstance(data, dict) or set(data) != _FIELDS or not all(str(one or "").strip() for one in data.values()):
        return f"an exception is not complete: {_FORM}"
    rules, unknown = book.named([str(data["rule"])])
    if unknown or "GP009" in rules:
        return f"there is no rule {data['rule']} to let pass: see golden-path doctor --list"
    try:
        until = datetime.date.fromisoformat(str(data["until"])[:10])
    except ValueError:
        return f"until must be a day, not {data['until']}: {_FORM}"
    if until < datetime.datetime.now(datetime.UTC).date():
        return f"the exception of {data['rule']} for {data['path']} has ended on {until}: remove it"
    return Permitted(frozenset(rules), (str(data["path"]),))
