"""What the service's ``.gitignore`` names is in no branch, is no drift, and is not said to be deleted."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from golden_path.rendering.render import Renderer
from tests.labs.template import commit_all, git
from tests.labs.warm import copier
from tests.updates import foreign
from tests.updates.commands import as_json, golden_path
from tests.updates.foreign import ANSWERS, TEXT, Step, append, delete, line, move, write

BRANCH = "golden-path/v2.0.0"


def pair(folder: Path, renderer: Renderer, first: list[Step], second: list[Step], *edits: Step) -> Path:
    """A service with the edits; the template's rules are ``.gitignore.jinja``, so that git heeds none in it."""
    source = foreign.template(folder / "template", [write("a.txt"), *first], [line("a.txt", 9, "new"), *second])
    foreign.render(renderer, source, foreign.OLD, folder / "orders")
    service = folder / "orders"
    git(folder, "init", "--quiet", "--initial-branch", "main", str(service))
    for edit in edits:
        edit(service)
    git(service, "add", "--all")  # not by force, as people do
    git(service, "commit", "--quiet", "--message", "Start")
    return service


def changed(service: Path) -> list[str]:
    assert golden_path("apply", service).returncode in (0, 3)
    return git(service, "diff", "--name-only", "HEAD", BRANCH).splitlines()


@pytest.mark.parametrize(
    ("first", "second", "edits"),
    [
        ([write(".gitignore.jinja", ".env\n")], [write(".env", "x\n")], []),
        (
            [write(".gitignore.jinja")],
            [line(".gitignore.jinja", 3, "/cache/"), write("cache/x/y.txt"), write(".env", "x\n")],
            [line(".gitignore", 27, ".env")],
        ),
        ([write("deep/.gitignore.jinja", "*.log\n")], [write("deep/er/x.log")], []),
        ([], [write("größe/secret.key")], [write(".gitignore", "*.key\n")]),
    ],
)
def test_new_files(
    first: list[Step], second: list[Step], edits: list[Step], tmp_path: Path, renderer: Renderer
) -> None:
    """As with ``copier update`` and ``git add``."""
    service = pair(tmp_path, renderer, first, second, *edits)
    git(tmp_path, "clone", "--quiet", str(service), "plain")
    done = copier("update", "--defaults", "--quiet", tmp_path / "plain")
    assert done.returncode == 0, done.stderr
    git(tmp_path / "plain", "add", "--all")
    staged = git(tmp_path / "plain", "diff", "--cached", "--name-only").splitlines()
    assert "left out, since .gitignore names it: " in "".join(as_json("plan", service)["notes"])
    assert [name for name in changed(service) if name != ".gitignore"] == [
        name for name in staged if name != ".gitignore"
    ]


def test_files_that_were_never_committed(tmp_path: Path, renderer: Renderer) -> None:
    """Changed, moved or removed by the template, they are not the service's to delete."""
    first = [write(".gitignore.jinja", "*.env\n"), *(write(f"{name}.env") for name in "abcde")]
    second = [line("a.env", 9, "new"), delete("b.env"), move("c.env", "moved.env"), move("d.env", "seen.txt")]
    service = pair(tmp_path, renderer, first, second)
    assert as_json("status", service)[0]["drift"] == {}
    planned = as_json("plan", service)
    assert sorted(one["path"] for one in planned["files"]) == [ANSWERS, "a.txt", "seen.txt"]
    assert planned["notes"] == ["left out, since .gitignore names it: a.env, moved.env"]
    done = golden_path("doctor", service, "--only", "GP004")
    assert (done.returncode, "GP004" in done.stdout) == (0, False), done.stdout


def test_a_committed_file_is_merged_although_a_rule_names_it(tmp_path: Path, renderer: Renderer) -> None:
    service = pair(tmp_path, renderer, [write(".env")], [line(".env", 9, "new")])
    append(".env", "mine\n")(service)
    write(".gitignore", ".env\n")(service)
    git(service, "add", "--force", "--all")
    git(service, "commit", "--quiet", "--message", "Mine")
    assert changed(service) == [ANSWERS, ".env", "a.txt"]
    assert git(service, "show", f"{BRANCH}:.env") == f"{TEXT.replace('line 9', 'new', 1)}mine"
    delete(".env")(service)
    commit_all(service, "Deleted")
    assert ".env" not in {one["path"] for one in as_json("plan", service)["files"] if one["status"] != "kept"}


def test_a_users_own_rules_do_not_count(tmp_path: Path, renderer: Renderer, monkeypatch: pytest.MonkeyPatch) -> None:
    write(".config/git/ignore", "new.txt\n")(tmp_path)
    service = pair(tmp_path, renderer, [write(".gitignore.jinja", "x\n")], [write("new.txt")])
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    assert "new.txt" in changed(service)


@pytest.mark.parametrize(
    ("there", "new"),
    [("new.txt", "new.txt"), ("folder", "folder/new.txt"), ("new.txt/mine", "new.txt")],
)
def test_a_file_that_is_in_no_commit_is_not_overwritten(
    there: str, new: str, tmp_path: Path, renderer: Renderer
) -> None:
    """One that a rule of the person's own hides, at which git would not stop; without one there is no such line."""
    service = pair(tmp_path, renderer, [], [write(new)])
    write(there, "the only copy\n")(service)
    (service / ".git" / "info" / "exclude").write_text(f"/{there.split('/')[0]}\n")
    *_, said, last = golden_path("apply", service).stdout.splitlines()
    assert said == f"  move away {there}: it is in no commit, and the branch has a file there"
    switch = last.rsplit("; ", 1)[1].split()
    with pytest.raises(subprocess.CalledProcessError):
        git(service, *switch[1:])
    assert (service / there).read_text() == "the only copy\n"
    (service / there).unlink()
    golden_path("rollback", service)
    assert golden_path("apply", service).stdout.splitlines()[-1].endswith(f"; git switch {BRANCH}")


def test_adopting_adds_none(tmp_path: Path) -> None:
    source = foreign.template(tmp_path / "template", [write("a.txt"), write(".env", "x\n"), write("cache/x.txt")])
    service = tmp_path / "orders"
    write(".gitignore", ".env\n/cache/\n")(service)
    commit_all(service)
    done = golden_path("adopt", service, "--template", source)
    assert done.returncode == 0, done.stderr
    assert set(git(service, "ls-tree", "-r", "--name-only", "golden-path/adopt-v1.0.0").split()) == {
        ANSWERS, ".gitignore", "a.txt",
    }  # fmt: skip
    git(service, "branch", "-D", "golden-path/adopt-v1.0.0")
    write("a.txt", "the only copy\n")(service)
    (service / ".git" / "info" / "exclude").write_text("a.txt\n")
    *_, said, last = golden_path("adopt", service, "--template", source).stdout.splitlines()
    assert said == "  move away a.txt: it is in no commit, and the branch has a file there"
    assert last.endswith("; git switch --no-overwrite-ignore golden-path/adopt-v1.0.0")
    left = {one["path"]: one["reason"] for one in as_json("adopt", service, "--template", source)["files"]
            if one["status"] == "omitted"}  # fmt: skip
    assert left == {".env": ".gitignore names it", "cache/x.txt": ".gitignore names it"}
