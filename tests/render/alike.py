"""Whether two folders hold the same: names, kinds, modes and content."""

from __future__ import annotations

from pathlib import Path


def whole(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return mode and content (of a link where it goes, of a folder none) of all that is in a folder, by path."""
    found = {}
    for path in folder.rglob("*"):
        content = str(path.readlink()).encode() if path.is_symlink() else b"" if path.is_dir() else path.read_bytes()
        found[str(path.relative_to(folder))] = (path.lstat().st_mode, content)
    return found
