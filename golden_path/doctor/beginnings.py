"""What a repository had before its template came: an adoption is no drift, and is not to be undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from golden_path.errors import FleetError
from golden_path.merging import similar
from golden_path.source.ownership import Ownership
from golden_path.store import git
from golden_path.store.service import Service
from golden_path.store.trees import Store, Tree


@dataclass(frozen=True)
class Beginning:
    """How a repository and its template came together.

    Attributes:
        theirs: what the repository had before; empty where the template wrote it.
        ever: what it has had since; None where all that is missing was deleted.
    """

    theirs: Mapping[str, object] = field(default_factory=dict)
    ever: frozenset[str] | None = None

    def drifts(self, path: str, *, there: bool) -> bool:
        """Whether a difference from the template's file is an edit of that file, or a deletion of it."""
        if there:
            return path not in self.theirs
        return self.ever is None or path in self.ever


def find(opened: Service, answers_file: str, wrote: Tree, owner: Ownership | None, store: Store) -> Beginning:
    """Find what a repository had before the commit that brought its answers file.

    Args:
        opened: the repository.
        answers_file: its name.
        wrote: what the template writes.
        owner: which files are the service's; None for nobody's.
        store: that has the trees.
    """
    try:
        came = git.text("log", "-1", "--no-renames", "--diff-filter=A", "--format=%H %P", opened.head, "--",
                        f":(literal){answers_file}", cwd=opened.path).split()  # fmt: skip
        if len(came) != 2 or not owner:
            return Beginning()
        before = store.list(came[1])
        if similar.likeness(wrote, before, owner, similar.Contents(store)) >= similar.HALF:
            return Beginning()  # it was the template's, and had lost the file
        since = git.text("log", "--no-renames", "--diff-filter=D", "--format=", "--name-only", "-z",
                         f"{came[0]}..{opened.head}", cwd=opened.path).split("\0")  # fmt: skip
        return Beginning(before, frozenset({*store.list(came[0]), *(name.strip("\n") for name in since)}))
    except FleetError:  # a clone that lacks that part of the history
        return Beginning()
