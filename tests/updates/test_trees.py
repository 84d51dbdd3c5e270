"""The store writes commits itself; they are those that git would have made."""

from __future__ import annotations

import subprocess
import zlib
from pathlib import Path

import pytest

from golden_path.errors import FleetError
from golden_path.store import packs
from golden_path.store.service import load, without_answers
from golden_path.store.trees import EMAIL, Entry, Store
from tests.labs.template import commit_all, git

DATE = "1700000000 +0545"
LARGE = bytes(range(256)) * 300
IDENTITY = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "golden-path"), ("EMAIL", EMAIL), ("DATE", DATE))}  # fmt: skip


@pytest.mark.parametrize("sha256", [False, True])
def test_commits_are_those_of_git(sha256: bool) -> None:
    with Store(Path("/nowhere"), sha256=sha256) as store:
        tree = store.write({"a": Entry("100644", store.hash(b"a\n"))})
        parents: list[str] = []
        for message in (b"Plain", b"", "Müller\n\n- 漢字\n".encode(), b"two\n\nparagraphs"):
            linked = [part for one in parents for part in ("-p", one)]
            expected = store.run("commit-tree", tree, *linked, data=message, env=IDENTITY).decode().strip()
            made = store.commit(tree, *parents, message=message, date=DATE)
            assert made == expected
            parents = [made, *parents][:2]
        assert store.run("rev-list", "--count", parents[0]) == b"4\n"
        refused = store.commit(tree, message=b"with\0out", date=DATE)  # git takes no such message
        assert store.run("log", "-1", "--format=%B", refused).strip() == b"without"
        store.run("fsck", "--strict", "--no-dangling")


@pytest.mark.parametrize("sha256", [False, True])
def test_a_pack_has_what_the_commit_needs_and_nothing_else(sha256: bool, tmp_path: Path) -> None:
    form = "sha256" if sha256 else "sha1"
    git(tmp_path, "init", "--quiet", f"--object-format={form}")
    for name in ("kept/a", "changed/deep/b", "moved/c", "gone/d", "kind"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name * 9)
    commit_all(tmp_path)
    head = git(tmp_path, "rev-parse", "HEAD")
    with Store(tmp_path / ".git/objects", sha256=sha256) as store:
        tree = store.list(head)
        tree |= {
            "changed/deep/b": Entry("100755", store.hash(b"")),
            "new/large": Entry("100644", store.hash(LARGE)),
            "twice": Entry("100644", store.hash(LARGE)),
            "sub": Entry("160000", head),
            "link": Entry("120000", store.hash(b"kept/a")),
            "kind/e": Entry("100644", store.hash(b"e")),
        }
        tree["elsewhere/c"] = tree.pop("moved/c")
        del tree["gone/d"], tree["kind"]
        commit = store.commit(store.write(tree), head, message=b"New", date=DATE)
        pack = packs.pack(store, commit, head)
        asked = f"{commit}\n^{head}\n".encode()
        needed = {
            line.split()[0].decode() for line in store.run("rev-list", "--objects", "--stdin", data=asked).splitlines()
        }
    (tmp_path / "made.pack").write_bytes(pack)
    git(tmp_path, "index-pack", "--strict", f"--object-format={form}", "made.pack")
    packed = {
        line.split()[0]
        for line in git(tmp_path, "verify-pack", "-v", f"--object-format={form}", "made.pack").splitlines()
        if line.split()[1:2] in (["commit"], ["tree"], ["blob"])
    }
    assert needed <= packed
    moved = {git(tmp_path, "rev-parse", f"HEAD:{path}") for path in ("moved", "moved/c")}
    assert packed - needed <= moved  # what went elsewhere may go along
    with (tmp_path / "made.pack").open("rb") as file:
        subprocess.run(["git", "unpack-objects", "-q"], cwd=tmp_path, stdin=file, check=True)
    git(tmp_path, "fsck", "--strict", commit)


def test_a_damaged_content_is_not_packed() -> None:
    with Store(Path("/nowhere")) as store:
        head = store.commit(store.write({}))
        blob = store.hash(b"as its id says")
        (store.objects / blob[:2] / blob[2:]).write_bytes(zlib.compress(b"blob 5\0other"))
        with pytest.raises(FleetError, match="damaged"):
            packs.pack(store, store.commit(store.write({"a": Entry("100644", blob)}), head), head)


def test_a_commit_whose_date_cannot_be_read(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    raw = f"tree {git(tmp_path, 'write-tree')}\nauthor a <a@b> x +0000\ncommitter a <a@b> x +0000\n\nOdd\n"
    (tmp_path / "commit").write_text(raw)
    commit = git(tmp_path, "hash-object", "-t", "commit", "--literally", "-w", "commit")
    git(tmp_path, "update-ref", "HEAD", commit)
    assert without_answers(tmp_path)[0].date == "0 +0000"


@pytest.mark.parametrize(
    "date", ["1 +0000", "1700000000 -0330", "1700000000 -0000", "0 +0000", "99999999999 +0000", "7 +1"]
)
def test_a_date_is_what_git_says(date: str, tmp_path: Path) -> None:
    """Also of a commit whose message looks like its head."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".copier-answers.yml").write_text("_commit: v1\n_src_path: /nowhere\n")
    git(tmp_path, "add", "--all")
    who = f"a> <a@b> {date}"
    raw = f"tree {git(tmp_path, 'write-tree')}\nauthor {who}\ncommitter {who}\n\ncommitter b <b@c> 5 +0000\n"
    (tmp_path / "commit").write_text(raw)
    commit = git(tmp_path, "hash-object", "-t", "commit", "--literally", "-w", "commit")
    git(tmp_path, "update-ref", "HEAD", commit)
    opened = load(tmp_path)
    assert (opened.head, opened.date) == (commit, without_answers(tmp_path)[0].date)
