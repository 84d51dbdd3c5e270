"""What an upgrade does, file by file."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

from golden_path.merging.result import Result
from golden_path.store.trees import Entry, Tree

NEW, CLEAN, MERGED, CONFLICT, DROPPED, KEPT = "new", "clean", "merged", "conflict", "dropped", "kept"
STATUSES = (CONFLICT, MERGED, NEW, CLEAN, DROPPED, KEPT)


@dataclass(frozen=True)
class Change:
    """What happens to one file.

    Attributes:
        path: the file.
        status: one of ``STATUSES``.
        reason: why, where that is not plain.
        source: where it was before, where the template moved it.
        before: in the service.
        after: in the upgrade.
        missed: of a conflict, the template's version, merged with what is not in conflict.
    """

    path: str
    status: str
    reason: str = ""
    source: str = ""
    before: Entry | None = None
    after: Entry | None = None
    missed: Entry | None = None


def differ(old: Tree, new: Tree) -> set[str]:
    """Return the files that differ between two trees."""
    return {path for path in {*old, *new} if old.get(path) != new.get(path)} if old is not new else set()


def of(
    base: Tree, ours: Tree, theirs: Tree, result: Result, migrated: Set[str], reasons: Mapping[str, str]
) -> list[Change]:
    """Compare a service with what a merge made of it.

    Args:
        base: what the version that the service has wrote.
        ours: the service.
        theirs: what the version that it gets brings.
        result: of the merge, and of the migrations after it.
        migrated: files that a migration changed.
        reasons: why, by path, where that is not plain.

    Returns:
        What happens, sorted by path.
    """
    changes = {}
    moved = {
        new: old for new, old in result.moved.items() if new not in ours and old in ours and old not in result.tree
    }
    for path in {*ours, *result.tree} - set(moved.values()):
        source = moved.get(path, "")
        before, after = ours.get(source or path), result.tree.get(path)
        if before == after and not source:
            continue
        if before is None:
            status = NEW
        elif after is None:
            status = DROPPED
        else:
            untouched = base.get(source or path) == before or after == theirs.get(path)
            status = CLEAN if untouched else MERGED
        changes[path] = Change(path, status, reasons.get(path, ""), source, before, after)
    for path, reason in result.kept.items():
        if path in migrated:
            continue
        changes[path] = Change(path, KEPT, reason, "", ours.get(path), ours.get(path),
                               result.missed.get(path) or theirs.get(path))  # fmt: skip
    for path, one in result.conflicts.items():
        source = moved.get(path, "")
        changes[path] = Change(
            path, CONFLICT, one.reason, source, ours.get(source or path), result.tree.get(path), one.theirs
        )
    return [changes[path] for path in sorted(changes)]
