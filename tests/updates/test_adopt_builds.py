"""What built before builds after adopting: setuptools finds the same packages and modules."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from golden_path.adopting import adopt, flat_layout
from golden_path.rendering.render import Renderer
from tests.labs.template import git
from tests.updates import existing, foreign

pytest.importorskip("setuptools")

PROJECT = '[project]\nname = "shop"\nversion = "1.0"\n'
BACKEND = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
# The files, and whether a setup.cfg is added.
LAYOUTS: dict[str, tuple[Mapping[str, str], bool]] = {
    "a package": ({"pyproject.toml": PROJECT + BACKEND, "shop/x.py": "", "shop/db/x.py": "", "tests/t": ""}, True),
    "no backend named": ({"pyproject.toml": PROJECT, "shop/__init__.py": ""}, True),
    "settings of another kind": (
        {"pyproject.toml": f"{PROJECT}[tool.setuptools.dynamic]\nreadme = {{file = 'R'}}\n", "shop/a.py": ""}, True,
    ),
    "a module": ({"pyproject.toml": PROJECT + BACKEND, "shop.py": "", "conftest.py": "", "noxfile.py": ""}, True),
    "packages that are named": (
        {"pyproject.toml": f'{PROJECT}[tool.setuptools]\npackages = ["shop"]\n', "shop/__init__.py": ""}, False,
    ),
    "src": ({"pyproject.toml": PROJECT + BACKEND, "src/shop/__init__.py": ""}, False),
    "a setup.py": (
        {"setup.py": "from setuptools import find_packages, setup\nsetup(name='s', packages=find_packages())\n",
         "shop/__init__.py": ""}, False,
    ),
}  # fmt: skip


def template(folder: Path) -> Path:
    steps = [foreign.write(path) for path in ("make/a.py", "deploy/a.yaml", "policy/a.yaml", "docs/a.md")]
    return foreign.template(folder, steps)


def built(folder: Path, to: Path) -> set[str]:
    """Build, as pip does, and return what it takes in."""
    script = ["setup.py"] if (folder / "setup.py").exists() else ["-c", "import setuptools; setuptools.setup()"]
    done = subprocess.run(
        [sys.executable, *script, "-q", "build", "--build-base", str(to)],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lib = to / "lib"
    return {str(one.relative_to(lib)) for one in lib.rglob("*") if one.is_file()}


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_setuptools_finds_stays(name: str, tmp_path: Path, renderer: Renderer) -> None:
    files, added = LAYOUTS[name]
    folder = existing.write(tmp_path / "shop", files)
    before = built(folder, tmp_path / "before")
    git(folder, "clean", "-dfxq")
    done = adopt.adopt(folder, renderer, source=str(template(tmp_path / "template")))
    git(folder, "merge", "--quiet", "--ff-only", done.branch)
    assert (folder / "make/a.py").exists()
    assert (folder / flat_layout.NAME).exists() == added
    assert built(folder, tmp_path / "after") == before
    assert before


def test_other_build_tools_get_no_setup_cfg() -> None:
    for text in (
        f'{PROJECT}[build-system]\nbuild-backend = "hatchling.build"\n',
        "[tool.poetry]\nname = 'shop'\n",
        "no toml [",
    ):
        assert named(text, "make/a.py") == ""
    assert named(PROJECT, "docs/a.md", ".github/a.yml") == ""
    assert named(PROJECT, "make/a.py")


def named(project: str, *added: str) -> str:
    return flat_layout.named(["pyproject.toml", "shop/__init__.py"], added, lambda _: project.encode())
