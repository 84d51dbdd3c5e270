"""Without a toolchain: its language is left out, what needs it besides is skipped, and in CI both fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.labs.toolchains import ROOT

CONFTEST = """
import pathlib
from tests.selection import plugin
from tests.selection.suites import Suite

def pytest_addoption(parser):
    plugin.add_options(parser)

def pytest_configure(config):
    plugin.set_up(config, pathlib.Path(__file__).parent, (Suite("one", ("test_one.py",)),))

def pytest_generate_tests(metafunc):
    if "language" in metafunc.fixturenames:
        metafunc.parametrize("language", plugin.chosen(metafunc.config))
"""
TESTS = """
import os
from tests.labs import toolchains

def test_language(language): pass
def test_any(): assert "CI" not in os.environ
def test_lab(): toolchains.locate("go")
"""


def run(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the tests on a PATH without Go."""
    programs = folder / "bin"
    if not programs.exists():
        programs.mkdir()
        for name in ("git", "make", "bash"):
            (programs / name).symlink_to(shutil.which(name) or name)
        (folder / "conftest.py").write_text(CONFTEST)
        (folder / "test_one.py").write_text(TESTS)
    whole = {name: value for name, value in os.environ.items() if name != "CI"}
    command = [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider", "--languages", "go", *arguments]
    return subprocess.run(
        command, cwd=folder, env={**whole, "PATH": str(programs), "PYTHONPATH": str(ROOT), **env},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_language_without_its_toolchain_is_left_out_with_one_line(tmp_path: Path, workers: str) -> None:
    done = run(tmp_path, "--numprocesses", workers)
    assert done.returncode == 0, done.stdout
    [line] = [line for line in done.stdout.splitlines() if line.startswith("left out: go, since Go")]
    assert "install Go" in line
    assert "1 passed, 2 skipped" in done.stdout  # test_language has no language, and test_lab no Go
    assert done.stdout.count(line.partition("since ")[2]) == 2, "the other is the reason of the test that is skipped"


def test_in_ci_it_fails(tmp_path: Path) -> None:
    done = run(tmp_path, CI="true")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "left out: go, since Go" in done.stderr
    assert "(in CI every language is tested)" in done.stderr


@pytest.mark.parametrize("workers", ["0", "2"])
def test_in_ci_nothing_is_skipped_for_a_toolchain(tmp_path: Path, workers: str) -> None:
    done = run(tmp_path, "--languages", "", "--numprocesses", workers, CI="true")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "FAILED test_one.py::test_lab" in done.stdout
