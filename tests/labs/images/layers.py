"""Image layers as tar files that come out the same every time: sorted, without times and names of users."""

from __future__ import annotations

import io
import posixpath
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

# Before the merge of /usr these were folders; a package or folder that still has them must not replace the links.
USR_MERGED = ("bin", "lib", "lib64", "sbin")


class Layer:
    """The files of one layer, by path without a leading slash."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[tarfile.TarInfo, bytes]] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def content(self, path: str) -> bytes:
        """Return the content of a file."""
        return self._entries[path][1]

    def _put(self, info: tarfile.TarInfo, content: bytes = b"") -> None:
        info.size = len(content)
        info.mtime = 0
        info.uname = info.gname = ""
        info.pax_headers = {}
        self._entries[info.name] = (info, content)

    def folder(self, path: str, mode: int = 0o755, owner: int = 0) -> None:
        """Add an empty folder."""
        info = tarfile.TarInfo(path)
        info.type, info.mode, info.uid, info.gid = tarfile.DIRTYPE, mode, owner, owner
        self._put(info)

    def file(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Add a file of root's."""
        info = tarfile.TarInfo(path)
        info.mode = mode
        self._put(info, content)

    def link(self, path: str, target: str) -> None:
        """Add a symbolic link."""
        info = tarfile.TarInfo(path)
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, target, 0o777
        self._put(info)

    def tree(self, source: Path, path: str, skip: Callable[[str], bool] = lambda _: False) -> None:
        """Add a folder of this machine.

        Args:
            source: the folder.
            path: where it goes.
            skip: whether to leave out a path, which is relative to the folder.
        """
        for item in sorted(source.rglob("*")):
            relative = item.relative_to(source).as_posix()
            if skip(relative):
                continue
            name = f"{path}/{relative}"
            if item.is_symlink():
                self.link(name, str(item.readlink()))
            elif item.is_dir():
                self.folder(name)
            elif item.is_file():
                self.file(name, item.read_bytes(), 0o755 if item.stat().st_mode & 0o100 else 0o644)

    def archive(self, data: bytes, skip: Callable[[str], bool]) -> None:
        """Add the content of a tar file; the merge of /usr is made up for.

        Args:
            data: the tar file.
            skip: whether to leave out a path.
        """
        with tarfile.open(fileobj=io.BytesIO(data)) as source:
            for member in source:
                name = "/".join(part for part in member.name.split("/") if part not in ("", "."))
                if not name or skip(name) or (name in USR_MERGED and member.isdir()):
                    continue
                if name.split("/")[0] in USR_MERGED and "/" in name:
                    if member.issym() and not member.linkname.startswith("/"):
                        member.linkname = posixpath.normpath(f"/{posixpath.dirname(name)}/{member.linkname}")
                    name = f"usr/{name}"
                if member.islnk():
                    # A hard link becomes a file of its own: its other name may be left out or moved.
                    content = source.extractfile(member)
                    self.file(name, content.read() if content else b"", member.mode)
                    continue
                content = source.extractfile(member) if member.isreg() else None
                member.name = name
                self._put(member, content.read() if content else b"")

    def write(self, target: Path) -> None:
        """Write the tar file, missing parent folders added."""
        for name in list(self._entries):
            while name := posixpath.dirname(name):
                if name not in self._entries:
                    self.folder(name)
        with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as output:
            for name in self:
                info, content = self._entries[name]
                output.addfile(info, io.BytesIO(content) if info.isreg() else None)
