"""Starts a lab for the tests that need it, and ends it after its last user, however that ends.

Who uses a lab holds a shared lock, which the kernel releases with the process. What ran before the first user came is
written down: somebody started it by hand, and it stays up. The last user ends all the rest when it leaves; if it was
killed, the lab's keeper does (see ``keeper``).
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from tests.labs.leftovers import unmarked
from tests.labs.places import alone
from tests.labs.toolchains import ROOT


class StartedLab(ABC):
    """Programs that run for the tests; a context manager whose last user ends what was started for them."""

    def __init__(self) -> None:
        self._use: TextIO | None = None

    def __enter__(self) -> Self:
        self._hold()
        try:
            self.up()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    @contextmanager
    def holding(self) -> Iterator[None]:
        """End what somebody starts in a ``with`` statement when it, or this process, ends."""
        self._hold()
        try:
            yield
        finally:
            self._leave()

    def _hold(self) -> None:
        # Where it is being ended, this waits for that.
        self._use = self._lock(fcntl.LOCK_SH)
        try:
            if not all(self.status().values()):
                self._keep()
        except BaseException:
            self._leave()
            raise

    def _lock(self, how: int) -> TextIO:
        folder = self.folder()
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "users").open("w")
        fcntl.flock(file, how)
        return file

    @property
    def _before(self) -> Path:
        """The record of what ran before the first user came; there while something is to be ended."""
        return self.folder() / "before.json"

    def _keep(self) -> None:
        """Write down what runs now, unless another user has, and start the keeper unless there is one."""
        with alone(self.folder()):
            if not self._before.exists():
                partial = self._before.with_suffix(".partial")
                partial.write_text(json.dumps(self.status()), encoding="utf-8")
                partial.rename(self._before)
        kind = f"{type(self).__module__}:{type(self).__qualname__}"
        with (self.folder() / "keeper").open("w") as one, (self.folder() / "keeper.log").open("a") as log:
            try:
                fcntl.flock(one, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            # The lock goes over to it with the file. No signal of this session, as that of Ctrl-C, reaches it.
            keeper = subprocess.Popen(
                [sys.executable, "-m", "tests.labs.keeper", kind, str(one.fileno())],
                env={**unmarked(os.environ), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[one.fileno()],
                start_new_session=True,
            )  # fmt: skip
        keeper.returncode = 0  # nobody waits for it

    def _leave(self) -> None:
        held, self._use = self._use, None
        if held is None:
            return
        # One after the other: of two that leave at once, the second sees that it is the last.
        with held as use, (self.folder() / "leaving").open("w") as door:
            fcntl.flock(door, fcntl.LOCK_EX)
            fcntl.flock(use, fcntl.LOCK_UN)
            try:
                fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # Others use it, and this returns at once; or the keeper was faster, and this waits for it.
                fcntl.flock(use, fcntl.LOCK_SH)
            else:
                self._end()

    def _end(self) -> None:
        """End what was started for its users; whoever calls this holds the lock alone."""
        if not self._before.exists():
            return
        before = json.loads(self._before.read_text(encoding="utf-8"))
        if names := [name for name, what in self.status().items() if what and what != before.get(name)]:
            self.down(names)
        self._before.unlink()

    def end_after_all(self, keeper: int) -> None:
        """Wait until nobody uses it, and end what was started for its users.

        Args:
            keeper: the open file whose lock says that there is a keeper; closed before the next user can come.
        """
        with self._lock(fcntl.LOCK_EX):
            self._end()
            os.close(keeper)

    @contextmanager
    def by_hand(self) -> Iterator[None]:
        """Let what runs at the end of a ``with`` statement stay up, whoever started it."""
        with self._lock(fcntl.LOCK_SH):
            yield
            self._before.unlink(missing_ok=True)

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
