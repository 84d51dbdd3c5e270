"""Copies of repositories that git finds under their addresses on GitHub, so that a job can fetch, and really push."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.labs.errors import LabError, run

SERVER = "https://github.com"


def git(folder: Path, *arguments: str | Path, failure: str) -> str:
    """Run git; return its output, stripped.

    Raises:
        LabError: it failed.
    """
    return run("git", *arguments, cwd=folder, failure=failure).strip()


def clone(folder: Path, repositories: Mapping[str, Path]) -> None:
    """Copy repositories.

    Args:
        folder: where the copies go, as ``owner/name`` below it.
        repositories: real ones by ``owner/name``.

    Raises:
        LabError: one is no repository, or has changes that are not committed.
    """
    for name, repository in repositories.items():
        failure = f"{repository} is no git repository with a commit"
        git(repository, "rev-parse", "--verify", "--quiet", "HEAD", failure=failure)
        changes = git(repository, "status", "--porcelain", "--untracked-files=no", failure=failure)
        if changes:
            raise LabError(f"{repository} has changes that are not committed: the lab runs what is committed")
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        git(folder, "clone", "--quiet", "--bare", repository, target, failure=f"cannot copy {repository}")


def work_tree(folder: Path, remotes: Path, name: str, ref: str) -> None:
    """Make the work tree in which act reads the workflows.

    Args:
        folder: a missing folder.
        remotes: where the copies are.
        name: ``owner/name``.
        ref: what to check out.

    Raises:
        LabError: the repository has no such ref.
    """
    git(remotes, "clone", "--quiet", "--no-checkout", remotes / name, folder, failure=f"cannot copy {name}")
    git(folder, "fetch", "--quiet", "origin", ref, failure=f"{name} has no {ref}")
    git(folder, "checkout", "--quiet", "--detach", "FETCH_HEAD", failure=f"cannot check out {ref}")
    git(folder, "remote", "set-url", "origin", f"{SERVER}/{name}", failure="cannot name origin")


def settings(remotes: Path) -> str:
    """Return git's global settings for a job: as on a runner nobody is the author, and GitHub is the copies."""
    address = f'[url "file://{remotes}/"]\n\tinsteadOf = {SERVER}/\n'
    return f"{address}[safe]\n\tdirectory = *\n[advice]\n\tdetachedHead = false\n"
