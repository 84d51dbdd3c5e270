"""Before an update: find what plain Copier would lose, and remember what the summary needs.

Copier applies the difference that a person made to the new rendering with ``git apply``. That cannot follow a file that
the template moves or gives up, and it drops binary files, links and changed line ends without a word.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pathspec import PathSpec

from golden_path.store.git import FOREIGN, GitError
from golden_path.untrusted import inside
from hooks import git, rendering, uncommitted
from hooks.git import Tree

NOTES = "golden-path-update.json"
NAMED = 12
UPDATES = ("make/template", ".golden-path/template.mk")  # of a service that has the verb template-update
LINK = "120000"
LARGE = 1 << 20  # bytes; a file above is not looked for where it may have gone


class UnknownOutcomeError(Exception):
    """It cannot be said what the update would do, for example since an answer is missing."""


def guard(service: Path, template: Path, version: str, answers_file: str, data: Mapping[str, Any]) -> str:
    """Look whether an update would lose something.

    Args:
        service: the root of the service, in its work tree.
        template: a clone of the template, with the new version checked out.
        version: the one that the service has.
        answers_file: its name.
        data: answers that the user gave.

    Returns:
        One line that names the files and says what to do; empty where nothing is lost.

    Raises:
        UnknownOutcomeError: a version cannot be rendered, or Copier would work on another repository.
        LeftAsideError: an update before did not end, and a person has to choose.
        GitError: git failed.
    """
    if led := [name for name in FOREIGN if name in os.environ and name != "GIT_PREFIX"]:
        raise UnknownOutcomeError(
            f"no file was written, since Copier makes its temporary repositories where {', '.join(led)} of the "
            f"environment says: run it without that, 'env -u {' -u '.join(led)} copier update ...'; if git complains "
            "about the index, 'git reset' repairs it"
        )
    uncommitted.refuse_leftovers(service)
    form = git.run(service, "rev-parse", "--show-object-format").decode().strip()
    ours = git.head(service)
    try:
        with rendering.both(service, template, version, answers_file, data) as (old, new):
            base, theirs = git.folder(old, form), git.folder(new, form)
            held = uncommitted.find(service, ours, {*base, *theirs})
            found = {**dict(_by_links(service, theirs)), **dict(_lost(service, old, new, base, ours, theirs)),
                     **dict(_overwritten(service, new, (base, ours, theirs), held, _seeded(template)))}  # fmt: skip
            moved = dict(_moved(service, old, base, ours, theirs))
    except GitError:
        raise
    except Exception as error:  # whatever a template's own code raises
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise UnknownOutcomeError(f"nothing was written: {reason}; give an answer with --data NAME=VALUE") from None
    if not found:
        uncommitted.keep(service, [*held, *sorted(set(uncommitted.rejects(service)) - set(held))])
        place = notes(service)
        inside.write(place.parent, place.name, json.dumps({"base": base, "theirs": theirs, "moved": moved}).encode())
        return ""
    listed = [f"{name} ({why})" for name, why in sorted(found.items())]
    more = f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
    own = "'make template-update' or " if any((service / one).exists() for one in UPDATES) else ""
    return (
        f"golden-path: nothing was written, since Copier would lose what you did to {', '.join(listed[:NAMED])}{more}: "
        f"run {own}'golden-path apply .', which keep it, or take your change back and put it in again afterwards"
    )


def notes(service: Path) -> Path:
    """Return where the guard leaves what the summary needs: in the git folder, so the work tree stays clean."""
    return service / git.of_service(service, NOTES)


def _by_links(service: Path, theirs: Tree) -> Iterator[tuple[str, str]]:
    """What Copier would write through a link of the work tree to a folder, committed or not: it follows them."""
    for path in sorted({parent for name in theirs for parent in Path(name).parents if parent.name}):
        if (service / path).is_symlink():
            yield path.as_posix(), "a link of yours, through which Copier would write"


def _lost(service: Path, old: Path, new: Path, base: Tree, ours: Tree, theirs: Tree) -> Iterator[tuple[str, str]]:
    gone, added = sorted(set(base) - set(theirs)), set(theirs) - set(base)
    for name in gone:
        if name in ours and ours[name] != base[name]:
            yield name, _where(name, old, new, added)
    folders = {parent.as_posix() for name in ours for parent in Path(name).parents}
    for name in sorted(set(theirs) & folders):
        yield name, "a folder of yours, a file of the template's"
    for name in sorted(added):
        for parent in Path(name).parents:
            if parent.as_posix() in ours and ours[parent.as_posix()] != base.get(parent.as_posix()):
                yield parent.as_posix(), "a file of yours, a folder of the template's"
    for name in sorted(set(ours) & set(theirs)):
        if ours[name] in (base.get(name), theirs[name]):
            continue
        kinds = {tree[name].mode == LINK for tree in (base, ours, theirs) if name in tree}
        if len(kinds) > 1 or (kinds == {True} and base.get(name) != theirs[name]):
            yield name, "a link"
            continue
        mine = git.run(service, "cat-file", "blob", ours[name].blob)
        others = [(folder / name).read_bytes() for folder, tree in ((old, base), (new, theirs)) if name in tree]
        if any(b"\0" in side for side in (mine, *others)):
            yield name, "no text"
        elif kinds == {False} and len({_windows(side) for side in (mine, *others)}) > 1:
            yield name, "other line ends"


def _overwritten(
    service: Path, new: Path, trees: tuple[Tree, Tree, Tree], held: list[str], seeded: PathSpec[Any]
) -> Iterator[tuple[str, str]]:
    """What no commit has, and Copier would write over; it takes the same for deleted, and fails on what it changes."""
    base, ours, theirs = trees
    for name in held:
        if not (service / name).is_symlink() and not (service / name).is_file():
            yield name, "no commit has it, and it is no regular file"
            continue
        as_it_is_now = name not in base and uncommitted.same(service / name, new / name)
        if name in theirs and base.get(name) != theirs[name] and not (as_it_is_now or seeded.match_file(name)):
            yield name, "no commit has it, and the template writes it"
    for name in sorted(theirs):
        if (service / name).is_dir() and not (service / name).is_symlink():
            yield name, "a folder of yours, a file of the template's"
        for parent in Path(name).parents:
            place = service / parent
            if parent.as_posix() not in base and place.is_file() and not place.is_symlink():
                yield parent.as_posix(), "a file of yours, a folder of the template's"
    for name in uncommitted.rejects(service):
        if name.startswith("../") or name.removesuffix(".rej") not in ours:
            yield name, "no commit has it, and Copier takes it for its own"


def _seeded(template: Path) -> PathSpec[Any]:
    """What Copier does not write where something stands; a pattern with variables in it is taken for no match."""
    file = next((one for name in ("copier.yml", "copier.yaml") if (one := template / name).is_file()), None)
    said = yaml.safe_load(file.read_text(encoding="utf-8")) if file else {}
    return PathSpec.from_lines("gitignore", said.get("_skip_if_exists") or [])


def _moved(service: Path, old: Path, base: Tree, ours: Tree, theirs: Tree) -> Iterator[tuple[str, str]]:
    """Where the service moved files that the template changes or gives up, by their old name."""
    added = set(ours) - set(base)
    for name in sorted(set(base) - set(ours)):
        best = _likest(old / name, service, added) if base[name] != theirs.get(name) else ""
        if best:
            yield name, best


def _windows(content: bytes) -> bool:
    return b"\r\n" in content


def _where(name: str, old: Path, new: Path, added: set[str]) -> str:
    best = _likest(old / name, new, added)
    return f"moved to {best}" if best else "removed"


def _likest(file: Path, folder: Path, names: set[str]) -> str:
    """Which of the files of a folder shares most of its lines with another file; nothing below one half."""
    lines, likeness = _lines(file), {}
    for name in sorted(names):
        now = _lines(folder / name)
        likeness[name] = len(lines & now) / (len(lines | now) or 1)
    best = max(likeness, key=lambda one: likeness[one], default="")
    return best if best and likeness[best] >= 0.5 else ""


@functools.cache
def _lines(file: Path) -> frozenset[bytes]:
    if file.is_symlink() or not file.is_file() or file.stat().st_size > LARGE:
        return frozenset()
    return frozenset(file.read_bytes().splitlines())
