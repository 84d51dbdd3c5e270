"""What a person or a program reads of an adoption."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fleet import changelog, credentials, foreign, in_the_way
from fleet.adoption import LEFT_OUT, NEW, SHOWN, STATUSES, Adoption, Outcome
from fleet.apply import THERE

_SAID = {THERE: "there already", SHOWN: "nothing changed"}


def message(adoption: Adoption) -> str:
    """Return the text of the commit: where each answer came from, what to decide, what came and what did not."""
    version = foreign.words(adoption.version)
    parts = [f"Adopt version {version} of the template"]
    if adoption.generated:
        parts.append("The template wrote this repository once; what was changed or deleted since stays so.")
    else:
        parts.append("Nothing that was here before is changed.")
    lines = [f"- {foreign.words(name)}: {foreign.code(str(one.value))} ({foreign.words(one.where)})"
             for name, one in adoption.answers.items()]  # fmt: skip
    parts.append("# Answers\n\n" + "\n".join(lines))
    if adoption.notes:
        parts.append("# Notes\n\n" + "\n".join(f"- {foreign.words(note)}" for note in adoption.notes))
    if adoption.differing:
        parts.append(
            "# To decide\n\nYours stands in this commit, and upgrades merge with it; `golden-path adopt --diff` shows "
            "the template's.\n\n" + "\n".join(_item(one.path, one.reason) for one in adoption.differing)
        )
    if adoption.next:
        parts.append(f"# To do\n\n{adoption.next}")  # made harmless by checklist
    for title, status in (("New", NEW), ("Left out", LEFT_OUT)):
        if lines := [_line(one.path, one.reason) for one in adoption.files if one.status == status]:
            parts.append(f"# {title}\n\n" + "\n".join(lines))
    source = foreign.words(credentials.masked(adoption.source))
    parts.append(f"Template-To: {version}\nTemplate: {source}")
    return "\n\n".join(parts) + "\n"


def checklist(text: str, values: Mapping[str, Any]) -> str:
    """Return the entries that concern a service, as a checklist in which no word of the template's acts.

    Args:
        text: Markdown, with marks as in a changelog.
        values: the answers of the service.
    """
    lines = changelog.concerning(text.strip("\n").split("\n"), values)
    plain = foreign.prose("\n".join(re.sub(r"^- \[[\w=., -]+\](?!\() ?", "- ", line) for line in lines))
    return re.sub(r"^- ", "- [ ] ", plain, flags=re.MULTILINE)


def text(done: Outcome) -> Iterator[str]:
    """Yield the lines that say what was done, or with differences what would be."""
    adoption = done.adoption
    for name, one in adoption.answers.items():
        if one.where != "default":
            yield f"  answer    {name}: {one.value!r} ({one.where})"
    yield from (f"  note      {note}" for note in adoption.notes)
    for file in adoption.differing:
        yield f"  differs   {file.path}" + (f": {file.reason}" if file.reason else "")
        yield from _indented(done.diffs.get(file.path, ""))
    for file in adoption.files if done.diffs else ():
        if file.status == NEW:
            yield f"  new       {file.path}"
            yield from _indented(done.diffs.get(file.path, ""))
    counted = {status: sum(one.status == status for one in adoption.files)
                 for status in STATUSES}  # fmt: skip
    what = ", ".join(f"{number} {status}" for status, number in counted.items() if number) or "no files"
    yield f"{done.branch}: {_SAID.get(done.status, done.status)}; version {adoption.version}, {what}"
    if done.commit:
        yield from in_the_way.next_steps(done.branch, done.in_the_way)


def as_json(done: Outcome) -> dict[str, Any]:
    """Return it for a program (docs/reference/fleet.md describes it)."""
    adoption = done.adoption
    return {
        "status": done.status,
        "branch": done.branch,
        "commit": done.commit,
        "template": adoption.source,
        "version": adoption.version,
        "generated": adoption.generated,
        "answers": {name: {"value": one.value, "from": one.where} for name, one in adoption.answers.items()},
        "notes": list(adoption.notes),
        "files": [
            {"path": one.path, "status": one.status, "reason": one.reason}
            | ({"diff": done.diffs[one.path]} if one.path in done.diffs else {})
            for one in adoption.files
        ],
    }


def _item(path: str, reason: str) -> str:
    return f"- [ ] {foreign.code(path)}" + (f": {foreign.words(reason)}" if reason else "")


def _line(path: str, reason: str) -> str:
    return f"- {foreign.code(path)}" + (f": {foreign.words(reason)}" if reason else "")


def _indented(diff: str) -> Iterator[str]:
    yield from (f"            {line}" for line in diff.splitlines())
