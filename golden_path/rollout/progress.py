"""A progress bar on standard error, where that is a terminal."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Self

from golden_path.untrusted import foreign

WIDTH = 30
EVERY = 0.1  # seconds between two drawings


class Progress:
    """A bar for so many things.

    Args:
        title: what is done.
        total: how many.
    """

    def __init__(self, title: str, total: int) -> None:
        self._title = title
        self._total = total
        self._done = 0
        self._drawn = 0.0
        self._lock = threading.Lock()
        self._shown = total > 1 and sys.stderr.isatty()

    def __enter__(self) -> Self:
        self._draw("")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def step(self, name: str) -> None:
        """One more is done."""
        with self._lock:
            self._done += 1
            if time.monotonic() - self._drawn > EVERY or self._done == self._total:
                self._draw(name)

    def _draw(self, name: str) -> None:
        if not self._shown:
            return
        full = WIDTH * self._done // self._total if self._total else WIDTH
        bar = "#" * full + "." * (WIDTH - full)
        sys.stderr.write(f"\r\x1b[K{self._title} [{bar}] {self._done}/{self._total} {foreign.line(name)}"[:120])
        sys.stderr.flush()
        self._drawn = time.monotonic()
