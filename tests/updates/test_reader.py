"""What a store reads from git with one process, and how it says what git does not have."""

from __future__ import annotations

import hashlib
import os
import zlib
from pathlib import Path

import pytest

from golden_path.errors import FleetError
from golden_path.store.reader import LargeError, MissingError, Reader
from golden_path.store.trees import Entry, Store
from tests.labs.template import commit_all, git
from tests.updates.foreign import write

MISSING = "0" * 39 + "1"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    write("a.txt", "a\n")(folder)
    write("empty.txt", "")(folder)
    commit_all(folder)
    return folder


def loose(folder: Path, kind: bytes, content: bytes) -> str:
    """Write an object that git would not make."""
    whole = b"%s %d\0" % (kind, len(content)) + content
    key = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
    write(f".git/objects/{key[:2]}/{key[2:]}", zlib.compress(whole))(folder)
    return key


@pytest.mark.parametrize("size", [0, 1, (1 << 16) - 60, 1 << 16, (1 << 16) + 1, 7 << 20])
def test_contents_of_any_size(size: int, repository: Path) -> None:
    content = os.urandom(size)
    key = loose(repository, b"blob", content)
    with Store(repository / ".git/objects") as store:
        for _ in range(2):
            assert store.read(key) == content
            assert store.read(git(repository, "rev-parse", "HEAD:a.txt")) == b"a\n"
            assert store.read(git(repository, "rev-parse", "HEAD:empty.txt")) == b""


def test_what_git_does_not_have_is_said_and_the_next_is_read(repository: Path) -> None:
    """Also where there is an object of another kind, whose content git sends all the same."""
    blob, head = git(repository, "rev-parse", "HEAD:a.txt"), git(repository, "rev-parse", "HEAD")
    with Store(repository / ".git/objects") as store:
        for name in (MISSING, "HEAD", "", "no such name", head, f"{head}^{{tree}}", f"{blob}\n{blob}"):
            with pytest.raises(FleetError, match="git does not have"):
                store.read(name)
            assert store.read(blob) == b"a\n", name
        with pytest.raises(FleetError, match="git does not have"):
            store.list(blob)
        assert set(store.list(head)) == {"a.txt", "empty.txt"}


def test_a_git_that_ends_is_said_and_nothing_else(repository: Path) -> None:
    blob = git(repository, "rev-parse", "HEAD:a.txt")
    with Store(repository / ".git/objects") as store:
        store.read(blob)
        assert store._reader
        store._reader._process.kill()
        store._reader._process.wait()
        for _ in range(2):
            with pytest.raises(FleetError, match="git ended"):
                store.read(blob)


def test_trees_of_every_kind(repository: Path) -> None:
    """Modes of old programs, a submodule, a link, names with line ends and such that are not UTF-8."""
    blob, head = git(repository, "rev-parse", "HEAD:a.txt"), git(repository, "rev-parse", "HEAD")
    raw, commit = bytes.fromhex(blob), bytes.fromhex(head)
    inner = bytes.fromhex(loose(repository, b"tree", b"100644 x\ny\xff\0" + raw))
    lines = [b"100664 a", b"100775 b", b"120000 c", b"040000 d", b"40000 e", b"160000 f", b"100600 g", b"100755 h"]
    keys = [raw, raw, raw, inner, inner, commit, raw, raw]
    tree = loose(repository, b"tree", b"".join(line + b"\0" + key for line, key in zip(lines, keys, strict=True)))
    with Store(repository / ".git/objects") as store:
        found = store.list(tree)
        odd = b"x\ny\xff".decode(errors="surrogateescape")
        assert found == {
            "a": Entry("100644", blob), "b": Entry("100755", blob), "c": Entry("120000", blob),
            f"d/{odd}": Entry("100644", blob), f"e/{odd}": Entry("100644", blob), "f": Entry("160000", head),
            "g": Entry("100644", blob), "h": Entry("100755", blob),
        }  # fmt: skip
        shown = store.run("ls-tree", "-r", "-z", tree).decode(errors="surrogateescape").split("\0")[:-1]
        assert [line.split("\t", 1)[1] for line in shown] == list(found)
        assert store.list(store.write(found)) == found


def test_what_is_written_or_lent_later_is_read(repository: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write("b.txt", "b\n")(other)
    commit_all(other)
    blob = git(other, "rev-parse", "HEAD:b.txt")
    with Store(repository / ".git/objects") as store:
        with pytest.raises(FleetError):
            store.read(blob)
        store.borrow(other / ".git/objects")
        assert store.read(blob) == b"b\n"
        assert store.read(store.hash(b"new")) == b"new"
        key = loose(other, b"blob", b"later")
        assert store.read(key) == b"later"


def test_what_is_too_large_is_not_read_and_the_next_is(repository: Path) -> None:
    blob = git(repository, "rev-parse", "HEAD:a.txt")
    with Reader(repository, dict(os.environ)) as one:
        assert one.find("HEAD:a.txt", b"blob", 2) == (blob, b"a\n")
        with pytest.raises(LargeError, match="has 2 bytes"):
            one.find(blob, b"blob", 1)
        with pytest.raises(MissingError):
            one.find("refs/heads/none^{commit}", b"commit")
        assert one.find("HEAD^{commit}", b"commit")[0] == git(repository, "rev-parse", "HEAD")
