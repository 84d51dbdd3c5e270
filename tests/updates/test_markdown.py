"""A text that is too long for a forge is cut where nothing is left open."""

from __future__ import annotations

import itertools

import pytest

from golden_path.upgrade import markdown
from golden_path.upgrade.markdown import LONGEST

MARK = "Rollout: v2.0.0 of 2026-01-01T00:00:00.000000+00:00"


def items(count: int, size: int, fence: str = "~~~~~~") -> str:
    one = "\n".join(f"-line {number}\n+```\n- [ ] no item" for number in range(size))
    return "\n\n".join(
        f"- [ ] `file-{number}`: both changed it\n\n{fence}diff\n{one}\n{fence}" for number in range(count)
    )


def closed(text: str) -> bool:
    """Whether each code block ends, as CommonMark sees it."""
    fence = ""
    for line in text.splitlines():
        mark = "".join(itertools.takewhile(lambda one: one in "~`", line))
        if fence and mark.startswith(fence) and mark == line.strip():
            fence = ""
        elif not fence and len(mark) >= 3 and len(set(mark)) == 1:
            fence = mark
    return not fence


@pytest.mark.parametrize("longest", [200, 777, 1500, 4000])
@pytest.mark.parametrize("fence", ["~~~~~~", "```"])
def test_whole_items_or_none(longest: int, fence: str) -> None:
    text = f"{MARK}\n\nRisk: high\n\n# To decide\n\n{items(30, 6, fence)}\n\n# Files\n\n- new: `x`\n"
    cut = markdown.cut(text, longest)
    assert len(cut) <= longest
    assert cut.startswith(f"{MARK}\n")
    assert cut.endswith(f"\n\n{markdown.MORE}")
    assert closed(cut)
    assert text.startswith(cut.removesuffix(f"\n\n{markdown.MORE}"))
    assert cut.count("both changed it") == cut.count(f"\n{fence}diff\n") == cut.count(f"\n{fence}\n")


def test_a_list_is_cut_between_its_lines() -> None:
    text = f"{MARK}\n\n# Files\n\n" + "".join(f"- new: `{'x' * 40}{number}`\n" for number in range(100))
    cut = markdown.cut(text, 1000)
    assert 900 < len(cut) <= 1000
    assert all(line in text for line in cut.splitlines()[:-1])


@pytest.mark.parametrize("after", ["x" * 5000, f"~~~~~~\n{'x' * 5000}\n~~~~~~\n", f"> {'x ' * 3000}"])
def test_one_block_that_is_too_long_leaves_the_mark(after: str) -> None:
    assert markdown.cut(f"{MARK}\n\n{after}", 1000) == f"{MARK}\n\n{markdown.MORE}"


def test_what_fits_stays_and_characters_count() -> None:
    """GitHub counts code points: those beyond ASCII are one each."""
    text = "\U0001f308" * LONGEST
    assert markdown.cut(text, LONGEST) == text
    assert LONGEST < 65536
