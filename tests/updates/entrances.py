"""Services of hard cases that have the platform's folder, so that their own verb and workflow can be run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from golden_path.errors import FleetError
from golden_path.rendering.render import Renderer
from golden_path.upgrade import apply
from tests.labs.template import GIT, commit_all, git, with_engine
from tests.labs.toolchains import ROOT
from tests.updates import foreign, hard_cases
from tests.updates.cases import Case

PLATFORM = ROOT / "template" / ".golden-path"
WORKFLOW = ".github/workflows/template-update.yml"
# The verbs of the workflow, with the Copier of the tests in place of one that is installed for each service.
MAKEFILE = f"""\
template-update:
\t@python3 .golden-path template update {sys.executable}
template-pack:
\t@python3 .golden-path template pack
template-propose:
\t@python3 .golden-path template propose
"""


def engine(folder: Path) -> Path:
    """Make a repository with the engine of this checkout, for templates to begin with; returns the folder."""
    with_engine(folder)
    commit_all(folder, "Engine")
    return folder


def pair(case: Case, folder: Path, renderer: Renderer, base: Path, workflow: bytes = b"") -> tuple[Path, Path]:
    """Make the template of a case, with the engine, and the service; returns both.

    Args:
        case: which.
        folder: an empty one.
        renderer: a worker.
        base: what ``engine`` made.
        workflow: template-update.yml, where the service should have it, and the platform's folder.
    """
    git(folder, "clone", "--quiet", str(base), "template")
    files = {WORKFLOW: workflow, "Makefile": MAKEFILE.encode(), ".gitignore": b"*.log\n/build/\n__pycache__/\n"}
    listed = git(PLATFORM, "ls-files", "--cached", "--others", "--exclude-standard", "*.py").splitlines()
    files |= {f".golden-path/{name}": (PLATFORM / name).read_bytes() for name in listed}
    steps = [foreign.write(name, content) for name, content in files.items()] if workflow else []
    return hard_cases.pair(case, folder, renderer, *steps)


def engines(service: Path, renderer: Renderer) -> tuple[str, str]:
    """Return the commit that ``apply`` makes, or the line with which it refuses, in a copy of a service."""
    same = service.parent / "engine" / service.name
    shutil.copytree(service, same, symlinks=True)
    try:
        return apply.apply(same, renderer).commit, ""
    except FleetError as error:
        return "", str(error)


def verb(service: Path) -> subprocess.CompletedProcess[str]:
    """Run ``template update`` of the platform's folder in a service; the exit code is not checked."""
    command = [sys.executable, str(PLATFORM), "template", "update", sys.executable]
    return subprocess.run(
        command, cwd=service, env={**os.environ, **GIT, "PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
