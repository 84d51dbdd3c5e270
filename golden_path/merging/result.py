"""What a merge of three trees gives."""

from __future__ import annotations

from dataclasses import dataclass, field

from golden_path.store.trees import Entry, Tree


@dataclass(frozen=True)
class Conflict:
    """What a person has to decide; theirs is what stands in the merged tree.

    Attributes:
        path: the file.
        reason: what happened.
        ours: the person's version, None where they have none.
        theirs: the template's, merged with what is not in conflict; None where it has none.
    """

    path: str
    reason: str
    ours: Entry | None
    theirs: Entry | None


@dataclass
class Result:
    """A merged tree.

    Attributes:
        tree: its files; none has conflict markers.
        conflicts: by path.
        kept: why a change of the template's did not arrive that nobody has to decide, by path.
        missed: what it was, where the template has it at another path.
        moved: where the template had a file before, by path.
        by_keys: files whose lines could not be merged, but whose data could.
    """

    tree: Tree
    conflicts: dict[str, Conflict] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    missed: dict[str, Entry] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    by_keys: set[str] = field(default_factory=set)
