"""This template as version 0.1.0 had it, from the history of this repository."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.labs import template as lab
from tests.labs.toolchains import ROOT

COMMIT = "e02277c4b7e36b13ba013c9b2fd21a8183a8849d"
OLD, NEW = "v0.1.0", "v0.2.0"


def history(folder: Path) -> Path:
    """Make a template of two versions: the first one, and the one that stands here.

    Args:
        folder: a missing one.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", COMMIT], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode != 0:
        told = f"{COMMIT[:7]}, version 0.1.0, is not in the history of this checkout: git fetch --unshallow"
        pytest.skip(told) if (lab.git(ROOT, "rev-parse", "--is-shallow-repository") == "true") else pytest.fail(told)
    subprocess.run(["tar", "-x"], cwd=folder, input=archive.stdout, check=True)
    lab.commit_all(folder, "Template")
    lab.git(folder, "tag", OLD)
    for one in folder.iterdir():
        if one.is_dir() and one.name != ".git":
            shutil.rmtree(one)
    now = lab.snapshot(folder.with_name(f"{folder.name}-now"))
    shutil.copytree(now, folder, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git"))
    lab.commit_all(folder, "One folder")
    lab.git(folder, "tag", NEW)
    return folder
