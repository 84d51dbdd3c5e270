"""Files of the work tree that no commit has: git ignores them, or was told not to look at them.

Copier looks at commits only. It takes such a file for one that the person had deleted, and removes it or writes over
it.
"""

from __future__ import annotations

import contextlib
import filecmp
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from golden_path.store import work_tree
from golden_path.store.trees import Tree

FOLDER, NAMES = "golden-path-uncommitted", "names.json"
UNWATCHED = "hS"  # of 'git ls-files -v': assume-unchanged, and skip-worktree


class LeftAsideError(Exception):
    """An update that did not end has left something aside that is not in the work tree."""


def find(service: Path, ours: Tree, names: Iterable[str]) -> list[str]:
    """Return those of the names at which something stands in the work tree that no commit has.

    Args:
        service: the root of the service.
        ours: what its last commit holds.
        names: paths, for example those that two versions of the template write.

    Raises:
        GitError: git failed.
    """
    unwatched = set(_unwatched(service))
    return sorted(name for name in names if _no_folder(service / name) and (
        name not in ours or (name in unwatched and work_tree.entry(service, name) != ours[name])
    ))  # fmt: skip


def _unwatched(service: Path) -> Iterator[str]:
    for line in work_tree.names(service, "ls-files", "-v", "-z"):
        if line[0] in UNWATCHED:
            yield line[2:]


def rejects(service: Path) -> list[str]:
    """Return the ``.rej`` files that no commit has; Copier takes every one of the repository for its own."""
    return work_tree.names(service, "ls-files", "--others", "-z", "--", ":(top)*.rej")


def keep(service: Path, names: Iterable[str]) -> None:
    """Copy files to the git folder, for ``put_back``.

    Args:
        service: the root of the service.
        names: files or links.

    Raises:
        LeftAsideError: one cannot be copied; nothing is kept then.
    """
    listed = list(names)
    if not listed:
        return
    place = folder(service)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f"{FOLDER}-") as outer:
        staged = Path(outer, FOLDER)
        staged.mkdir()
        for number, name in enumerate(listed):
            try:
                shutil.copy2(service / name, staged / str(number), follow_symlinks=False)
            except OSError as error:
                raise LeftAsideError(
                    f"nothing was written, since {name}, which no commit has, cannot be kept aside meanwhile: "
                    f"{error.strerror or error}"
                ) from None
        (staged / NAMES).write_text(json.dumps(listed), encoding="utf-8")
        staged.replace(place)  # all of it, or nothing


def put_back(service: Path) -> Iterator[tuple[str, Path | None]]:
    """Let what ``keep`` has copied stand as it stood, and forget the copies.

    Args:
        service: the root of the service.

    Yields:
        The name of each, and None; where it cannot be put back, where it is kept, which stays.
    """
    stays = False
    for name, kept in _kept(service):
        there = same(service / name, kept)
        if not there and _clear(service, name):
            with contextlib.suppress(OSError):  # the disk is full, for example; the others are put back all the same
                _restore(kept, service / name)
                there = True
        stays = stays or not there
        yield name, None if there else kept
    if not stays:
        _forget(service)


def refuse_leftovers(service: Path) -> None:
    """Put back what an update has left aside that was interrupted, where nothing stands there.

    Raises:
        LeftAsideError: something else stands there, so that a person has to choose.
    """
    chosen = []
    for name, kept in _kept(service):
        if not os.path.lexists(service / name) and _clear(service, name):
            _restore(kept, service / name)
        elif not same(service / name, kept):
            chosen.append(f"{name} ({kept})")
    if chosen:
        raise LeftAsideError(
            "an update was interrupted, and kept what no commit has aside: choose between what stands in "
            f"{', '.join(chosen)} and what is in brackets, then remove {folder(service)}"
        )
    _forget(service)


def folder(service: Path) -> Path:
    """Return where copies are kept: in the git folder, so the work tree stays clean; a service of several its own."""
    return service / work_tree.of_service(service, FOLDER)


def _forget(service: Path) -> None:
    """Remove the copies; whoever interrupts this leaves all of them or none."""
    place = folder(service)
    if place.is_dir():
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=f"{FOLDER}-", ignore_cleanup_errors=True) as outer:
            place.replace(Path(outer, FOLDER))


def _no_folder(path: Path) -> bool:
    return os.path.lexists(path) and (path.is_symlink() or not path.is_dir())


def _kept(service: Path) -> Iterator[tuple[str, Path]]:
    place = folder(service)
    if (place / NAMES).is_file():
        for number, name in enumerate(json.loads((place / NAMES).read_text(encoding="utf-8"))):
            yield name, place / str(number)


def same(one: Path, other: Path) -> bool:
    """Whether two paths hold the same: a link to the same place, or a file of the same bytes and mode."""
    if not (os.path.lexists(one) and os.path.lexists(other)) or one.is_symlink() != other.is_symlink():
        return False
    if one.is_symlink():
        return one.readlink() == other.readlink()
    if not one.is_file() or not other.is_file() or one.stat().st_mode != other.stat().st_mode:
        return False
    return filecmp.cmp(one, other, shallow=False)


def _clear(service: Path, name: str) -> bool:
    """Whether a file can be written at a name: no folder stands there, and no file or link above it."""
    above = [service / parent for parent in Path(name).parents if parent != Path()]
    in_the_way = any(one.is_symlink() or (one.exists() and not one.is_dir()) for one in above)
    return not in_the_way and ((service / name).is_symlink() or not (service / name).is_dir())


def _restore(kept: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".golden-path-") as staged:
        fresh = Path(staged, "file")
        shutil.copy2(kept, fresh, follow_symlinks=False)
        fresh.replace(target)
