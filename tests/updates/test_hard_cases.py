"""No edit is lost, no conflict goes unsaid and no repository is left dirty, whatever both sides did."""

from __future__ import annotations

from pathlib import Path

import pytest

from golden_path.rendering.render import Renderer
from tests.updates import cases, hard_cases
from tests.updates.cases import CASES, CLEAN, CONFLICT, Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_engine(case: Case, tmp_path: Path, renderer: Renderer) -> None:
    _, found, ended = hard_cases.run(case, tmp_path, renderer, plain=False)
    assert not found
    expected = {CLEAN: ended.code == 0, CONFLICT: ended.code == 3, cases.REFUSED: ended.code == 6}
    assert expected[case.ends], f"{case.ends} wanted, exit code {ended.code}, said {sorted(ended.said)}"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("the template deletes a file that was edited", {"lost edit", "silent conflict"}),
        ("both change the same line", {"silent conflict", "dirty repository"}),
    ],
)
def test_the_judge_sees_what_copier_does(name: str, problem: set[str], tmp_path: Path, renderer: Renderer) -> None:
    """The same judgement finds fault where there is some."""
    case = next(one for one in CASES if one.name == name)
    found, _, _ = hard_cases.run(case, tmp_path, renderer, plain=True)
    assert found == problem


def test_the_table_is_of_these_cases() -> None:
    engine = hard_cases.column(hard_cases.ENGINE)
    assert len(CASES) >= 40
    assert list(engine) == [case.name for case in CASES]
    assert set(engine.values()) == {"-"}
