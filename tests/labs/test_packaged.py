"""What pip makes of a checkout has the files that the links of the engine lead to."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.labs import template as lab
from tests.labs.toolchains import ROOT

PACKAGE = ROOT / "template/.golden-path/golden_path"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of what git would commit."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    wanted = ("golden_path", "template/.golden-path", "pyproject.toml", "LICENSE", "README.md")
    listed = lab.git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard", *wanted)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_symlink() or (ROOT / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name, follow_symlinks=False)
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    command = [sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    [file] = target.glob("*.whl")
    return file


def test_a_wheel_has_what_services_run(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    links = [one.name for one in (ROOT / "golden_path").iterdir() if one.is_symlink()]
    assert "service" in links
    for link in links:
        files = {path.relative_to(PACKAGE): path.read_bytes() for path in (PACKAGE / link).rglob("*.py")}
        assert files
        assert {name: inside.get(f"golden_path/{name}") for name in files} == files
    assert "golden_path/platform/kyverno/sweep.yaml" in inside


def test_it_runs_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "packages")
    command = [sys.executable, "-c", "import golden_path.service.slo as slo; print(slo.__file__)"]
    env = {"PYTHONPATH": str(tmp_path / "packages")}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()) == tmp_path / "packages/golden_path/service/slo.py"
