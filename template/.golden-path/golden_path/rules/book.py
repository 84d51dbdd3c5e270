"""The rules by id. A rule has a check, which yields what breaks it in the files of a repository."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from golden_path.rules.files import Files

ERROR, WARNING, NOTE = "error", "warning", "note"
SEVERITIES = (ERROR, WARNING, NOTE)
# Where a rule is asked for.
ANY = "any"  # every repository
SERVICE = "service"  # what the template wrote or adopted: it promises more than others
RENDERED = "rendered"  # what Kustomize makes of an environment
MEMBER = "member"  # how a repository stands to its template, which needs the template
SCOPES = (ANY, SERVICE, RENDERED, MEMBER)


class Fix(NamedTuple):
    """A mechanical change of one file.

    Attributes:
        path: the file.
        change: returns its new content for the one that it has; for a new file that is empty.
        mode: of a new file.
    """

    path: str
    change: Callable[[bytes], bytes]
    mode: str = "100644"


class Found(NamedTuple):
    """What a check yields.

    Attributes:
        path: the file, also if it is the missing one.
        line: in it, from 1; 0 for the file as a whole.
        message: what is wrong and what to do, in one line.
        fix: if it is mechanical.
    """

    path: str
    line: int
    message: str
    fix: Fix | None = None


Check = Callable[[Any], Iterator[Found]]  # takes Files, and in the scope MEMBER what the doctor has of a repository


def _nothing(_: Any) -> Iterator[Found]:
    yield from ()


@dataclass(frozen=True)
class Rule:
    """A rule.

    Attributes:
        identifier: for example ``GP101``.
        severity: one of ``SEVERITIES``.
        title: what it asks.
        reason: why.
        scope: one of ``SCOPES``.
        former: ids of `make policy` that it had before there was one book; they still count.
        scored: whether it counts in the score; notes, what is only missing, and how it stands to the template, do not.
        check: finds what breaks it.
    """

    identifier: str
    severity: str
    title: str
    reason: str
    scope: str = ANY
    former: tuple[str, ...] = ()
    scored: bool = True
    check: Check = _nothing


@dataclass(frozen=True)
class Finding:
    """What breaks a rule, where."""

    rule: Rule
    found: Found

    def __str__(self) -> str:
        """Return ``FILE:LINE: ID MESSAGE``."""
        return f"{self.place}: {self.rule.identifier} {self.found.message}"

    @property
    def place(self) -> str:
        """``FILE:LINE``, or ``FILE``."""
        return f"{self.found.path}:{self.found.line}" if self.found.line else self.found.path


RULES: dict[str, Rule] = {}


def rule(
    identifier: str,
    severity: str,
    title: str,
    reason: str,
    *,
    scope: str = ANY,
    former: str = "",
    scored: bool = True,
) -> Callable[[Check], Check]:
    """Put a rule into the book, with the function that follows as its check.

    Args:
        identifier: of the rule.
        severity: how bad it is.
        title: what it asks.
        reason: why.
        scope: where it is asked for.
        former: its ids before there was one book, with spaces between.
        scored: whether it counts in the score; a note never does.
    """

    def register(check: Check) -> Check:
        counts = scored and severity != NOTE and scope == ANY
        RULES[identifier] = Rule(identifier, severity, title, reason, scope, tuple(former.split()), counts, check)
        return check

    return register


def check_of(identifier: str) -> Callable[[Check], Check]:
    """Give a rule that is in the book without a check the function that follows."""

    def register(check: Check) -> Check:
        RULES[identifier] = replace(RULES[identifier], check=check)
        return check

    return register


def named(names: Iterable[str]) -> tuple[set[str], list[str]]:
    """Return the ids of rules for names that may be former ones, and the names that are none.

    Args:
        names: as a person writes them.
    """
    former: dict[str, set[str]] = {}
    for one in RULES.values():
        for name in one.former:
            former.setdefault(name, set()).add(one.identifier)
    found: set[str] = set()
    unknown = []
    for name in names:
        if name in RULES:
            found.add(name)
        elif name in former:
            found |= former[name]
        else:
            unknown.append(name)
    return found, sorted(set(unknown))


def chosen(scopes: Iterable[str]) -> Mapping[str, Rule]:
    """Return the rules of some scopes, by id."""
    wanted = set(scopes)
    return {identifier: one for identifier, one in sorted(RULES.items()) if one.scope in wanted}


def findings(files: Files, *, service: bool) -> list[Finding]:
    """Return what breaks a rule in the files of a repository, by rule; without what its exceptions let pass.

    Args:
        files: of the repository.
        service: whether it is held to the rules of a service, too.
    """
    from golden_path.rules import exceptions  # which has a rule itself

    scopes = (ANY, SERVICE) if service else (ANY,)
    found = [Finding(one, what) for one in chosen(scopes).values() for what in one.check(files)]
    return exceptions.without(files, found)


def lines() -> Iterator[str]:
    """Yield the rules, a line each."""
    for identifier, one in sorted(RULES.items()):
        before = f" (before: {', '.join(one.former)})" if one.former else ""
        yield f"{identifier}  {one.severity:<7}  {one.scope:<8}  {one.title}{before}"
