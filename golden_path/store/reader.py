"""One ``git cat-file`` for all contents that are read from a repository."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from golden_path.errors import Exit, FleetError

LIMIT = 300  # seconds for one content


class MissingError(FleetError):
    """A repository does not have an object."""


class LargeError(FleetError):
    """An object is larger than whoever asks for it wants.

    Args:
        name: what was asked for.
        size: in bytes.
    """

    def __init__(self, name: str, size: int) -> None:
        super().__init__(f"{name} has {size} bytes", Exit.FAILED)
        self.size = size


def entries(content: bytes, length: int) -> Iterator[tuple[bytes, bytes, str]]:
    """Yield mode, name and id of what is in a folder.

    Args:
        content: of git's tree.
        length: how many bytes an id has.
    """
    at = 0
    while at < len(content):
        space, end = content.index(b" ", at), content.index(b"\0", at)
        mode, name = content[at:space], content[space + 1 : end]
        at = end + 1 + length
        yield mode, name, content[end + 1 : at].hex()


class Reader:
    """A process of git that is started with the context, and ends with it.

    Args:
        folder: where it runs.
        env: its environment, which says where the repository is.
    """

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._folder, self._env = folder, env
        self._start()

    def _start(self) -> None:
        command = ["git", "cat-file", "--batch"]
        self._process = subprocess.Popen(  # noqa: S603 - git
            command, cwd=self._folder, env=self._env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self._read_already = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        self._process.kill()
        with contextlib.suppress(BrokenPipeError), self._process:  # closes its pipes, and waits
            pass

    def read(self, name: str, kind: bytes) -> bytes:
        """Return the content of an object.

        Args:
            name: its id, or what git understands as one.
            kind: ``blob`` or ``tree``.

        Raises:
            FleetError: git does not have it, or does not answer.
        """
        return self.find(name, kind)[1]

    def find(self, name: str, kind: bytes, largest: int | None = None) -> tuple[str, bytes]:
        """Return the id and the content of an object.

        Args:
            name: its id, or what git understands as one.
            kind: ``blob``, ``tree`` or ``commit``.
            largest: how many bytes it may have; None for any number.

        Raises:
            MissingError: git does not have it.
            LargeError: it is larger.
            FleetError: git does not answer.
        """
        to = self._process.stdin
        if to is None:
            raise FleetError("git has no pipes")
        missing = MissingError(f"the trees cannot be computed: git does not have {name}", Exit.FAILED)
        if "\n" in name:
            raise missing
        try:
            to.write(f"{name}\n".encode())
            to.flush()
        except BrokenPipeError:
            raise FleetError("the trees cannot be computed: git ended", Exit.FAILED) from None
        while b"\n" not in self._read_already:
            self._more()
        first, self._read_already = self._read_already.split(b"\n", 1)
        head = first.split()
        if len(head) != 3 or not head[2].isdigit():
            raise missing
        size = int(head[2])
        if largest is not None and size > largest:
            self._end()
            self._start()
            raise LargeError(name, size)
        parts, length = [self._read_already], len(self._read_already)
        while length <= size:  # and the end of a line
            self._read_already = b""
            self._more()
            parts.append(self._read_already)
            length += len(parts[-1])
        whole = b"".join(parts)
        self._read_already = whole[size + 1 :]
        if head[1] != kind:  # what it has is read nevertheless: the next answer comes behind it
            raise missing
        return head[0].decode(), whole[:size]

    def _more(self) -> None:
        back = self._process.stdout
        if back is None:
            raise FleetError("git has no pipes")
        ready, _, _ = select.select([back], [], [], LIMIT)
        found = os.read(back.fileno(), 1 << 16) if ready else b""
        if not found:
            raise FleetError("the trees cannot be computed: git ended, or does not answer", Exit.FAILED)
        self._read_already += found
