"""What the tests of a suite really read of the checkout: a file that no suite declares would make its stamps wrong.

Programs that a test starts are not seen; what they read stands in ``Suite.reads``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# Raised with sys.audit: that a service is rendered, with its language; that the template as a whole is copied.
RENDERED = "golden-path.rendered"
COPYING = "golden-path.copying"
# Made by tools; no test depends on what is in them.
_MADE = ("build/", ".git/", ".venv/", ".pytest_cache/", ".mypy_cache/", ".ruff_cache/")


class Observer:
    """Notes which files below a folder are opened, and which languages rendered, while a test runs.

    Attributes:
        opened: the files, relative to the folder.
        rendered: the languages.
    """

    def __init__(self, root: Path) -> None:
        """Start to look; an audit hook cannot be taken away again.

        Args:
            root: the folder.
        """
        self._root = f"{root}{os.sep}"
        self._looking = False
        self._copying = False
        self.opened: set[str] = set()
        self.rendered: set[str] = set()
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._looking:
            return
        if event == "open" and not self._copying:
            path, mode = arguments[:2]
            if isinstance(path, str) and (mode is None or "r" in mode):
                whole = path if path.startswith(os.sep) else os.path.abspath(path)  # noqa: PTH100 - thousands of calls
                if whole.startswith(self._root):
                    self.opened.add(whole[len(self._root) :])
        elif event == RENDERED:
            self.rendered.add(arguments[0])
        elif event == COPYING:
            self._copying = arguments[0]

    def start(self) -> None:
        """Forget what was seen, and look."""
        self.opened.clear()
        self.rendered.clear()
        self._looking = True

    def stop(self) -> None:
        """Look no longer."""
        self._looking = False

    def undeclared(self, declared: Iterable[str], known: Iterable[str]) -> set[str]:
        """Return the files that were opened and not declared.

        Args:
            declared: the inputs of the test.
            known: the files of the checkout: others are made by the tests.
        """
        read = {name for name in self.opened if not name.startswith(_MADE) and "__pycache__" not in name}
        return (read & set(known)) - set(declared)
