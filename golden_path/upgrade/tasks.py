"""A template's ``_tasks`` in an upgrade: run once, as ``copier update`` would, in a temporary work tree.

Copier runs them on the new rendering in the service, before it puts a person's changes back. So they see the service's
files with all that the new version writes, and what they do to that is part of what the template brings.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from golden_path.source.ownership import Ownership
from golden_path.store import git
from golden_path.store.service import Service
from golden_path.store.trees import Entry, Store, Tree, parents
from golden_path.upgrade import migrated
from golden_path.upgrade.upgrade import Upgrade

REASON = "a task of the template changed it"


@dataclass(frozen=True)
class Done:
    """What the tasks did.

    Attributes:
        commands: that were run.
        theirs: what the template brings, with that.
        own: new versions of files that the template does not write, or that are the service's.
        touched: the files that they changed, made or removed.
        notes: what of it is left out.
    """

    commands: list[str]
    theirs: Tree
    own: Tree = field(default_factory=dict)
    touched: frozenset[str] = frozenset()
    notes: Sequence[str] = ()


def run(upgrade: Upgrade, base: Tree, ours: Tree, theirs: Tree, owner: Ownership) -> Done:
    """Run the tasks of the version that a service gets.

    Args:
        upgrade: of which service, to which version; that is rendered already.
        base: the rendering of the version that the service has.
        ours: the service.
        theirs: the rendering of the new version; it is not changed.
        owner: which files are the service's.

    Returns:
        What they did; nothing where there is none to run.

    Raises:
        FleetError: the template is not trusted, or a task failed.
    """
    if not listed(upgrade):
        return Done([], theirs)
    service, store = upgrade.service, upgrade.store
    written = {
        path: entry for path, entry in theirs.items()
        if not owner.excluded(path) and not (owner.seeded(path) and path in ours)
    }  # fmt: skip
    seen = _beside(base, ours, written) | written
    folder = upgrade.folder("tasks")
    folder.mkdir(parents=True)
    with store.checkout(seen, folder) as work:
        commands = _commands(upgrade, folder, dry=False)
        notes = migrated.inner_repositories(folder)
        left = work()
    after, own = dict(theirs), {}
    touched = {path for path in {*seen, *left} if seen.get(path) != left.get(path)} - {service.answers.path}
    for path in touched:
        entry = left.get(path)
        if path in written or path not in ours:
            after.pop(path, None) if entry is None else after.update({path: entry})
        elif entry and _may_replace(service, store, path, ours[path], entry):
            own[path] = entry
        elif entry:
            after[path] = entry  # the merge says what a person has to decide
    return Done(commands, after, own, frozenset(touched), notes)


def listed(upgrade: Upgrade) -> list[str]:
    """Return the commands that an upgrade runs, of which none is run here; the new version is rendered already."""
    return _commands(upgrade, upgrade.folder("new"), dry=True) if upgrade.new.config.tasks else []


def _commands(upgrade: Upgrade, folder: Path, *, dry: bool) -> list[str]:
    file = upgrade.service.answers.path
    return upgrade.renderer.tasks(upgrade.old, upgrade.new, folder, file, upgrade.data, dry=dry)


def _beside(base: Tree, ours: Tree, written: Tree) -> Tree:
    """The service's files, but for what only the old version wrote and what stands in the way of the new one."""
    folders = {parent for path in written for parent in parents(path)}
    return {
        path: entry for path, entry in ours.items()
        if base.get(path) != entry and path not in folders and not any(one in written for one in parents(path))
    }  # fmt: skip


def _may_replace(service: Service, store: Store, path: str, has: Entry, made: Entry) -> bool:
    """Whether a task may replace a file of the service: nothing of it is gone, or nobody but the template wrote it."""
    if has.kind == made.kind:
        rest = iter(store.read(made.blob).splitlines())
        if all(line in rest for line in store.read(has.blob).splitlines()):
            return True
    return path in template_alone(service, [path])


def template_alone(service: Service, paths: Collection[str]) -> set[str]:
    """Return the files that only births and upgrades wrote or removed: each such commit changes the answers file.

    What tasks made of a rendering is known from the history alone, since nobody runs them to look at a service. Of a
    shallow clone nothing is known.
    """
    if git.text("rev-parse", "--is-shallow-repository", cwd=service.path) == "true":
        return set()
    by: dict[str, set[str]] = {path: set() for path in (*paths, service.answers.path)}
    said = git.text(
        "--literal-pathspecs", "log", "-z", "--no-renames", "--name-only", "--format=%x01%H", service.head, "--", *by,
        cwd=service.path,
    )  # fmt: skip
    commit = ""
    for word in said.split("\0"):
        name = word.lstrip("\n")
        if name.startswith("\x01"):
            commit = name[1:]
        elif name in by:
            by[name].add(commit)
    return {path for path in paths if by[path] <= by[service.answers.path]}
