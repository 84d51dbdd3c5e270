"""What is rendered, as git keeps it: each content is hashed and packed once, and goes to git's objects at once."""

from __future__ import annotations

import hashlib
import os
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from golden_path.rendering.names import NotPlainError

# With one of these in .gitattributes, git may keep other bytes than a file has.
CHANGING = re.compile(rb"\b(?:filter|ident|working-tree-encoding|encoding)\b")
LINE_ENDS = re.compile(rb"\b(?:text|eol|crlf)\b")
_HASHES: dict[str, Callable[[bytes], Any]] = {"sha1": hashlib.sha1, "sha256": hashlib.sha256}


class Content:
    """The bytes of a file, and what git makes of them, each computed once.

    Args:
        data: the bytes.
        shared: whether services have the same, as far as is known.

    Attributes:
        data: the bytes.
        shared: the same.
    """

    def __init__(self, data: bytes, *, shared: bool = False) -> None:
        self.data, self.shared = data, shared
        self.stored = ""  # the object folder of the service that has it, before others had the same
        self._keys: dict[str, str] = {}
        self._packed = b""

    def key(self, form: str) -> str:
        """Return git's id.

        Args:
            form: ``sha1`` or ``sha256``.
        """
        if form not in self._keys:
            self._keys[form] = _HASHES[form](b"blob %d\0" % len(self.data) + self.data).hexdigest()
        return self._keys[form]

    def packed(self) -> bytes:
        """Return the bytes of git's loose object."""
        self._packed = self._packed or zlib.compress(b"blob %d\0" % len(self.data) + self.data, 1)
        return self._packed


@dataclass
class Sink:
    """Where a rendering goes.

    Attributes:
        objects: an object folder of git.
        shared: one for what several services have.
        form: of the ids: ``sha1`` or ``sha256``.
        attributes: the service's ``.gitattributes``.
        files: what was rendered: path, mode and id; None where Copier wrote the files itself.
    """

    objects: str
    shared: str
    form: str
    attributes: bytes = b""
    files: list[tuple[str, str, str]] | None = None


def write(content: Content, sink: Sink, written: set[tuple[str, str]]) -> str:
    """Write a content into a sink's objects.

    Args:
        content: the bytes.
        sink: takes them.
        written: folder and id of those that are there; takes this one, too, where services share it.

    Returns:
        Its id.
    """
    key, folder = content.key(sink.form), sink.shared if content.shared else sink.objects
    if content.stored != sink.objects and (folder, key) not in written:
        place = f"{folder}/{key[:2]}"
        os.makedirs(place, exist_ok=True)  # noqa: PTH103 - for each object, and faster
        with open(f"{place}/{key[2:]}", "wb") as file:  # noqa: PTH123
            file.write(content.packed())
        if content.shared:
            written.add((folder, key))
        else:
            content.stored = sink.objects
    return key


def refuse_conversions(found: dict[str, tuple[str, Content]], attributes: bytes) -> None:
    """Where git would keep other bytes than a file has, git has to read the files.

    Args:
        found: mode and content by path.
        attributes: the service's ``.gitattributes``.

    Raises:
        NotPlainError: it would.
    """
    own = [content.data for path, (_, content) in found.items() if path.rpartition("/")[2] == ".gitattributes"]
    said = b"\n".join((attributes, *own))
    if CHANGING.search(said) or (LINE_ENDS.search(said) and any(b"\r" in one.data for _, one in found.values())):
        raise NotPlainError
