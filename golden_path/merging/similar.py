"""How much a repository is like what a version of a template writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from golden_path.source.ownership import Ownership
from golden_path.store.trees import FILE, Entry, Store, Tree

HALF = 0.5
QUARTER = 0.25
FEW = 8  # lines; fewer say nothing about where a file came from

Lines = Counter[bytes]


class Contents:
    """The lines of files, each read once.

    Args:
        store: that has them.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[Entry, Lines] = {}

    def lines(self, entry: Entry) -> Lines:
        """Return the lines of a file, in no order; none for a submodule."""
        if entry not in self._known:
            content = b"" if entry.mode == "160000" else self._store.read(entry.blob)
            self._known[entry] = Counter(line.rstrip(b"\r") for line in content.splitlines())
        return self._known[entry]


def likeness(tree: Tree, ours: Tree, owner: Ownership, contents: Contents) -> float:
    """Return which share, 0 to 1, of the files that a template manages a repository has.

    Args:
        tree: a rendering.
        ours: the repository.
        owner: which files are the service's.
        contents: of both.

    Returns:
        The share of those files of which at least half of the lines are there.
    """
    managed = [path for path, entry in tree.items() if not owner.seeded(path) and entry.kind == FILE]
    alike = sum(
        path in ours and (ours[path] == tree[path] or _alike(contents.lines(tree[path]), contents.lines(ours[path])))
        for path in managed
    )
    return alike / len(managed) if managed else 0.0


def _alike(wrote: Lines, has: Lines) -> bool:
    return (wrote & has).total() >= HALF * wrote.total()


def distances(renderings: Mapping[str, Tree], ours: Tree, contents: Contents) -> dict[str, tuple[int, int]]:
    """Return how far each version of a template is from a repository.

    Args:
        renderings: by version.
        ours: the repository.
        contents: of all.

    Returns:
        By version, the lines that differ in those files of the repository that any of the versions writes, so that a
        version is not nearer for writing fewer of them; and the files that it writes and the repository has not.
    """
    shared = {path for tree in renderings.values() for path in tree} & set(ours)
    return {
        version: (
            sum(_differing(tree.get(path), ours[path], contents.lines) for path in shared),
            len(set(tree) - set(ours)),
        )
        for version, tree in renderings.items()
    }


def _differing(wrote: Entry | None, has: Entry, lines: Callable[[Entry], Lines]) -> int:
    if wrote == has:
        return 0
    old, new = lines(wrote) if wrote else Counter[bytes](), lines(has)
    return max(1, (old - new).total() + (new - old).total())


def stranger(wrote: bytes, has: bytes) -> bool:
    """Whether a file only shares its name with the template's: less than a quarter of either's lines are the other's.

    Args:
        wrote: what the template wrote.
        has: what the service has.
    """
    old, new = (Counter(line.strip() for line in side.splitlines() if line.strip()) for side in (wrote, has))
    if min(old.total(), new.total()) < FEW or b"\0" in wrote + has:
        return False
    shared = (old & new).total()
    return shared < QUARTER * old.total() and shared < QUARTER * new.total()
