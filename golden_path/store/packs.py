"""Packs of a few objects, written without a program (format: gitformat-pack of git's documentation)."""

from __future__ import annotations

import hashlib
import struct
import zlib

from golden_path.errors import Exit, FleetError
from golden_path.store import reader
from golden_path.store.trees import Store

_NUMBERS = {b"commit": 1, b"tree": 2, b"blob": 3}


def pack(store: Store, commit: str, without: str) -> bytes:
    """Return a pack of a commit, and of what its tree has and that of another has not, as ``pack-objects`` does.

    Args:
        store: where both are.
        commit: whose parent is the other one.
        without: the other one.

    Raises:
        FleetError: something of it is not there, or not what its id says.
    """
    found = _Found(store)
    tree = found.take(commit, b"commit")[5:].partition(b"\n")[0].decode()
    found.lacking(tree, store.object(f"{without}^{{tree}}", b"tree"))
    parts = [b"PACK", struct.pack(">II", 2, len(found.objects))]
    for number, content in found.objects.values():
        size, first = len(content) >> 4, number << 4 | len(content) & 15
        while size:
            parts.append(bytes([first | 128]))
            size, first = size >> 7, size & 127
        parts += [bytes([first]), zlib.compress(content, 1)]
    whole = b"".join(parts)
    return whole + hashlib.new(store.form, whole).digest()


class _Found:
    """The objects of a pack: number of the kind and content, by id."""

    def __init__(self, store: Store) -> None:
        self._store, self._length = store, hashlib.new(store.form).digest_size
        self.objects: dict[str, tuple[int, bytes]] = {}

    def lacking(self, tree: str, old: bytes) -> None:
        """Take what a tree has and another, given as its content, has not."""
        had = {(mode, name): key for mode, name, key in reader.entries(old, self._length)}
        for mode, name, key in reader.entries(self.take(tree, b"tree"), self._length):
            before = had.get((mode, name))
            if before == key or key in self.objects or mode == b"160000":
                continue
            if int(mode, 8) == 0o40000:
                self.lacking(key, self._store.object(before, b"tree") if before else b"")
            else:
                self.take(key, b"blob")

    def take(self, key: str, kind: bytes) -> bytes:
        """Take an object, and return its content."""
        content = self._store.object(key, kind)
        if hashlib.new(self._store.form, b"%s %d\0" % (kind, len(content)) + content).hexdigest() != key:
            raise FleetError(f"the trees cannot be computed: {key} is damaged", Exit.FAILED)
        self.objects[key] = _NUMBERS[kind], content
        return content
