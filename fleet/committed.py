"""A single file of a commit, of bounded size, and only where it is a file."""

from __future__ import annotations

from pathlib import Path

from fleet import bounded, git
from fleet.errors import Exit, FleetError

_KINDS = {"040000": "a folder", "120000": "a link", "160000": "a submodule"}


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
    listed = git.run("ls-tree", "-l", "-z", "--full-tree", commit, "--", name, cwd=repository)
    if not listed:
        return None
    mode, _, blob, size = listed.split(b"\t", 1)[0].decode().split()
    if mode in _KINDS:
        raise FleetError(f"{name} is {_KINDS[mode]}: make it a file, and commit it", code)
    if int(size) > largest:
        raise FleetError(f"{name} has {int(size)} bytes, and may have {largest}: restore what was there before", code)
    return git.run("cat-file", "blob", blob, cwd=repository)
