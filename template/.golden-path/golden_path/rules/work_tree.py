"""The files of a folder, as they are now: what git knows or would add; without git, all but what is built."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

from golden_path.rules.files import LARGEST, Files

_BUILT = {".git", ".tools", ".venv", "node_modules", "target", "build", "__pycache__", ".mypy_cache", ".ruff_cache"}


class WorkTree(Files):
    """A folder.

    Args:
        root: its path.
    """

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root
        names = _known(root) or _walked(root)
        self.paths = sorted(name for name in names if _file(root / name))

    def content(self, path: str) -> bytes | None:
        """Return a file's content; None if it is missing, a link, or larger than ``LARGEST``."""
        place = self.root / path
        try:
            status = place.lstat()
            if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
                return None
            return place.read_bytes()
        except OSError:
            return None


def _file(place: Path) -> bool:
    return place.is_symlink() or place.is_file()


def _known(root: Path) -> list[str]:
    """What git knows; nothing if it cannot say, or if the folder is one that git ignores."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, check=False)
    except OSError:
        return []
    names = os.fsdecode(done.stdout).split("\0") if done.returncode == 0 else []
    return [name for name in dict.fromkeys(names) if name]


def _walked(root: Path) -> Iterator[str]:
    for place, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _BUILT]
        for name in names:
            yield (Path(place) / name).relative_to(root).as_posix()
