"""What a person or a program reads of an adoption."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from golden_path.adopting.adoption import DEFAULT, LEFT_OUT, NEW, NOTHING, SHOWN, STATUSES, Adoption, Outcome
from golden_path.source import changelog
from golden_path.source.infer import Found
from golden_path.store import in_the_way
from golden_path.untrusted import credentials, foreign
from golden_path.upgrade.apply import THERE

_SAID = {THERE: "there already", SHOWN: "nothing changed"}


def message(adoption: Adoption) -> str:
    """Return the text of the commit: where each answer came from, what to decide, what came and what did not."""
    version = foreign.words(adoption.version)
    what = f"{', '.join(adoption.parts)} of version" if adoption.parts else "version"
    parts = [f"Adopt {what} {version} of the template"]
    if adoption.generated:
        parts.append("The template wrote this repository once; what was changed or deleted since stays so.")
    else:
        parts.append("Nothing that was here before is changed.")
    found = {name: one for name, one in adoption.answers.items() if one.where != DEFAULT}
    if found:
        parts.append("# Answers\n\n" + "\n".join(_answer(name, one) for name, one in found.items()))
    if rest := [_answer(name, one) for name, one in adoption.answers.items() if name not in found]:
        parts.append(
            "# Defaults\n\nNothing in the repository says these. Where one is wrong, adopt again with "
            "`--data NAME=VALUE`.\n\n" + "\n".join(rest)
        )
    if adoption.notes:
        parts.append("# Notes\n\n" + "\n".join(f"- {foreign.words(note)}" for note in adoption.notes))
    if adoption.differing:
        parts.append(
            "# To decide\n\nYours stands in this commit, and upgrades merge with it; `golden-path adopt --diff` shows "
            "the template's.\n\n" + "\n".join(_item(one.path, one.reason) for one in adoption.differing)
        )
    if adoption.asked:
        lines = [f"- [ ] {foreign.words(name)} is {foreign.code(str(adoption.answers[name].value))} by default: "
                 f"{foreign.words(asked)}" for name, asked in adoption.asked.items()]  # fmt: skip
        parts.append("# To answer\n\n" + "\n".join(lines))
    if adoption.warnings:
        parts.append("# What may break\n\n" + "\n".join(f"- [ ] {one}" for one in adoption.warnings))
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
    if done.status == NOTHING:
        here = sum(one.status not in (NEW, LEFT_OUT) for one in adoption.files)
        why = dict.fromkeys(one.reason for one in adoption.files if one.status == LEFT_OUT)
        yield from (f"  left out  {reason}" for reason in why)
        yield f"nothing to bring: of {', '.join(adoption.parts)}, {here} files are here already, and none is missing"
        return
    for name, one in adoption.answers.items():
        yield f"  {'default' if one.where == DEFAULT else 'answer':<9} {name}: {one.value!r}" + (
            "" if one.where == DEFAULT else f" ({one.where})"
        )
    yield from (f"  asked     {name}: {words}" for name, words in adoption.asked.items())
    yield from (f"  warning   {one}" for one in adoption.warnings)
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
    """Return it for a program (docs/reference/commands/adopt.md describes it)."""
    adoption = done.adoption
    return {
        "status": done.status,
        "branch": done.branch,
        "commit": done.commit,
        "template": adoption.source,
        "version": adoption.version,
        "generated": adoption.generated,
        "parts": list(adoption.parts),
        "answers": {name: {"value": one.value, "from": one.where} for name, one in adoption.answers.items()},
        "notes": list(adoption.notes),
        "asked": dict(adoption.asked),
        "warnings": list(adoption.warnings),
        "files": [
            {"path": one.path, "status": one.status, "reason": one.reason}
            | ({"diff": done.diffs[one.path]} if one.path in done.diffs else {})
            for one in adoption.files
        ],
    }


def _answer(name: str, one: Found) -> str:
    return f"- {foreign.words(name)}: {foreign.code(str(one.value))} ({foreign.words(one.where)})"


def _item(path: str, reason: str) -> str:
    return f"- [ ] {foreign.code(path)}" + (f": {foreign.words(reason)}" if reason else "")


def _line(path: str, reason: str) -> str:
    return f"- {foreign.code(path)}" + (f": {foreign.words(reason)}" if reason else "")


def _indented(diff: str) -> Iterator[str]:
    yield from (f"            {line}" for line in diff.splitlines())
