"""Which golden-path this is, and what it works with."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from golden_path.errors import FleetError
from golden_path.store import git

ROOT = Path(__file__).resolve().parent.parent


def version() -> str:
    """Return the version of the checkout that this is run from, by its tags, else of the installed distribution."""
    if (ROOT / ".git").exists():
        try:
            found = git.text("describe", "--tags", "--match", "v[0-9]*", "--always", "--dirty", cwd=ROOT)
            return found.removeprefix("v")
        except (FleetError, git.GitError):
            pass  # no git, or a checkout of another user
    return _distribution("golden-path")


def lines() -> Iterator[str]:
    """Yield the name and the version of golden-path, then of each program that decides what it does."""
    yield f"golden-path {version()}"
    yield f"Copier {_distribution('copier')}"
    try:
        yield f"git {git.text('version').removeprefix('git version ')}"
    except (FleetError, git.GitError) as error:
        yield f"git unknown: {error}"
    yield f"Python {platform.python_version()}"


def _distribution(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "unknown"
