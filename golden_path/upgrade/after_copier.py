"""After plain ``copier update``: what changed, what a person has to decide, and what comes next.

What Copier does without a word is said here, and taken back where that is right: a file that the person had deleted
stays deleted, and a lock that it marked is the person's again.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from golden_path.merging.locks import is_lock
from golden_path.store import aside, work_tree
from golden_path.store.trees import Entry, Tree
from golden_path.untrusted import inside
from golden_path.upgrade import before_copier

MARKS = re.compile(rb"^(<<<<<<< before updating|>>>>>>> after updating)", re.MULTILINE)


@dataclass
class Told:
    """What to say, in lines.

    Attributes:
        done: what changed.
        decide: what a person has to do, a file a line.
        next: the commands that come next.
    """

    done: list[str] = field(default_factory=list)
    decide: list[str] = field(default_factory=list)
    next: list[str] = field(default_factory=list)


def summary(service: Path) -> Told:
    """Look at the work tree that Copier left.

    Args:
        service: the root of the service.

    Raises:
        GitError: git failed.
    """
    told = Told()
    ours = work_tree.committed(service)
    base, theirs, moved = _notes(service)
    back = dict(aside.put_back(service))
    for name, kept in sorted(back.items()):
        if kept:
            told.decide.append(f"  DECIDE    {name}: no commit has yours, and it cannot be put back; it is {kept}")
        elif name in base and name not in theirs:
            told.done.append(f"  yours     {name}: the template removes it, and no commit has it, so it stays")
    locks = list(_locks_back(service))
    for name, place in moved.items():
        what = "changed" if name in theirs else "removed"
        told.decide.append(f"  DECIDE    {name}: the template {what} it; yours is {place} now")
    for name in sorted((set(base) & set(theirs)) - set(ours)):
        if name in back:
            continue
        if inside.is_file(service, name):
            inside.remove(service, name)
            told.done.append(f"  deleted   {name}: you had deleted it, so it stays away")
        elif base[name] != theirs[name] and name not in moved:
            told.done.append(f"  deleted   {name}: the template changed it, and you had deleted it, so it stays away")
    told.decide += [f"  LOCK      {name}: yours stays, since locks are not merged; run 'make lock'" for name in locks]
    marked = sorted(_marked(service))
    told.decide += [f"  CONFLICT  {name}: choose between the lines that are marked in it" for name in marked]
    rejected = [name for name in _untracked(service) if name.endswith(".rej")]
    told.decide += [f"  CONFLICT  {name[:-4]}: what did not arrive is in {name}" for name in rejected]
    changes = work_tree.names(service, "diff", "--relative", "--name-status", "--no-renames", "-z", "HEAD", "--", ".")
    for status, name in zip(changes[::2], changes[1::2], strict=True):
        edited = name in ours and name in base and ours[name] != base[name]
        if status == "D" and edited:
            told.decide.append(f"  LOST      {name}: you had changed it; 'git show HEAD:./{name}' still has it")
    if "Makefile" in ours and not locks and _manifest_changed(changes[1::2]):
        told.next.append("  next      make lock, since a manifest changed")
    new = [name for name in _untracked(service) if not name.endswith(".rej")]
    gone = sum(status == "D" for status in changes[::2])
    count = f"{len(changes) // 2 - gone} changed, {len(new)} new, {gone} removed"
    told.done.insert(0, f"  template  {os.environ.get('VERSION_FROM')} -> {os.environ.get('VERSION_TO')}: {count}")
    told.done.append("  nothing is committed; back again: git reset --hard && git clean -fd")
    check = ", make check" if "Makefile" in ours else ""
    first = "decide what is listed above, then " if told.decide else ""
    told.next.append(f"  next      {first}git diff{check}, and commit")
    return told


def _notes(service: Path) -> tuple[Tree, Tree, dict[str, str]]:
    """What the guard kept, which is not needed any more."""
    path = before_copier.notes(service)
    try:
        kept = json.loads(inside.read(path.parent, path.name))
        inside.remove(path.parent, path.name)
    except (OSError, ValueError):
        return {}, {}, {}
    base, theirs = ({name: Entry(*entry) for name, entry in kept[side].items()} for side in ("base", "theirs"))
    return base, theirs, kept["moved"]


def _locks_back(service: Path) -> Iterator[str]:
    for name in sorted(_marked(service)):
        if is_lock(name, lambda name=name: work_tree.run(service, "cat-file", "blob", f"HEAD:./{name}")):  # type: ignore[misc]
            work_tree.run(service, "checkout", "--quiet", "HEAD", "--", name)
            yield name


def _marked(service: Path) -> set[str]:
    """Files that git holds for unmerged, and others with Copier's marks."""
    found = set(work_tree.names(service, "diff", "--relative", "--name-only", "--diff-filter=U", "-z"))
    for name in [
        *work_tree.names(service, "diff", "--relative", "--name-only", "-z", "HEAD", "--", "."),
        *_untracked(service),
    ]:
        if inside.is_file(service, name) and MARKS.search((service / name).read_bytes()):
            found.add(name)
    return found


def _untracked(service: Path) -> list[str]:
    return work_tree.names(service, "ls-files", "--others", "--exclude-standard", "-z")


def _manifest_changed(names: list[str]) -> bool:
    manifests = {"go.mod", "pom.xml", "package.json", "pyproject.toml"}
    return bool(manifests & {Path(name).name for name in names})
