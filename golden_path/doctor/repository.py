"""What the rules look at: the files of the last commit, and how they stand to the template."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from golden_path.doctor import beginnings
from golden_path.doctor.beginnings import Beginning
from golden_path.errors import FleetError, UntrustedError
from golden_path.rendering.render import Renderer
from golden_path.rules.files import LARGEST, Files
from golden_path.source import versions
from golden_path.source.ownership import Ownership
from golden_path.source.template import Templates
from golden_path.store.answers import Answers
from golden_path.store.service import Service
from golden_path.store.trees import FILE, Store, Tree
from golden_path.upgrade import plan, tasks
from golden_path.upgrade.upgrade import Upgrade


@dataclass(frozen=True)
class Membership:
    """How a repository stands to its template.

    Attributes:
        answers: what its answers file says; None where it has none, or none that can be read.
        answers_file: its name; empty where there is none.
        problem: why it cannot be read.
        lost: why the template, or the version of it that the repository has, cannot be looked at.
        skipped: why the files were not compared.
        behind: the versions after its own, oldest first.
        wrote: what its version writes, by path.
        owner: which files are the service's.
        leave_out: patterns of files of which an adopted service has its own.
        beginning: how they came together.
    """

    answers: Answers | None = None
    answers_file: str = ""
    problem: str = ""
    lost: str = ""
    skipped: str = ""
    behind: Sequence[str] = ()
    wrote: Tree = field(default_factory=dict)
    owner: Ownership | None = None
    leave_out: Sequence[str] = ()
    beginning: Beginning = field(default_factory=Beginning)


def membership(opened: Service, answers_file: str, problem: str, renderer: Renderer, store: Store) -> Membership:
    """Find out how a repository stands to its template.

    Args:
        opened: the repository; with empty answers where they cannot be read.
        answers_file: its name, empty where there is none.
        problem: why the answers cannot be read.
        renderer: a worker.
        store: where trees are made.
    """
    found = opened.answers
    if not found.source:
        return Membership(None, answers_file, problem)
    try:
        template = Templates().get(found.source)
        newest = plan.target(template, found.version, "")
        behind = versions.between(template.tags, found.version, newest)
        release = template.at(found.version)
        owner = Ownership(release.config, found.values)
        leave_out = release.rules.leave_out
    except FleetError as error:
        return Membership(found, answers_file, lost=str(error))
    try:
        renderer.lend(store)
        looked_at = Upgrade(opened, release, release, renderer, store)
        has, wrote = looked_at.has, looked_at.known
        if release.config.tasks:  # they make other files of a rendering
            differ = {path for path, entry in wrote.items() if has.get(path) != entry} - {found.path}
            alone = tasks.template_alone(opened, differ)
            wrote = {path: entry for path, entry in wrote.items() if path not in alone}
    except UntrustedError as error:
        return Membership(found, answers_file, skipped=str(error), behind=behind)
    except FleetError as error:
        return Membership(found, answers_file, lost=str(error), behind=behind)
    beginning = beginnings.find(opened, found.path, wrote, owner, store)
    return Membership(
        found, answers_file, behind=behind, wrote=wrote, owner=owner, leave_out=leave_out, beginning=beginning
    )


class Repository(Files):
    """The files of a commit, read at once.

    Args:
        tree: of the commit.
        store: that has them.
        member: how it stands to its template.
    """

    def __init__(self, tree: Tree, store: Store, member: Membership) -> None:
        super().__init__()
        self.tree, self.store, self.member = tree, store, member
        self.paths = sorted(tree)

    @cached_property
    def _contents(self) -> dict[str, bytes]:
        return dict(_read(self.store, {entry.blob for entry in self.tree.values() if entry.kind == FILE}))

    def content(self, path: str) -> bytes | None:
        """Return a file's content; None if it is missing, a link, or larger than ``LARGEST``."""
        entry = self.tree.get(path)
        return self._contents.get(entry.blob) if entry and entry.kind == FILE else None


def _read(store: Store, blobs: set[str]) -> Iterator[tuple[str, bytes]]:
    """Read files, each in one go, but for those that are large."""
    names = sorted(blobs)
    sizes = store.run("cat-file", "--batch-check=%(objectname) %(objectsize)", data="\n".join(names).encode())
    small = [name for name, size in (line.split() for line in sizes.decode().splitlines())
             if size.isdigit() and int(size) <= LARGEST]  # fmt: skip
    output, at = store.run("cat-file", "--batch", data="\n".join(small).encode()), 0
    for name in small:
        end = output.index(b"\n", at)
        size = int(output[at:end].split()[2])
        yield name, output[end + 1 : end + 1 + size]
        at = end + 2 + size
