"""Before plain ``copier update``: what it would lose of a service, and what is to be remembered for its end.

Copier applies the difference that a person made to the new rendering with ``git apply``. That cannot follow a file that
the template moves or gives up, and it drops binary files, links and changed line ends without a word.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from golden_path.rendering.render import Renderer
from golden_path.source.ownership import Ownership
from golden_path.source.template import Template
from golden_path.store import aside, renames, scratch, work_tree
from golden_path.store.trees import FILE, Entry, Store, Tree, parents
from golden_path.untrusted import inside
from golden_path.upgrade import plan
from golden_path.upgrade.upgrade import Upgrade, between

NOTES = "golden-path-update.json"


@dataclass(frozen=True)
class Foreseen:
    """What an update would do.

    Attributes:
        lost: why it cannot keep a person's work, by file.
        held: files that no commit has, and that it may remove.
        base: what the service's version wrote.
        theirs: what the new one writes.
        moved: where the service moved files that the template changes or gives up, by their old name.
    """

    lost: dict[str, str]
    held: list[str] = field(default_factory=list)
    base: Tree = field(default_factory=dict)
    theirs: Tree = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)


def look(folder: Path, clone: Path, version: str, answers_file: str, data: Mapping[str, Any]) -> Foreseen:
    """Compare what Copier can keep with what the engine would: both versions' renderings and the service.

    Args:
        folder: the root of the service, in its work tree.
        clone: of the template by Copier, with the new version checked out.
        version: the one that the service has.
        answers_file: its name.
        data: answers that the user gave.

    Raises:
        FleetError: a version cannot be rendered.
        GitError: git failed.
    """
    opened = work_tree.opened(folder, answers_file)
    with scratch.folder() as place, Renderer(trust=True) as renderer:
        work_tree.complete(clone, version, place)
        # Of a template on a server, it is a work tree of a mirror that Copier keeps.
        asked = work_tree.run(clone, "rev-parse", "--path-format=absolute", "--git-common-dir", "HEAD")
        repository, new = asked.decode(errors="surrogateescape").splitlines()
        template = Template.cloned(Path(repository), place / "template")
        with between(opened, template.at(version), template.at(new), renderer, data) as upgrade:
            return _foreseen(folder, upgrade)


def _foreseen(folder: Path, upgrade: Upgrade) -> Foreseen:
    store, ours, answers_file = upgrade.store, upgrade.has, upgrade.service.answers.path
    base, theirs = dict(upgrade.wrote), upgrade.writes()[0]
    owner = Ownership(upgrade.new.config, plan.answers_in(upgrade, theirs))
    for tree in (base, theirs):
        tree.pop(answers_file, None)
    held = aside.find(folder, ours, {*base, *theirs})
    found = {**dict(_by_links(folder, theirs)), **dict(_lost(store, base, ours, theirs)),
             **dict(_overwritten(folder, (base, ours, theirs), held, owner))}  # fmt: skip
    moved = {old: new for old, new in renames.find(store, base, ours).moved.items() if base[old] != theirs.get(old)}
    return Foreseen(found, held, base, theirs, moved)


def remember(folder: Path, foreseen: Foreseen) -> None:
    """Keep aside what no commit has, and note what ``after_copier`` needs.

    Raises:
        LeftAsideError: a file cannot be kept; nothing is then.
    """
    held = foreseen.held
    aside.keep(folder, [*held, *sorted(set(aside.rejects(folder)) - set(held))])
    place = notes(folder)
    known = {"base": foreseen.base, "theirs": foreseen.theirs, "moved": foreseen.moved}
    inside.write(place.parent, place.name, json.dumps(known).encode())


def notes(folder: Path) -> Path:
    """Return where the notes are: in the git folder, so the work tree stays clean."""
    return folder / work_tree.of_service(folder, NOTES)


def _by_links(folder: Path, theirs: Tree) -> Iterator[tuple[str, str]]:
    """What Copier would write through a link of the work tree to a folder, committed or not: it follows them."""
    for path in sorted({parent for name in theirs for parent in parents(name)}):
        if (folder / path).is_symlink():
            yield path, "a link of yours, through which Copier would write"


def _lost(store: Store, base: Tree, ours: Tree, theirs: Tree) -> Iterator[tuple[str, str]]:
    moved = renames.find(store, base, theirs).moved
    for name in sorted(set(base) - set(theirs)):
        if name in ours and ours[name] != base[name]:
            yield name, f"moved to {moved[name]}" if name in moved else "removed"
    folders = {parent for name in ours for parent in parents(name)}
    for name in sorted(set(theirs) & folders):
        yield name, "a folder of yours, a file of the template's"
    for name in sorted(set(theirs) - set(base)):
        for parent in parents(name):
            if parent in ours and ours[parent] != base.get(parent):
                yield parent, "a file of yours, a folder of the template's"
    for name in sorted(set(ours) & set(theirs)):
        if ours[name] in (base.get(name), theirs[name]):
            continue
        sides = [tree[name] for tree in (base, ours, theirs) if name in tree]
        if why := _no_lines(store, sides, changed=base.get(name) != theirs[name]):
            yield name, why


def _no_lines(store: Store, sides: list[Entry], *, changed: bool) -> str:
    """Say why Copier cannot merge a file by its lines; empty where it can."""
    kinds = {one.kind for one in sides}
    if len(kinds) > 1 or (kinds != {FILE} and changed):
        return "a link"
    if kinds != {FILE}:
        return ""
    contents = [store.read(one.blob) for one in sides]
    if any(b"\0" in one for one in contents):
        return "no text"
    return "other line ends" if len({b"\r\n" in one for one in contents}) > 1 else ""


def _overwritten(
    folder: Path, trees: tuple[Tree, Tree, Tree], held: list[str], owner: Ownership
) -> Iterator[tuple[str, str]]:
    """What no commit has, and Copier would write over; it takes the same for deleted, and fails on what it changes."""
    base, ours, theirs = trees
    for name in held:
        if not (folder / name).is_symlink() and not (folder / name).is_file():
            yield name, "no commit has it, and it is no regular file"
            continue
        as_it_is_now = name not in base and theirs.get(name) == work_tree.entry(folder, name)
        if name in theirs and base.get(name) != theirs[name] and not (as_it_is_now or owner.seeded(name)):
            yield name, "no commit has it, and the template writes it"
    for name in sorted(theirs):
        if (folder / name).is_dir() and not (folder / name).is_symlink():
            yield name, "a folder of yours, a file of the template's"
        for parent in parents(name):
            place = folder / parent
            if parent not in base and place.is_file() and not place.is_symlink():
                yield parent, "a file of yours, a folder of the template's"
    for name in aside.rejects(folder):
        if name.startswith("../") or name.removesuffix(".rej") not in ours:
            yield name, "no commit has it, and Copier takes it for its own"
