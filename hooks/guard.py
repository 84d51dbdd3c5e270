"""Before an update: find what plain Copier would lose, and remember what the summary needs.

Copier applies the difference that a person made to the new rendering with ``git apply``. That cannot follow a file that
the template moves or gives up, and it drops binary files, links and changed line ends without a word.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fleet import inside
from hooks import git, rendering
from hooks.git import Tree

NOTES = "golden-path-update.json"
NAMED = 12
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
        UnknownOutcomeError: a version cannot be rendered.
        GitError: git failed.
    """
    form = git.run(service, "rev-parse", "--show-object-format").decode().strip()
    ours = git.head(service)
    try:
        with rendering.both(service, template, version, answers_file, data) as (old, new):
            base, theirs = git.folder(old, form), git.folder(new, form)
            found = dict(_by_links(service, ours, theirs))
            found |= dict(_lost(service, old, new, base, ours, theirs))
            moved = dict(_moved(service, old, base, ours, theirs))
    except git.GitError:
        raise
    except Exception as error:  # whatever a template's own code raises
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise UnknownOutcomeError(f"nothing was written: {reason}; give an answer with --data NAME=VALUE") from None
    if not found:
        place = notes(service)
        inside.write(place.parent, place.name, json.dumps({"base": base, "theirs": theirs, "moved": moved}).encode())
        return ""
    listed = [f"{name} ({why})" for name, why in sorted(found.items())]
    more = f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
    own = "'make template-update' or " if (service / "make" / "template").is_dir() else ""
    return (
        f"golden-path: nothing was written, since Copier would lose what you did to {', '.join(listed[:NAMED])}{more}: "
        f"run {own}'golden-path apply .', which keep it, or take your change back and put it in again afterwards"
    )


def notes(service: Path) -> Path:
    """Return where the guard leaves what the summary needs: in the git folder, so the work tree stays clean."""
    return service / git.run(service, "rev-parse", "--git-path", NOTES).decode().strip()


def _by_links(service: Path, ours: Tree, theirs: Tree) -> Iterator[tuple[str, str]]:
    """What Copier would write through a link of the work tree, committed or not: it follows them."""
    links = {}
    for name, entry in theirs.items():
        own = [] if entry.mode == LINK or name in ours else [Path(name)]
        for path in (*own, *Path(name).parents):
            if path.name and path not in links:
                links[path] = (service / path).is_symlink()
            if links.get(path):
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
