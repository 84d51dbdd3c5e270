"""Tests that were green with the same inputs do not run again: real runs of pytest over a small checkout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.labs.template import commit_all
from tests.labs.toolchains import ROOT
from tests.selection import stamps
from tests.selection.stamps import KEPT, Stamp

CONFTEST = """
import pathlib
from tests.selection import plugin
from tests.selection.suites import Suite

def pytest_addoption(parser):
    plugin.add_options(parser)

def pytest_configure(config):
    one = Suite("one", ("checks/test_one.py",), quick=True, reads=("data.txt",))
    suites = (one, Suite("two", ("checks/test_two.py",)))
    root = pathlib.Path(__file__).parent
    config.pluginmanager.register(plugin.Selection(config, root, suites, missing=["left out: cobol"]), "selection")
"""
ONE = """
import pathlib, pytest
ROOT = pathlib.Path(__file__).parent.parent
@pytest.mark.parametrize("language", ["go", "node"])
def test_data(language):
    assert (ROOT / "data.txt").read_text() == "good"
"""
# One suite of two tests.
PAIR = "def test_two(): pass\ndef test_three(): pass\n"
TWO = "def test_two(): pass\n"


@dataclass
class Small:
    """A checkout with two suites, and a cache of its own."""

    folder: Path
    cache: Path

    def run(self, *arguments: str) -> tuple[int, str]:
        env = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(self.cache)}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--languages", "", *arguments],
            cwd=self.folder, env=env, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def stamped(self) -> list[str]:
        return sorted(path.name.rpartition("-")[0] for path in (self.cache / "golden-path/green").glob("*.json"))


@pytest.fixture
def small(tmp_path: Path) -> Small:
    folder = tmp_path / "small"
    (folder / "checks").mkdir(parents=True)
    for name, text in {
        "conftest.py": CONFTEST, "checks/test_one.py": ONE, "checks/test_two.py": TWO, "data.txt": "good",
        "pytest.ini": "[pytest]\n",
    }.items():  # fmt: skip
        (folder / name).write_text(text)
    commit_all(folder)
    return Small(folder, tmp_path / "cache")


@pytest.mark.parametrize("workers", ["0", "2"])
def test_what_is_green_does_not_run_again(small: Small, workers: str) -> None:
    use = ("--stamps", "use", "--numprocesses", workers)
    code, text = small.run(*use)
    assert code == 0, text
    assert "3 passed" in text
    assert "left out: cobol" in text
    assert {line.split()[0]: line.split()[1] for line in re.findall(r"^(?:one|two) +\d.*$", text, re.MULTILINE)} == {
        "one": "2",
        "two": "1",
    }
    assert small.stamped() == ["one-go", "one-node", "two"]

    code, text = small.run(*use)
    assert code == 0, text
    assert "passed" not in text
    for title, tests in (("one [go]", 1), ("one [node]", 1), ("two", 1)):
        line = rf"not run again: {re.escape(title)}, {tests} tests, green at 20\S+Z with the same inputs \(\w{{16}}\);"
        assert len(re.findall(line, text)) == 1, text

    code, text = small.run("--stamps", "write", "--numprocesses", workers)
    assert "3 passed" in text, text

    (small.folder / "data.txt").write_text("bad")
    code, text = small.run(*use)
    assert code == 1
    assert "2 failed" in text
    assert "not run again: two" in text
    # Red is no stamp: it runs again.
    assert "2 failed" in small.run(*use)[1]

    (small.folder / "data.txt").write_text("good")
    assert small.run(*use)[0] == 0


def test_suites_of_a_command(small: Small) -> None:
    code, text = small.run("--suites", "quick")
    assert code == 0
    assert "2 passed" in text
    assert "left out: two (1) tests: run make test-all" in text
    code, text = small.run("--suites", "rest")
    assert "1 passed" in text
    assert "left out: one (2) tests: run make test" in text
    assert small.stamped() == []


def test_a_choice_of_tests_is_no_stamp_for_all(small: Small) -> None:
    (small.folder / "checks/test_two.py").write_text(PAIR)
    assert "1 passed" in small.run("--stamps", "use", "-k", "three")[1]
    assert "4 passed" in small.run("--stamps", "use")[1]


def test_what_is_skipped_or_not_finished_is_not_green(small: Small) -> None:
    (small.folder / "checks/test_two.py").write_text("import pytest\ndef test_two(): pytest.skip('no root')\n")
    assert small.run("--stamps", "use")[0] == 0
    assert small.stamped() == ["one-go", "one-node"]
    (small.folder / "checks/test_two.py").write_text("def test_a(): assert 0\ndef test_b(): pass\n")
    assert small.run("--stamps", "use", "--exitfirst")[0] != 0
    assert small.stamped() == ["one-go", "one-node"]


def test_a_file_that_no_suite_declares_is_noticed(small: Small) -> None:
    (small.folder / "page.md").write_text("text")
    (small.folder / "checks/test_two.py").write_text("def test_two(): assert open('page.md').read() == 'text'\n")
    code, text = small.run("--stamps", "use")
    assert code == 0
    assert "not stamped: two reads page.md; add it to tests/selection/suites.py" in text
    assert small.stamped() == ["one-go", "one-node"]


def test_nothing_chosen_fails(small: Small) -> None:
    assert small.run("-k", "nothing-like-this")[0] == pytest.ExitCode.NO_TESTS_COLLECTED


def test_only_the_newest_stamps_are_kept(tmp_path: Path) -> None:
    for number in range(KEPT + 3):
        stamps.save(tmp_path, Stamp("one", "go", f"{number:016}", f"2026-01-01T00:00:{number:02}Z", 1))
    stamps.save(tmp_path, Stamp("one", "", "0" * 16, "2025-01-01T00:00:00Z", 1))
    assert len(list(tmp_path.iterdir())) == KEPT + 1
    (tmp_path / "one-go-broken.json").write_text("{")
    assert ("one", "go", f"{KEPT + 2:016}") in stamps.load(tmp_path)
    assert ("one", "go", f"{2:016}") not in stamps.load(tmp_path)
