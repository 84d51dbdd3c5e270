"""A template's ``_migrations`` in an upgrade: run as ``copier update`` would, in a checkout of a service's tree."""

from __future__ import annotations

from pathlib import Path

from golden_path.rendering.migrations import AFTER, BEFORE
from golden_path.store import renames, trees
from golden_path.store.trees import Store, Tree
from golden_path.upgrade.upgrade import Upgrade

REASON = "a migration of the template changed it"
LONGEST = 40  # lines of what a stage says


def before(upgrade: Upgrade) -> tuple[Tree, list[str]]:
    """Run the stage before the merge, which sees the answers of the version that the service has.

    Args:
        upgrade: the upgrade; its old version is rendered.

    Returns:
        What the service is afterwards, and what the migrations said, in lines; the same tree where there is nothing to
        run.

    Raises:
        FleetError: the template is not trusted, or a migration failed.
    """
    return _stage(BEFORE, upgrade.has, upgrade, upgrade.folder("old"))


def after(upgrade: Upgrade, tree: Tree) -> tuple[Tree, list[str]]:
    """Run the stage after the merge, which sees the answers of the version that the service gets.

    Args:
        upgrade: the upgrade; its new version is rendered.
        tree: what the merge made; it is not changed.

    Returns:
        As ``before``.

    Raises:
        FleetError: the same.
    """
    return _stage(AFTER, tree, upgrade, upgrade.folder("new"))


def _stage(name: str, tree: Tree, upgrade: Upgrade, rendering: Path) -> tuple[Tree, list[str]]:
    if not upgrade.new.config.migrations:
        return tree, []
    versions, file = (upgrade.old, upgrade.new), upgrade.service.answers.path
    count, _ = upgrade.renderer.migrate(*versions, name, rendering, file, dry=True)
    if not count:
        return tree, []
    folder = upgrade.folder(name)
    folder.mkdir(parents=True)
    with upgrade.store.checkout(tree, folder) as work:
        _, said = upgrade.renderer.migrate(*versions, name, folder, file, dry=False)
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        lines += inner_repositories(folder)
        more = [f"... and {len(lines) - LONGEST} lines more"] if len(lines) > LONGEST else []
        return work(), lines[:LONGEST] + more


def set_aside(store: Store, base: Tree, has: Tree, ours: Tree, theirs: Tree) -> tuple[Tree, Tree, Tree]:
    """Keep out of the merge what ``before`` migrations moved to where the template has nothing: ``after`` wants it.

    It was not a person who moved it, so at the old place the template's new version arrives, as with Copier.

    Args:
        store: that has the trees.
        base: the rendering of the version that the service has.
        has: the service.
        ours: the service after the migrations.
        theirs: the rendering of the version that it gets.

    Returns:
        ``base`` and ``ours`` for the merge, and the files to put beside what it makes.
    """
    if ours is has:
        return base, ours, {}
    moved = renames.find(store, has, ours).moved
    parked = {old: new for old, new in moved.items() if old in base and new not in base and new not in theirs}
    rest = {path: entry for path, entry in ours.items() if path not in parked.values()}
    return (
        {path: entry for path, entry in base.items() if path not in parked},
        rest,
        {new: ours[new] for new in parked.values()},
    )


def inner_repositories(folder: Path) -> list[str]:
    """Return a line for each repository that was made in a folder: none of its files is taken along."""
    return [f"left out, since it is a repository of its own: {path}" for path in trees.nested(folder)]
