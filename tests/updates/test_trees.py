"""The store writes commits itself; they are those that git would have made."""

from __future__ import annotations

from pathlib import Path

import pytest

from golden_path.store.service import without_answers
from golden_path.store.trees import EMAIL, Entry, Store
from tests.labs.template import git

DATE = "1700000000 +0545"
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


def test_a_commit_whose_date_cannot_be_read(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    raw = f"tree {git(tmp_path, 'write-tree')}\nauthor a <a@b> x +0000\ncommitter a <a@b> x +0000\n\nOdd\n"
    (tmp_path / "commit").write_text(raw)
    commit = git(tmp_path, "hash-object", "-t", "commit", "--literally", "-w", "commit")
    git(tmp_path, "update-ref", "HEAD", commit)
    assert without_answers(tmp_path)[0].date == "0 +0000"
