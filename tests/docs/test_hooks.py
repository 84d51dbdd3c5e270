"""The hooks of .pre-commit-config.yaml: each lets a clean file pass and stops what it is there for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.labs.template import git
from tests.labs.toolchains import ROOT

CONFIG = ".pre-commit-config.yaml"
HOOKS = [hook for group in yaml.safe_load((ROOT / CONFIG).read_text())["repos"] for hook in group["hooks"]]
KEY = "-----BEGIN RSA PRIVATE " + "KEY-----\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the configuration, this environment, and files that are as they should be."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet")
    shutil.copy(ROOT / CONFIG, folder / CONFIG)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / ".gitignore").write_text(".venv\n")
    (folder / "Makefile").write_text("lint:\n\t@test ! -e unlinted.py\n")
    (folder / "a.json").write_text("{}\n")
    (folder / "a.toml").write_text("a = 1\n")
    git(folder, "add", "--all")
    return folder


def run(folder: Path, hook: str) -> subprocess.CompletedProcess[str]:
    """Run one hook on all files."""
    command = [str(Path(sys.prefix, "bin/pre-commit")), "run", "--all-files", "--color", "never", hook]
    env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PRE_COMMIT_HOME": str(folder.parent / "hooks")}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=180)


BAD: dict[str, tuple[str, str, str]] = {  # a file, its content, and what is said
    "end-of-file-fixer": ("a.txt", "no newline", "Fixing a.txt"),
    "trailing-whitespace-fixer": ("a.txt", "too far  \n", "Fixing a.txt"),
    "check-merge-conflict": ("a.txt", "<<<<<<< ours\n", "a.txt:1: Merge conflict string '<<<<<<<' found"),
    "check-case-conflict": ("A.json", "{}\n", "Case-insensitivity conflict found: A.json"),
    "check-added-large-files": ("a.bin", "0123456789abcdef" * 40_000, "a.bin (625 KB) exceeds 500 KB"),
    "detect-private-key": ("a.txt", KEY, "Private key found: a.txt"),
    "check-json": ("b.json", "{\n", "b.json: Failed to json decode"),
    "check-toml": ("b.toml", "a = \n", "b.toml: "),
    "lint": ("unlinted.py", "", "make: *** [Makefile:2: lint] Error 1"),
}


@pytest.mark.parametrize("hook", [one["id"] for one in HOOKS])
def test_a_hook_passes_and_stops(hook: str, repository: Path) -> None:
    done = run(repository, hook)
    assert done.returncode == 0, done.stdout + done.stderr
    name, content, said = BAD[hook]
    (repository / name).write_text(content)
    git(repository, "add", name)
    done = run(repository, hook)
    assert done.returncode == 1
    assert said in done.stdout


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_fetches_nothing(hook: dict[str, object]) -> None:
    """It runs a program of the locked environment, or a verb."""
    assert hook["language"] == "system"
    program, *words = str(hook["entry"]).split()
    if program != "make":
        assert Path(sys.prefix, "bin", Path(program).name).is_file()
        assert program.startswith(".venv/bin/")
        assert words == []
