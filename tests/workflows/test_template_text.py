"""The text of the pull request of `make template-update`: what others wrote does not act in it, and it stays whole."""

from __future__ import annotations

import pytest

from golden_path.service.template import text

ACTING = ("fixes #12", "GH-12", "@person", "[skip ci]", "[ci skip]", "***NO_CI***", "skip-checks: true", "a/issues/7")


@pytest.mark.parametrize("acts", ACTING)
def test_no_word_of_others_acts(acts: str) -> None:
    decision = text.Decision(f"src/{acts}.txt", "both changed it.", f"@@ -1 +1 @@\n-old\n+{acts}\n")
    body = text.body("gh:a/b", "v1.0.0", "v1.1.0", [("M", f"{acts}.txt")], [], [decision])
    assert acts not in body
    assert body.replace("\u200b", "").count(acts) == 3


@pytest.mark.parametrize("name", ["a`b", "``", "a|b", "line\nend", "\x1b[31mred", "\u202eright", "\udcff", " "])
def test_a_name_stays_in_its_place(name: str) -> None:
    body: str = text.body("gh:a/b", "v1.0.0", "v1.1.0", [("A", name)], [], [text.Decision(name, "x", "")])
    body.encode()
    [row] = [line for line in body.splitlines() if line.startswith("| added | 1 | ")]
    assert row.replace("\\|", "").count("|") == 4
    assert all(one.isprintable() or one == "\u200b" for one in row)
    assert "- [ ] `" in body


def test_a_difference_ends_its_block_itself() -> None:
    decision = text.Decision("a.md", "x", "@@ -1 +1 @@\n+~~~~~~\n~~~~~~~~\n+# heading\n")
    lines = text.body("gh:a/b", "v1.0.0", "v1.1.0", [], [], [decision]).splitlines()
    fences = [line for line in lines if line.startswith("~~~~~~~~~")]
    assert fences == ["~~~~~~~~~diff", "~~~~~~~~~"]
    assert lines.index("~~~~~~~~~") > lines.index("+# heading")


@pytest.mark.parametrize(("number", "shown"), [(3, True), (100, False), (3000, False)])
def test_a_long_text_stays_whole(number: int, shown: bool) -> None:
    decisions = [text.Decision(f"file-{one}.txt", "both changed it.", "+line\n" * 300) for one in range(number)]
    names = [("M", one.file) for one in decisions]
    body = text.body("gh:a/b", "v1.0.0", "v1.1.0", names, [], decisions)
    assert len(body) <= text.LONGEST + 100
    assert body.count("~~~~~~") == (2 * number if shown else 0)
    assert ("too many" in body or "Cut off here" in body) is not shown
    assert "\nCut off here" in body or body.endswith("Merge.\n")


LINES = {
    "::error::x": "\\x3a:error::x",
    "a\nb": "a\\nb",
    "plain": "plain",
    "\udcff": "\\xff",
    "##[add-mask]": "\\x23#[add-mask]",
}


@pytest.mark.parametrize(("given", "expected"), LINES.items())
def test_a_line_of_a_log(given: str, expected: str) -> None:
    assert text.escaped(given) == expected
