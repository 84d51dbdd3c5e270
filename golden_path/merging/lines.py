"""Merging the lines of one file, where git found a conflict."""

from __future__ import annotations

from typing import NamedTuple

from golden_path.store import git
from golden_path.store.trees import Store


class Lines(NamedTuple):
    """Two answers to one conflict; they are the same where there is none after all.

    Attributes:
        ours: merged, with the service's lines where both sides changed them.
        theirs: merged, with the template's lines there.
    """

    ours: bytes
    theirs: bytes


def merge(store: Store, base: bytes, ours: bytes, theirs: bytes) -> Lines | None:
    """Merge line by line; line ends that one side changed throughout are no conflict.

    Args:
        store: in whose folder to work.
        base: before both changes.
        ours: the service's.
        theirs: the template's.

    Returns:
        Both answers, or None where a file is no text.
    """
    if any(b"\0" in side for side in (base, ours, theirs)):
        return None
    ending = end(theirs) if end(ours) == end(base) else end(ours)
    for name, side in (("base", base), ("ours", ours), ("theirs", theirs)):
        (store.folder / name).write_bytes(side.replace(b"\r\n", b"\n") if ending else side)
    try:
        merged = [
            git.run("merge-file", "-p", f"--{side}", "ours", "base", "theirs", cwd=store.folder)
            for side in ("ours", "theirs")
        ]
    except git.GitError:
        return None
    return Lines(*(side.replace(b"\n", ending) if ending else side for side in merged))


def end(content: bytes) -> bytes:
    """Return how all lines of a text end; empty where they differ, or where there are none."""
    if b"\n" not in content:
        return b""
    windows = content.count(b"\r\n")
    if windows == content.count(b"\n"):
        return b"\r\n"
    return b"" if windows else b"\n"
