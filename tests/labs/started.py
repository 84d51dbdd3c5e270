"""What a lab is to a test: it runs while it is needed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from types import TracebackType
from typing import Self


class StartedLab(ABC):
    """Programs that run for the tests; a context manager that ends only what it started."""

    def __init__(self) -> None:
        self._started: list[str] = []

    def __enter__(self) -> Self:
        self._started = self.up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down(self._started)

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
