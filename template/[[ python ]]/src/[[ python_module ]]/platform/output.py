"""Standard output, written from a thread of its own, so that nobody waits for who reads it."""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress

# What waits to be written; about four thousand lines.
_MAX_PENDING = 1 << 20
# Under load, waking the thread for each line costs more than all else that is done for it.
_GATHER_SECONDS = 0.01


class Output:
    """A reader may be slow, have stopped, or be gone. What does not fit is lost, in whole lines, and counted.

    Lines that come within a hundredth of a second are written together.
    """

    def __init__(self, descriptor: int, on_loss: Callable[[int], None]) -> None:
        """`on_loss` is called with the number of lines that were lost, once there is room again."""
        self._descriptor = descriptor
        self._on_loss = on_loss
        self._changed = threading.Condition()
        self._pending = bytearray()
        self._lost = 0
        self._writing = False
        threading.Thread(target=self._run, name="output", daemon=True).start()

    def write(self, line: str) -> None:
        """Take one line. It never waits for the reader and never fails."""
        data = line.encode("utf-8", "backslashreplace")
        with self._changed:
            if len(self._pending) + len(data) > _MAX_PENDING:
                self._lost += 1
            else:
                self._pending += data
                self._changed.notify_all()

    def flush(self) -> None:
        """What a file has: lines are written on their own."""

    def finish(self, seconds: float) -> None:
        """Wait until all is written, for so long at most."""
        with self._changed:
            self._changed.wait_for(lambda: not self._writing and not self._pending, seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._writing = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._pending)
            time.sleep(_GATHER_SECONDS)
            with self._changed:
                data, self._pending = self._pending, bytearray()
                lost, self._lost = self._lost, 0
                self._writing = True
            if lost:
                self._on_loss(lost)
            self._write(data)

    def _write(self, data: bytearray) -> None:
        with suppress(OSError):  # where nobody can be told that it failed
            while data:
                del data[: os.write(self._descriptor, data)]
