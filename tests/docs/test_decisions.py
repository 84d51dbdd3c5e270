"""The records of decisions have one form, and the index has them all."""

from __future__ import annotations

import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from tests.labs.toolchains import ROOT

FOLDER = ROOT / "docs/explanations/decisions"
FILES = sorted(FOLDER.glob("[0-9]*.md"))
TOP = re.compile(r"# (\d+)\. (.+)\n\n- Date: (\d{4}-\d\d-\d\d)\n- Status: (.+)\n\n")
STATUS = re.compile(r"proposed|accepted|superseded by \[(\d+)\]\((\d{4}-[a-z0-9-]+\.md)\)")
SECTIONS = ["Context", "Decision", "Consequences"]


def row(file: Path) -> str:
    """Return the row of the index for a record, whose form is checked."""
    text = file.read_text()
    top = TOP.match(text)
    assert top, f"{file.name} must begin with its number, title, date and status"
    number, title, day, status = top.groups()
    assert re.fullmatch(rf"{int(number):04}-[a-z0-9-]+\.md", file.name), f"{file.name} is not number {number}"
    date.fromisoformat(day)
    known = STATUS.fullmatch(status)
    assert known, f"{file.name}: no such status: {status}"
    assert not known[2] or (file.with_name(known[2]).is_file() and int(known[2][:4]) == int(known[1])), status
    _, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
    assert [one.partition("\n")[0] for one in sections] == SECTIONS, f"{file.name}: sections"
    assert all(one.partition("\n")[2].strip() for one in sections), f"{file.name}: an empty section"
    return f"| {number} | [{title}]({file.name}) | {day} | {status} |"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem[:4])
def test_a_record_has_the_form(file: Path) -> None:
    row(file)


def test_the_index_has_all_of_them_in_their_order() -> None:
    rows = [line for line in (FOLDER / "README.md").read_text().splitlines() if re.match(r"\| \d", line)]
    assert rows == [row(file) for file in FILES]
    assert [int(file.name[:4]) for file in FILES] == list(range(1, len(FILES) + 1))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("- Date: ", "- When: ", "must begin with its number, title, date and status"),
        ("# 15. ", "# 51. ", "is not number 51"),
        ("- Date: 2026-11-25", "- Date: 2026-13-25", "month must be in 1..12"),
        ("- Status: accepted", "- Status: agreed", "no such status: agreed"),
        ("- Status: accepted", "- Status: superseded by [99](0099-x.md)", "superseded by"),
        ("## Context\n", "## Why\n", "sections"),
        ("## Consequences\n", "## Consequences\n\n## Consequences\n", "sections"),
        ("## Consequences\n(?s:.*)", "## Consequences\n\n", "an empty section"),
    ],
)
def test_another_form_is_seen(old: str, new: str, reason: str, tmp_path: Path) -> None:
    [file] = FOLDER.glob("0015-*.md")
    copy = tmp_path / shutil.copy(file, tmp_path)
    row(copy)
    text, times = re.subn(old, new, copy.read_text(), count=1)
    assert times == 1
    copy.write_text(text)
    with pytest.raises((AssertionError, ValueError), match=reason):
        row(copy)
