"""Files below a folder whose content somebody else decided: no link leads out of it, for reading or for writing.

The folder is opened once and every part of a path is opened from the one before, so a link that stands there, or that
is put there meanwhile, is refused. What is written has a fresh name first, and takes its place in one step.
Needs the standard library only, since the hooks of services use it too.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

LARGEST = 1 << 26  # bytes of a file that is read; sources are far below
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class OutsideError(OSError):
    """A path leads out of the folder, or to what is no regular file.

    Args:
        name: the path.
        reason: why it is refused.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(errno.EPERM, reason, name)


def read(root: Path, name: str, *, largest: int = LARGEST) -> bytes:
    """Return the content of a regular file.

    Args:
        root: the folder.
        name: the file's path in it.
        largest: how many bytes it may have.

    Raises:
        OutsideError: a part of the path is a link, it is no regular file, or it is too large.
        OSError: it cannot be read, for example since it is not there.
    """
    with _parent(root, name) as (folder, last), _regular(folder, last, name) as handle:
        if os.fstat(handle).st_size > largest:
            raise OutsideError(name, f"is larger than {largest} bytes")
        with os.fdopen(os.dup(handle), "rb") as stream:
            content = stream.read(largest + 1)
    if len(content) > largest:
        raise OutsideError(name, f"is larger than {largest} bytes")
    return content


def linked(root: Path, name: str, *, largest: int = LARGEST) -> bytes:
    """Return the content of a regular file, also by links that stay in the folder.

    Args:
        root: the folder, which nobody changes meanwhile.
        name: the file's path in it.
        largest: how many bytes it may have.

    Raises:
        OutsideError: it leads out of the folder or to its git folder, or it is no regular file.
        OSError: it cannot be read, for example since it is not there.
    """
    try:
        real, top = (root / name).resolve(strict=True), root.resolve(strict=True)
    except RuntimeError:  # links in a circle
        raise OutsideError(name, "is a link that leads nowhere") from None
    if not real.is_relative_to(top):
        raise OutsideError(name, "is a link that leads out of the folder")
    return read(top, real.relative_to(top).as_posix(), largest=largest)


def is_file(root: Path, name: str) -> bool:
    """Whether a path is a regular file that no link leads to."""
    try:
        with _parent(root, name) as (folder, last):
            return stat.S_ISREG(os.stat(last, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        return False


def by_link(root: Path, name: str) -> bool:
    """Whether a part of a path, or what it names, is a link."""
    path = root
    for part in PurePosixPath(name).parts:
        path = path / part
        if path.is_symlink():
            return True
    return False


def write(root: Path, name: str, content: bytes, *, mode: int | None = None) -> None:
    """Write a file; whoever interrupts this leaves the old one or the new one.

    Args:
        root: the folder.
        name: the file's path in it; its folder must be there.
        content: all of it.
        mode: its permissions; as the file has them, or those of a new file.

    Raises:
        OutsideError: a part of the path is a link, or something else than a regular file stands there.
        OSError: it cannot be written.
    """
    with _parent(root, name) as (folder, last):
        with contextlib.suppress(FileNotFoundError):
            facts = os.stat(last, dir_fd=folder, follow_symlinks=False)
            if not stat.S_ISREG(facts.st_mode):
                raise OutsideError(name, _what(facts.st_mode))
            mode = stat.S_IMODE(facts.st_mode) & 0o777 if mode is None else mode
        fresh = f".golden-path-{secrets.token_hex(8)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(fresh, flags, 0o666 if mode is None else mode, dir_fd=folder)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                if mode is not None:
                    os.fchmod(stream.fileno(), mode)
            os.rename(fresh, last, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(fresh, dir_fd=folder)
            raise


def remove(root: Path, name: str) -> None:
    """Remove a regular file.

    Raises:
        OutsideError: a part of the path is a link, or it is no regular file.
        OSError: it cannot be removed.
    """
    with _parent(root, name) as (folder, last):
        facts = os.stat(last, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISREG(facts.st_mode):
            raise OutsideError(name, _what(facts.st_mode))
        os.unlink(last, dir_fd=folder)


def found(root: Path, *patterns: str) -> list[str]:
    """Return the regular files that match patterns as of ``Path.glob`` and that no link leads to, sorted."""
    names = {path.relative_to(root).as_posix() for pattern in patterns for path in root.glob(pattern)}
    return sorted(name for name in names if is_file(root, name))


def report(file: Path, content: str) -> None:
    """Write a file that the user named; in a work tree, which may be somebody else's, no link leads out of it.

    Raises:
        OSError: it cannot be written.
    """
    absolute = Path(os.path.abspath(file))  # noqa: PTH100 - links are not followed yet
    work_tree = next((one for one in absolute.parents if os.path.lexists(one / ".git")), None)
    if work_tree is None:
        file.write_text(content, encoding="utf-8")
    else:
        write(work_tree, absolute.relative_to(work_tree).as_posix(), content.encode())


@contextlib.contextmanager
def _parent(root: Path, name: str) -> Iterator[tuple[int, str]]:
    """Open the folder that a path is in; yields it with the path's last part."""
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\0" in name:
        raise OutsideError(name, "is no path in the folder")
    if any(part.lower() == ".git" for part in parts):
        raise OutsideError(name, "is in a git folder")
    *folders, last = parts
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in folders:
            try:
                inner = os.open(part, _FOLDER, dir_fd=handle)
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENOTDIR):
                    raise OutsideError(name, "has a link, or a file, in its path") from None
                raise
            os.close(handle)
            handle = inner
        yield handle, last
    finally:
        os.close(handle)


@contextlib.contextmanager
def _regular(folder: int, last: str, name: str) -> Iterator[int]:
    try:  # a pipe without a writer must not hold us up
        handle = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OutsideError(name, "is a link") from None
        raise
    try:
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode):
            raise OutsideError(name, _what(mode))
        yield handle
    finally:
        os.close(handle)


def _what(mode: int) -> str:
    return "is a link" if stat.S_ISLNK(mode) else "is a folder" if stat.S_ISDIR(mode) else "is no regular file"
