"""``golden-path --version``: of a checkout by its tags, of an installation by its distribution."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from golden_path import about
from tests.labs.template import commit_all, git
from tests.labs.toolchains import ROOT
from tests.updates.commands import as_process, environment


def test_it_says_what_decides_what_it_does() -> None:
    done = as_process("--version")
    assert (done.returncode, done.stderr) == (0, "")
    own, copier, git_, python = done.stdout.splitlines()
    assert own == f"golden-path {about.version()}"
    assert copier == f"Copier {metadata.version('copier')}"
    assert re.fullmatch(r"git \d+\.\d+.*", git_)
    assert python == f"Python {platform.python_version()}"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "a.txt").write_text("a\n")
    commit_all(folder)
    git(folder, "tag", "other")
    git(folder, "tag", "v3.1.0")
    monkeypatch.setattr(about, "ROOT", folder)
    return folder


def test_a_checkout_is_described_by_its_version_tags(checkout: Path) -> None:
    assert about.version() == "3.1.0"
    (checkout / "a.txt").write_text("b\n")
    assert about.version() == "3.1.0-dirty"
    commit_all(checkout)
    git(checkout, "tag", "later")
    assert about.version() == f"3.1.0-1-g{git(checkout, 'rev-parse', '--short', 'HEAD').strip()}"
    git(checkout, "tag", "--delete", "v3.1.0")
    assert about.version() == git(checkout, "rev-parse", "--short", "HEAD").strip()


def test_a_checkout_that_git_does_not_read_has_the_version_of_its_distribution(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "version", lambda name: f"9.9.9 of {name}")
    (checkout / ".git/HEAD").write_text("no ref\n")
    assert about.version() == "9.9.9 of golden-path"


def test_without_git_it_says_so(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del checkout
    monkeypatch.setenv("PATH", "/nowhere")
    assert [line for line in about.lines() if line.startswith("git ")] == [
        "git unknown: git cannot be run: No such file or directory: git"
    ]


@pytest.mark.parametrize(("version", "told"), [("4.5.6", "golden-path 4.5.6"), ("", "golden-path unknown")])
def test_an_installation_in_a_service_is_not_described_by_the_service(version: str, told: str, tmp_path: Path) -> None:
    """Where packages are is no checkout of ours, also if it is below somebody's repository."""
    service = tmp_path / "service"
    packages = service / "packages"
    shutil.copytree(ROOT / "golden_path", packages / "golden_path", ignore=shutil.ignore_patterns("__pycache__"))
    if version:
        facts = packages / "golden_path-4.5.6.dist-info/METADATA"
        facts.parent.mkdir()
        facts.write_text(f"Metadata-Version: 2.1\nName: golden-path\nVersion: {version}\n")
    commit_all(service)
    git(service, "tag", "v0.0.7")
    paths = os.pathsep.join([str(packages), *(one for one in sys.path if one.endswith("site-packages"))])
    command = [sys.executable, "-m", "golden_path", "--version"]
    env = environment() | {"PYTHONPATH": paths}
    done = subprocess.run(command, cwd=service, env=env, capture_output=True, text=True, check=False, timeout=180)
    assert done.stdout.splitlines()[0] == told, done.stderr
