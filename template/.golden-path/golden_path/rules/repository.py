"""Rules on what a repository has besides its code: owners, rules of the branch, where to report, what a merge left."""

from __future__ import annotations

import re
from collections.abc import Iterator

from golden_path.rules.book import ERROR, NOTE, SERVICE, WARNING, Found, rule
from golden_path.rules.documents import at, items, line
from golden_path.rules.files import Files

_MARK = re.compile(r"^<{7} .*\n(?:(?!<{7} ).*\n)*?={7}\n(?:.*\n)*?>{7}(?: |$)", re.MULTILINE)
_PROTECTION = ("/.github/ruleset*.json", "/.github/rulesets/**", "/.github/settings.y*ml", "/.golden-path/ruleset.json")
_OWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS", ".gitea/CODEOWNERS")
_OWNS_ALL = re.compile(r"^(?:/?\*\*?|/(?:\*\*)?)[ \t]+(?:[^#\s]+[ \t]+)*[^#\s]*@\S", re.MULTILINE)
_SECURITY = ("SECURITY.md", ".github/SECURITY.md", "docs/SECURITY.md")
_UPDATES = (".github/dependabot.yml", ".github/dependabot.yaml")
_COOLDOWN = 3  # days


@rule("GP007", ERROR, "No file contains merge conflict markers.", "they break whatever reads the file")
def no_conflicts(files: Files) -> Iterator[Found]:
    """Conflict markers, and what patch leaves."""
    for path, text in files.texts():
        plain = text.replace("\r\n", "\n")
        if found := _MARK.search(plain):
            number = plain[: found.start()].count("\n") + 1
            yield Found(path, number, "has conflict markers: decide, and remove them")
        elif path.endswith(".rej"):
            yield Found(path, 0, "is what a merge rejected: bring it in, and remove the file")


@rule(
    "GP104", NOTE, "The ruleset of the main branch is in the repository.", "changes in the browser are not reviewed",
    scored=False,
)  # fmt: skip
def protected(files: Files) -> Iterator[Found]:
    """No ruleset, in a repository of GitHub."""
    if files.own("/.github/**") and not files.own(*_PROTECTION):
        said = "is missing: keep the rules of the main branch in it, for 'gh api' to import"
        yield Found(".github/ruleset.json", 0, said)


@rule(
    "GP105",
    WARNING,
    "CODEOWNERS names an owner for every file.",
    "then it is clear who reviews a change",
    former="R002",
    scored=False,
)
def owned(files: Files) -> Iterator[Found]:
    """No CODEOWNERS, or one that leaves files to nobody."""
    there = next((path for path in _OWNERS if files.has(path)), "")
    if not _OWNS_ALL.search(files.text(there) or ""):
        what = "gives * no owner: write '* @OWNER/TEAM'" if there else "is missing: write '* @OWNER/TEAM' into it"
        yield Found(there or _OWNERS[0], 0, what)


@rule(
    "GP116", WARNING, "SECURITY.md says where to report a vulnerability.", "otherwise it is reported in public",
    scope=SERVICE, former="R001",
)  # fmt: skip
def security_policy(files: Files) -> Iterator[Found]:
    """No SECURITY.md."""
    if not any(files.has(path) for path in _SECURITY):
        yield Found(_SECURITY[0], 0, "is missing: say where to report a vulnerability")


@rule(
    "GP117", WARNING, "New releases of libraries wait some days.", "a hijacked release is usually found by then",
    scope=SERVICE, former="R003",
)  # fmt: skip
def cooldown(files: Files) -> Iterator[Found]:
    """No dependabot.yml, in a repository of GitHub, or one that takes what is newest."""
    path = next((one for one in _UPDATES if files.has(one)), "")
    if not path:
        if files.own("/.github/**"):
            yield Found(_UPDATES[0], 0, "is missing: nobody would move the libraries")
        return
    updates = items(files.mapping(path).get("updates"))
    for number, update in enumerate(updates):
        days = at(update, "cooldown", "default-days")
        if not isinstance(days, int) or days < _COOLDOWN:
            which = at(update, "package-ecosystem")
            yield Found(path, line(updates, number), f"{which}: set cooldown.default-days to {_COOLDOWN} or more")
