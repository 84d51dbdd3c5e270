"""The committed golden trees are what the template writes now."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from tests.labs import template as lab
from tests.render.alike import whole
from tests.render.golden_trees import GOLDEN, SETS, tree


@pytest.mark.parametrize("name", SETS)
def test_golden_tree(template: Path, tmp_path: Path, name: str) -> None:
    now = tree(template, tmp_path / name, name).splitlines()
    committed = (GOLDEN / f"{name}.tree").read_text(encoding="utf-8").splitlines()
    diff = list(difflib.unified_diff(committed, now, "committed", "now", lineterm="", n=1))
    assert not diff, "run `make golden` and read the diff:\n" + "\n".join(diff[:80])
    # The engine's renderer, which writes the services of all other tests, writes the same.
    assert whole(lab.render(template, tmp_path / "engine" / name, SETS[name])) == whole(tmp_path / name)


def test_no_golden_tree_without_an_answer_set() -> None:
    assert {path.stem for path in GOLDEN.glob("*.tree")} == set(SETS)
