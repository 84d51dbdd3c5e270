"""A single file of a commit, of bounded size, and only where it is a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from golden_path.errors import Exit, FleetError
from golden_path.rules import bounded
from golden_path.store import git, reader

_KINDS = {"040000": "a folder", "120000": "a link", "160000": "a submodule"}


class Listed(NamedTuple):
    """What a commit has at a name.

    Attributes:
        mode: git's.
        blob: the id of its content.
        size: in bytes; 0 of what is no file.
    """

    mode: str
    blob: str
    size: int


def root(repository: Path, commit: str) -> dict[str, Listed]:
    """Return what a commit has at its root, by name."""
    return dict(_listed(git.run("ls-tree", "-l", "-z", "--full-tree", commit, cwd=repository)))


def read(repository: Path, commit: str, name: str, code: Exit, *, largest: int = bounded.LARGEST) -> bytes | None:
    """Return the content of a file; None where the commit has none.

    Args:
        repository: with the commit.
        commit: of the repository.
        name: the file's path.
        code: the exit code where it cannot be used.
        largest: how many bytes it may have.

    Raises:
        FleetError: it is a folder, a link or a submodule, or too large.
    """
    listed = dict(_listed(git.run("ls-tree", "-l", "-z", "--full-tree", commit, "--", name, cwd=repository)))
    return content(repository, name, listed[name], code, largest=largest) if name in listed else None


def content(repository: Path, name: str, listed: Listed, code: Exit, *, largest: int = bounded.LARGEST) -> bytes:
    """Return the content of a file that was listed.

    Args:
        repository: that has it.
        name: the file's path.
        listed: what the commit has there.
        code: the exit code where it cannot be used.
        largest: how many bytes it may have.

    Raises:
        FleetError: it is a folder, a link or a submodule, or too large.
    """
    refuse(name, listed, code, largest=largest)
    return git.run("cat-file", "blob", listed.blob, cwd=repository)


def refuse(name: str, listed: Listed, code: Exit, *, largest: int = bounded.LARGEST) -> None:
    """Stop where what was listed cannot be used.

    Raises:
        FleetError: it is a folder, a link or a submodule, or too large.
    """
    if listed.mode in _KINDS:
        raise FleetError(f"{name} is {_KINDS[listed.mode]}: make it a file, and commit it", code)
    if listed.size > largest:
        raise FleetError(f"{name} has {listed.size} bytes, and may have {largest}: restore what was there before", code)


def names(reading: reader.Reader, commit: str) -> dict[str, Listed]:
    """Return what a commit has at its root, by name, as ``root`` does, but without sizes.

    Args:
        reading: of the repository.
        commit: its id.

    Raises:
        FleetError: git does not have it.
    """
    content = reading.read(f"{commit}^{{tree}}", b"tree")
    return {
        name.decode(errors="surrogateescape"): Listed(mode.decode().zfill(6), blob, 0)
        for mode, name, blob in reader.entries(content, len(commit) // 2)
    }


def bounded_content(
    reading: reader.Reader, name: str, listed: Listed, code: Exit, *, largest: int = bounded.LARGEST
) -> bytes:
    """Return the content of a file of ``names``; arguments and errors are those of ``content``."""
    refuse(name, listed, code, largest=largest)
    try:
        return reading.find(listed.blob, b"blob", largest)[1]
    except reader.LargeError as error:
        refuse(name, listed._replace(size=error.size), code, largest=largest)
        raise


def _listed(output: bytes) -> Iterator[tuple[str, Listed]]:
    for line in filter(None, output.split(b"\0")):
        facts, name = line.split(b"\t", 1)
        mode, _, blob, size = facts.decode().split()
        yield name.decode(errors="surrogateescape"), Listed(mode, blob, int(size) if size.isdigit() else 0)
