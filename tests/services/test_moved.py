"""A service of version 0.1.0 that people worked on is green after its upgrade, by the engine and by plain Copier."""

from __future__ import annotations

from pathlib import Path

import pytest

from golden_path.rendering.render import Renderer
from golden_path.source.template import Template
from golden_path.upgrade import apply
from tests.labs import template as lab
from tests.labs.service import make
from tests.labs.warm import copier
from tests.updates import first_release, foreign
from tests.updates.first_release import OLD

WORK = [
    foreign.write("local.mk", 'check: own\nown: ## Mine\n\t@$(STEP) "own" python3 make/promote.py --show staging\n'),
    foreign.append("README.md", "\nOurs.\n"),
    foreign.append("deploy/overlays/staging/config.env", "OWN_SETTING=1\n"),
]
MOVED = [foreign.append("make/tools.mk", "# ours\n"), foreign.append("docker-bake.hcl", "# ours\n")]


@pytest.mark.parametrize("way", ["engine", "copier"])
def test_check_is_green_after_the_move(way: str, language: str, tmp_path: Path) -> None:
    template = first_release.history(tmp_path / "golden-path")
    folder = tmp_path / "orders"
    known = Template(str(template))
    known.refresh()
    with Renderer(trust=True) as renderer:
        renderer.render(known.at(OLD), folder, foreign.ANSWERS, {"language": language})
        lab.commit_all(folder)
        for step in [*WORK, *(MOVED if way == "engine" else [])]:
            step(folder)
        lab.commit_all(folder, "Work")
        if way == "engine":
            done = apply.apply(folder, renderer)
            assert not done.plan.conflicts
            lab.git(folder, "switch", "--quiet", done.branch)
        else:
            updated = copier("update", "--trust", "--defaults", folder)
            assert updated.returncode == 0, updated.stderr
            lab.commit_all(folder, "Update")
    green = make(folder, language, "check")
    assert green.returncode == 0, green.stdout
    assert "  ok    own" in green.stdout
    assert lab.git(folder, "status", "--porcelain") == ""
