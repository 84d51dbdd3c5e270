"""What a lab is to a test: it runs while it is needed."""

from __future__ import annotations

import fcntl
from abc import ABC, abstractmethod
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO


class StartedLab(ABC):
    """Programs that run for the tests; a context manager that ends only what it started, after its last user."""

    def __init__(self) -> None:
        self._started: list[str] = []
        self._use: TextIO | None = None

    def __enter__(self) -> Self:
        folder = self.folder()
        folder.mkdir(parents=True, exist_ok=True)
        use = (folder / "users").open("w")
        try:
            fcntl.flock(use, fcntl.LOCK_SH)
            self._started = self.up()
        except BaseException:
            use.close()
            raise
        self._use = use
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._use is None:
            return
        with self._use as use:
            if self._started:
                # Tests that run side by side share the lab: who started it waits for the others.
                fcntl.flock(use, fcntl.LOCK_EX)
                self.down(self._started)

    @staticmethod
    @abstractmethod
    def folder() -> Path:
        """Return the folder of all that outlives the lab's ``down``."""

    @abstractmethod
    def status(self) -> dict[str, str]:
        """Return of each part what runs, for example ``process 7``; empty where it does not run."""

    @abstractmethod
    def up(self) -> list[str]:
        """Start what does not run; return what it started."""

    @abstractmethod
    def down(self, names: Collection[str] | None = None) -> None:
        """End what runs.

        Args:
            names: what to end, as ``up`` returned it; everything by default.
        """
