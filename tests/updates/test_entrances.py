"""Each hard case through the verb of a service: it makes the commit that the engine makes, or refuses as it does."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from golden_path.rendering.render import Renderer
from tests.labs.template import git
from tests.updates import entrances, foreign, hard_cases
from tests.updates.cases import CASES, CONFLICT, Case


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return entrances.engine(tmp_path_factory.mktemp("engine"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verb(case: Case, tmp_path: Path, renderer: Renderer, base: Path) -> None:
    _, service = entrances.pair(case, tmp_path, renderer, base)
    commit, refusal = entrances.engines(service, renderer)
    before = foreign.state(service)
    done = entrances.verb(service)
    shutil.rmtree(service / "build", ignore_errors=True)
    assert foreign.state(service)[1:] == before[1:]
    assert (done.returncode, done.stderr) == ((1, f"  FAIL  template-update: {refusal}\n") if refusal else (0, ""))
    assert git(service, "for-each-ref", "--format=%(objectname)", "refs/heads/golden-path") == commit
    decided = re.findall("^  decide +(.*): ", done.stdout, re.MULTILINE)
    assert bool(decided) is (case.ends == CONFLICT)
    said = hard_cases.REFUSED_TOO if refusal else hard_cases.SAME
    assert hard_cases.column(hard_cases.VERB)[case.name] == said
