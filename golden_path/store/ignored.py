"""What a service's ``.gitignore`` files name, as git reads them."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from pathlib import Path

from golden_path.store.trees import FILE, Store, Tree, raw

NAME = ".gitignore"
FEW = 5  # names in a note


def ignored(store: Store, tree: Tree, paths: Collection[str]) -> set[str]:
    """Return those of some paths that git would not add, were they not tracked.

    Args:
        store: that has the tree.
        tree: whose ``.gitignore`` files count; no other rule does, so that all machines agree.
        paths: of files that are not tracked.
    """
    rules = {
        path: entry for path, entry in tree.items()
        if path.rsplit("/", 1)[-1] == NAME and entry.kind == FILE and not {"", ".", ".."} & set(path.split("/"))
    }  # fmt: skip
    if not rules or not paths:
        return set()
    with tempfile.TemporaryDirectory(dir=store.folder) as folder:
        for path, entry in rules.items():
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(store.read(entry.blob))
        found = store.run(
            "-c", "core.bare=false", "-c", "core.excludesFile=/dev/null", "-C", folder,
            "check-ignore", "--no-index", "-z", "--stdin",
            data=b"\0".join(raw(path) for path in sorted(paths)), codes=(0, 1), env={"GIT_WORK_TREE": folder},
        )  # fmt: skip
    return {name.decode(errors="surrogateescape") for name in found.split(b"\0") if name}


def note(paths: Collection[str]) -> list[str]:
    """Return a line that names what was left out; none where nothing was."""
    if not paths:
        return []
    more = f" and {len(paths) - FEW} more" if len(paths) > FEW else ""
    return [f"left out, since {NAME} names it: {', '.join(sorted(paths)[:FEW])}{more}"]
