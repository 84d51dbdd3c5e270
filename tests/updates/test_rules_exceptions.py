"""Exceptions: what they let pass, for the doctor and the policy alike, until their last day."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from golden_path.doctor import checkup
from golden_path.rendering.render import Renderer
from golden_path.rules import book, every, exceptions  # noqa: F401 - every has all rules
from golden_path.rules.work_tree import WorkTree
from tests.labs.template import commit_all
from tests.updates import foreign

TODAY = datetime.datetime.now(datetime.UTC).date()
LATER, BEFORE = TODAY + datetime.timedelta(days=1), TODAY - datetime.timedelta(days=1)
FILES = {
    "Dockerfile": "FROM a\nUSER 1\n",
    "old/Dockerfile": "FROM b\nUSER 1\n",
    "package.json": '{"dependencies": {"a": "1"}}',
}


def said(folder: Path, text: str, renderer: Renderer) -> list[str]:
    """What is found of images, dependencies and exceptions: file, line and rule, the same by both."""
    for path, content in {**FILES, exceptions.FILE: text}.items():
        foreign.write(path, content)(folder)
    commit_all(folder)
    asked = ("GP009", "GP201", "GP301")
    found = [str(one) for one in book.findings(WorkTree(folder), service=False) if one.rule.identifier in asked]
    assert found == [str(one) for one in checkup.examine(folder, renderer, only=asked).findings]
    return found


def one(rule: str, path: str, until: object, reason: str = "the vendor has no digests") -> str:
    return f"exceptions:\n  - rule: {rule}\n    path: {path}\n    reason: {reason}\n    until: {until}\n"


NONE = [
    "Dockerfile:1: GP201 a is not pinned by digest: add @sha256:...",
    "old/Dockerfile:1: GP201 b is not pinned by digest: add @sha256:...",
    "package.json:1: GP301 has dependencies and no lock file (package-lock.json, npm-shrinkwrap.json, pnpm-lock.yaml): "
    "make one, commit it",
]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("exceptions: []\n", NONE),
        (one("GP201", "old/**", LATER), [NONE[0], NONE[2]]),
        (one("GP201", "old/**", TODAY), [NONE[0], NONE[2]]),
        (one("GP201", "Dockerfile", f"{LATER}T00:00:00Z"), NONE[2:]),
        (one("D001", "/Dockerfile", LATER), NONE[1:]),
        (one("R004", "'*'", LATER), NONE[:2]),
        (one("GP301", "Dockerfile", LATER), NONE),
    ],
)
def test_what_they_let_pass(text: str, left: list[str], tmp_path: Path, renderer: Renderer) -> None:
    assert said(tmp_path / "shop", text, renderer) == left


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (one("GP201", "old/**", BEFORE), ":2", f"the exception of GP201 for old/** has ended on {BEFORE}: remove it"),
        (one("GP201", "old/**", LATER, "''"), ":2", "an exception is not complete: write rule, path, reason and until"),
        (one("GP201", "old/**", "soon"), ":2", "until must be a day, not soon"),
        (one("GP999", "old/**", LATER), ":2", "there is no rule GP999 to let pass"),
        (one("GP009", "'*'", LATER), ":2", "there is no rule GP009 to let pass"),
        (one("GP201", "old/**", LATER).replace("path", "file"), ":2", "an exception is not complete"),
        ("exceptions:\n  - GP201\n", ":2", "an exception is not complete"),
        ("- rule: GP201\n", "", "must have one list, exceptions; for each write rule, path"),
        ("exceptions: [\n", "", "must have one list"),
        ("", "", "must have one list"),
    ],
)
def test_what_is_none_is_said(text: str, line: str, what: str, tmp_path: Path, renderer: Renderer) -> None:
    """And lets nothing pass."""
    first, *others = said(tmp_path / "shop", text, renderer)
    assert first.startswith(f"{exceptions.FILE}{line}: GP009 {what}")
    assert others == NONE
