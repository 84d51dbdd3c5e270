"""What an adoption brings to a repository."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from golden_path.source.infer import Found
from golden_path.store.trees import Entry, Tree

NEW, SAME, DIFFERS, YOURS, LEFT_OUT = "new", "same", "differs", "yours", "omitted"
STATUSES = (DIFFERS, NEW, LEFT_OUT, YOURS, SAME)
SHOWN = "shown"
NOTHING = "nothing"  # the parts that were asked for bring no file
DEFAULT = "default"  # where an answer comes from that nobody gave


@dataclass(frozen=True)
class File:
    """A file of the template, and what becomes of it.

    Attributes:
        path: where the template has it.
        status: one of ``STATUSES``.
        reason: why, where that is not plain.
        ours: in the repository; None where it has none.
        theirs: in the rendering.
    """

    path: str
    status: str
    reason: str
    ours: Entry | None
    theirs: Entry


@dataclass(frozen=True)
class Adoption:
    """What an adoption brings.

    Attributes:
        source: the template.
        version: of the template, that the repository is most like, or was to be.
        answers_file: its name.
        generated: whether the template wrote the repository once.
        answers: by question, with where each was found.
        notes: what else a person should know.
        asked: questions that nothing answered, with what a person is asked.
        warnings: what of the repository's own may break, or needs a hand, in Markdown that does nothing.
        next: what a person does after it.
        files: sorted by path.
        tree: of the repository with what is new.
        parts: names of those that were asked for; empty for the whole template.
    """

    source: str
    version: str
    answers_file: str
    generated: bool
    answers: Mapping[str, Found]
    notes: Sequence[str]
    asked: Mapping[str, str]
    warnings: Sequence[str]
    next: str
    files: Sequence[File]
    tree: Tree = field(repr=False)
    parts: Sequence[str] = ()

    @property
    def differing(self) -> list[File]:
        """What a person has to look at."""
        return [one for one in self.files if one.status == DIFFERS]

    @property
    def open(self) -> bool:
        """Whether a person has to decide something."""
        return bool(self.differing or self.asked or self.warnings)


@dataclass(frozen=True)
class Outcome:
    """What ``adopt`` did.

    Attributes:
        status: ``created``, ``exists``, ``shown`` (nothing was changed) or ``nothing`` (there is nothing to bring).
        adoption: what it brings.
        branch: its name; empty where there is none.
        commit: of the branch; empty where it was only shown.
        diffs: by path, from theirs to the template's; only where it was only shown.
        dirty: whether the work tree has changes that are not in the branch.
        in_the_way: files that are in no commit, and that a switch to the branch would overwrite.
    """

    status: str
    adoption: Adoption
    branch: str
    commit: str = ""
    diffs: Mapping[str, str] = field(default_factory=dict)
    dirty: bool = False
    in_the_way: Sequence[str] = ()
