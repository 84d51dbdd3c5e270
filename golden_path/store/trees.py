"""Trees of a repository: files by path, and a store to make new ones in that leaves the repository alone."""

from __future__ import annotations

import contextlib
import hashlib
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from golden_path.errors import Exit, FleetError
from golden_path.store import git, reader, scratch
from golden_path.store.git import EMAIL as EMAIL


class Entry(NamedTuple):
    """A file in a tree.

    Attributes:
        mode: as git writes it: ``100644``, ``100755``, ``120000`` (a link), ``160000`` (a submodule).
        blob: the id of its content.
    """

    mode: str
    blob: str

    @property
    def kind(self) -> str:
        """What it is without its permissions."""
        return self.mode[:3]


Tree = dict[str, Entry]

FILE = "100"


class Store:
    """A bare repository in a temporary folder that reads the objects of another one, and writes only its own.

    No setting or hook of the service's repository counts here, nor of the user's: the same input makes the same trees
    everywhere. Only its ``.gitattributes`` are heeded, since they say in which form git keeps a file.

    Args:
        objects: the object folder of the repository.
        attributes: its ``.gitattributes``.
        sha256: whether it is of git's newer format.

    Attributes:
        folder: for temporary files.
        objects: its own object folder.
        form: of the ids: ``sha1`` or ``sha256``.
        attributes: as above.
    """

    def __init__(self, objects: Path, attributes: bytes = b"", *, sha256: bool = False) -> None:
        self._held = contextlib.ExitStack()
        self.folder = self._held.enter_context(scratch.folder())
        self.form = "sha256" if sha256 else "sha1"
        self.attributes = attributes
        self._hash = hashlib.sha256 if sha256 else hashlib.sha1
        self._git = self.folder / "store.git"
        self.objects = self._git / "objects"
        for name in ("objects/info", "refs", "info"):
            (self._git / name).mkdir(parents=True)
        (self._git / "HEAD").write_text("ref: refs/heads/main\n")
        form = "\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = sha256\n" if sha256 else (
            "\trepositoryformatversion = 0\n"
        )  # fmt: skip
        (self._git / "config").write_text(f"[core]\n\tbare = true\n\tlooseCompression = 1\n{form}")
        (self._git / "objects/info/alternates").write_bytes(bytes(objects) + b"\n")
        (self._git / "info/attributes").write_bytes(attributes)
        self._env = {"GIT_DIR": str(self._git)}
        self._borrowed: set[bytes] = set()
        self._written: set[str] = set()
        self._reader: reader.Reader | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()

    def run(
        self,
        *arguments: str,
        data: bytes | None = None,
        codes: tuple[int, ...] = (0,),
        env: Mapping[str, str] | None = None,
    ) -> bytes:
        """Run git in the store.

        Raises:
            FleetError: it failed, for example because the disk is full.
        """
        try:
            return git.run(*arguments, cwd=self.folder, data=data, codes=codes, env={**self._env, **(env or {})})
        except git.GitError as error:
            raise FleetError(f"the trees cannot be computed: {error}", Exit.FAILED) from None

    def borrow(self, objects: Path) -> None:
        """Read from another object folder, too.

        Args:
            objects: the folder, which outlives the store.
        """
        line = f"{objects}\n".encode()
        if line not in self._borrowed:
            self._borrowed.add(line)
            with (self.objects / "info/alternates").open("ab") as file:
                file.write(line)
            self._reader = None  # one that runs looks for such folders at its start only

    def add(self, folder: Path) -> Tree:
        """Put the files of a folder into the store.

        Args:
            folder: with what a template rendered.

        Returns:
            Its tree.
        """
        index = {"GIT_INDEX_FILE": str(folder.with_name(f"{folder.name}.index")), "GIT_WORK_TREE": str(folder)}
        self.run("-c", "core.bare=false", "-C", str(folder), "add", "--all", "--force", ".", env=index)
        listed = self.run("-c", "core.bare=false", "-C", str(folder), "ls-files", "--stage", "-z", env=index)
        tree = {}
        for line in filter(None, listed.split(b"\0")):
            facts, name = line.split(b"\t", 1)
            mode, blob, _ = facts.decode().split()
            tree[_name(name)] = Entry(mode, blob)
        return tree

    @contextlib.contextmanager
    def checkout(self, tree: Tree, folder: Path) -> Iterator[Callable[[], Tree]]:
        """Check a tree out into a repository of its own, so that programs can change it there.

        Args:
            tree: the tree.
            folder: an empty one.

        Yields:
            What returns the folder's tree; new files that git ignores, and repositories in it, are not in it.
        """
        commit = self.commit(self.write(tree))
        place = {"GIT_DIR": str(folder / ".git"), "GIT_WORK_TREE": str(folder)}
        self.run("init", "--quiet", *(["--object-format=sha256"] if self._hash is hashlib.sha256 else []), env=place)
        (folder / ".git/objects/info/alternates").write_bytes(bytes(self._git / "objects") + b"\n")
        self.run("config", "core.bare", "false", env=place)
        self.run("reset", "--hard", "--quiet", commit, env=place)

        def result() -> Tree:
            inner = nested(folder)
            without = [f":(exclude,literal){path}" for path in inner]
            self.run("-C", str(folder), "add", "--all", "--", ".", *without, env=place)
            found: Tree = {}
            for line in filter(None, self.run("-C", str(folder), "ls-files", "--stage", "-z", env=place).split(b"\0")):
                facts, name = line.split(b"\t", 1)
                mode, blob, _ = facts.decode().split()
                if mode == "160000" and _name(name) in inner and _name(name) not in tree:
                    continue  # somebody added it by name
                entry = found[_name(name)] = Entry(mode, blob)
                if mode != "160000" and entry != tree.get(_name(name)):
                    self.hash(self.run("cat-file", "blob", blob, env=place))
            return found

        yield result

    def list(self, treeish: str) -> Tree:
        """Return the files of a tree or commit."""
        tree: Tree = {}
        self._list(f"{treeish}^{{tree}}", "", tree)
        return tree

    def _list(self, name: str, above: str, tree: Tree) -> None:
        for kind, inner, key in reader.entries(self.object(name, b"tree"), self._hash().digest_size):
            mode, path = kind.decode(), above + _name(inner)
            if int(mode, 8) == 0o40000:  # some programs wrote a zero before it
                self._list(key, f"{path}/", tree)
            elif mode.startswith(FILE):  # old repositories have other permissions, too
                tree[path] = Entry("100755" if int(mode, 8) & 0o100 else "100644", key)
            else:
                tree[path] = Entry(mode, key)

    def write(self, tree: Mapping[str, Entry]) -> str:
        """Make a tree, and return its id."""
        top: dict[str, Any] = {}
        for name, entry in tree.items():
            *folders, last = name.split("/")
            place = top
            for folder in folders:
                place = place.setdefault(folder, {})
            place[last] = entry
        return self._write(top)

    def _write(self, folder: Mapping[str, Any]) -> str:
        lines = []
        for name, one in folder.items():
            inner = isinstance(one, dict)
            mode, blob = ("40000", self._write(one)) if inner else one
            sorted_as = raw(name) + (b"/" if inner else b"")
            lines.append((sorted_as, f"{mode} ".encode() + raw(name) + b"\0" + bytes.fromhex(blob)))
        return self._loose(b"tree", b"".join(line for _, line in sorted(lines)))

    def _loose(self, kind: bytes, content: bytes) -> str:
        content = b"%s %d\0" % (kind, len(content)) + content
        key = self._hash(content).hexdigest()
        if key not in self._written:
            self._written.add(key)
            folder = f"{self.objects}/{key[:2]}"
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - for each object, and faster
            with open(f"{folder}/{key[2:]}", "wb") as file:  # noqa: PTH123
                file.write(zlib.compress(content, 1))
        return key

    def commit(self, tree: str, *parents: str, message: bytes = b"x", date: str = "0 +0000") -> str:
        """Make a commit, the same for the same input, as ``git commit-tree`` would, and return its id.

        Args:
            tree: its tree.
            parents: the commits before it.
            message: all of it.
            date: in git's raw form: seconds since 1970 and the time zone.
        """
        linked = "".join(f"parent {one}\n" for one in parents)
        head = f"tree {tree}\n{linked}author {_SOMEBODY} {date}\ncommitter {_SOMEBODY} {date}\n\n"
        return self._loose(b"commit", head.encode() + message.replace(b"\0", b""))

    def read(self, blob: str) -> bytes:
        """Return the content of a file."""
        return self.object(blob, b"blob")

    def object(self, name: str, kind: bytes) -> bytes:
        """Return the content of an object.

        Args:
            name: any name of it that git takes.
            kind: ``blob``, ``tree`` or ``commit``.
        """
        if self._reader is None:
            self._reader = self._held.enter_context(reader.Reader(self.folder, git.environment(self._env)))
        return self._reader.read(name, kind)

    def hash(self, content: bytes) -> str:
        """Put a content into the store, and return its id."""
        return self._loose(b"blob", content)

    def diff(self, old: Entry | None, new: Entry | None) -> str:
        """Return the changed lines between two files, and a line for each other difference."""
        lines = []
        if old and new and old.mode != new.mode:
            lines += [f"old mode {old.mode}", f"new mode {new.mode}"]
        blobs = [one.blob if one and one.mode != "160000" else self.hash(b"") for one in (old, new)]
        if blobs[0] != blobs[1]:
            shown = self.run("diff", "--no-ext-diff", "--no-textconv", *blobs).decode(errors="replace")
            at = shown.find("@@")
            lines.append(shown[at:].rstrip("\n") if at >= 0 else BINARY)
        return "\n".join(lines)


BINARY = "binary files differ"  # of a difference that has no lines
_SOMEBODY = f"golden-path <{EMAIL}>"


def _name(name: bytes) -> str:
    return name.decode(errors="surrogateescape")


def nested(folder: Path) -> list[str]:
    """Return the folders in a repository that are repositories of their own; git would only note their commit."""
    found = []
    for root, folders, files in os.walk(folder):
        if Path(root) == folder:
            folders.remove(".git")
        elif ".git" in (*folders, *files):
            found.append(str(Path(root).relative_to(folder)))
            folders.clear()
    return sorted(found)


def parents(path: str) -> list[str]:
    """Return the folders of a path, outermost first."""
    parts = path.split("/")
    return ["/".join(parts[:number]) for number in range(1, len(parts))]


def raw(name: str) -> bytes:
    """Return a path as git has it."""
    return name.encode(errors="surrogateescape")
