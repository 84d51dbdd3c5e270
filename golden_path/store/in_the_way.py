"""What a switch to the branch of an upgrade would overwrite: files of the work tree that no commit has."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from golden_path.store import git
from golden_path.store.trees import parents

MOST = 500  # places that are asked about; one is enough to be careful


def uncommitted(root: Path, added: Collection[str]) -> list[str]:
    """Return the files that are neither committed nor staged and stand where a branch adds files, ignored or not.

    Args:
        root: the work tree.
        added: files that the branch has and HEAD has not.
    """
    places = {place for path in added if (place := _standing(root, path))}
    if not places:
        return []
    found = git.text("--literal-pathspecs", "ls-files", "--others", "-z", "--", *sorted(places)[:MOST], cwd=root)
    return sorted(filter(None, found.split("\0")))


def next_steps(branch: str, lost: Collection[str]) -> Iterator[str]:
    """Yield the lines that lead to a branch: what to move away first, and a switch that overwrites nothing.

    Args:
        branch: its name.
        lost: what ``uncommitted`` found.
    """
    yield from (f"  move away {path}: it is in no commit, and the branch has a file there" for path in lost)
    yield f"next: git log -1 {branch}; git switch {'--no-overwrite-ignore ' if lost else ''}{branch}"


def _standing(root: Path, path: str) -> str:
    """The first place on the way to a file, itself included, at which something else than a folder to enter is."""
    for place in (*parents(path), path):
        found = root / place
        if found.is_symlink() or (found.exists() and (place == path or not found.is_dir())):
            return place
    return ""
