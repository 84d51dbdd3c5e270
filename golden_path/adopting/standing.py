"""What of a repository's own stands where the template would put a file."""

from __future__ import annotations

import unicodedata

from golden_path.store.trees import Tree, parents


class InTheWay:
    """What of theirs stands where a new file would go, also where a file system does not tell the names apart."""

    def __init__(self, ours: Tree) -> None:
        self._files = {_folded(path): path for path in ours}
        self._folders = {
            _folded(parent): parent for path in ours for parent in parents(path)
        }  # fmt: skip

    def __call__(self, path: str) -> str:
        for parent in parents(path):
            if _folded(parent) in self._files:
                return self._files[_folded(parent)]
        folded = _folded(path)
        return self._files.get(folded) or self._folders.get(folded) or ""


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()
