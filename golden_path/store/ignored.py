"""What a service's ``.gitignore`` files name, as git reads them."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from pathlib import Path

from golden_path.store.trees import FILE, Store, Tree, raw

NAME = ".gitignore"
FEW = 5  # names in a note
MOST = 256  # answers of git that are remembered
_Asked = tuple[tuple[tuple[str, bytes], ...], tuple[str, ...]]
_known: dict[_Asked, set[str]] = {}  # services of a template mostly have the same rules, and get the same files


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
    # The rules' bytes, not their ids: what a repository has under an id is its own word.
    asked = tuple((path, store.read(entry.blob)) for path, entry in sorted(rules.items())), tuple(sorted(paths))
    known = _known.get(asked)
    if known is None:
        known = _ask(store, *asked)
        if len(_known) >= MOST:
            _known.clear()
        _known[asked] = known
    return set(known)


def _ask(store: Store, rules: tuple[tuple[str, bytes], ...], paths: tuple[str, ...]) -> set[str]:
    with tempfile.TemporaryDirectory(dir=store.folder) as folder:
        for path, content in rules:
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        found = store.run(
            "-c", "core.bare=false", "-c", "core.excludesFile=/dev/null", "-C", folder,
            "check-ignore", "--no-index", "-z", "--stdin",
            data=b"\0".join(raw(path) for path in paths), codes=(0, 1), env={"GIT_WORK_TREE": folder},
        )  # fmt: skip
    return {name.decode(errors="surrogateescape") for name in found.split(b"\0") if name}


def note(paths: Collection[str]) -> list[str]:
    """Return a line that names what was left out; none where nothing was."""
    if not paths:
        return []
    more = f" and {len(paths) - FEW} more" if len(paths) > FEW else ""
    return [f"left out, since {NAME} names it: {', '.join(sorted(paths)[:FEW])}{more}"]
