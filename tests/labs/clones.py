"""Clones of a built service, for tests that change it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.labs import template as lab
from tests.labs.built import Built

# What is installed in the real repository and must not be installed anew for every clone, or every job of a workflow.
REUSE = (".tools", ".venv", "node_modules", ".mypy_cache")


def cloned(built: Built, folder: Path) -> Path:
    """Clone the service into a folder; what is installed in it is linked: each job takes a copy."""
    target = folder / built.folder.name
    lab.git(folder, "clone", "--quiet", str(built.folder), str(target))
    link_tools(built, target)
    return target


def link_tools(built: Built, folder: Path) -> None:
    """Link what is installed in the shared service into another folder of it."""
    for name in REUSE:
        if (built.folder / name).is_dir():
            (folder / name).symlink_to(built.folder / name)
    # The service ignores folders of these names, and links are none.
    (folder / ".git/info").mkdir(exist_ok=True)
    (folder / ".git/info/exclude").write_text("\n".join(REUSE))


def edit(folder: Path, file: str, pattern: str, replacement: str) -> None:
    """Replace one thing in a file of a repository and commit it."""
    path = folder / file
    text = path.read_text()
    changed, count = re.subn(pattern, replacement, text, count=1, flags=re.MULTILINE)
    assert count == 1, f"{pattern} is not in {file}"
    path.write_text(changed)
    lab.commit_all(folder, f"Change {file}")
