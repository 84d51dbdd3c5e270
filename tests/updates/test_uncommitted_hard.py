"""Files that no commit has over ``copier update``: where they stand, what they are, and how an update can end early."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from golden_path.rendering.render import Renderer
from golden_path.store import aside
from golden_path.upgrade import after_copier
from hooks import guard
from tests.labs.template import commit_all, git
from tests.labs.warm import copier
from tests.updates import foreign, hooked
from tests.updates.foreign import append, delete, line, write
from tests.updates.test_uncommitted import held, pair

UPDATE = ("update", "--trust", "--defaults")


def shared(folder: Path, renderer: Renderer) -> tuple[Path, Path, Path]:
    """Make a template, and one repository with two of its services; each has a file that is in no commit."""
    source, service = pair(folder, renderer, [])
    whole = folder / "whole"
    for name in ("a", "b"):
        shutil.copytree(service, whole / name, ignore=shutil.ignore_patterns(".git"))
        (whole / name / "own.env").write_text(f"MINE={name}\n")
    commit_all(whole)
    assert git(whole, "ls-files", "*.env") == ""
    return source, whole / "a", whole / "b"


def test_services_in_folders_of_one_repository(tmp_path: Path, renderer: Renderer) -> None:
    source, one, other = shared(tmp_path, renderer)
    assert hooked.stops(source, one) == ""  # an update that ends here
    (one / "own.env").unlink()
    done = copier(*UPDATE, other)
    assert done.returncode == 0, done.stderr
    assert (other / "own.env").read_text() == "MINE=b\n"
    assert not (one / "own.env").exists(), "the update of another service has nothing to do with it"
    commit_all(other, "Update")
    assert hooked.stops(source, one) == ""
    assert (one / "own.env").read_text() == "MINE=a\n"


def test_a_leftover_beside_the_service_stops_it(tmp_path: Path, renderer: Renderer) -> None:
    _, one, other = shared(tmp_path, renderer)
    write("b.txt.rej", "mine\n")(other)
    done = copier(*UPDATE, one)
    assert done.returncode == 1
    assert "../b/b.txt.rej (no commit has it, and Copier takes it for its own)" in done.stderr
    assert (other / "b.txt.rej").read_text() == "mine\n"


def test_a_work_tree_of_its_own(tmp_path: Path, renderer: Renderer) -> None:
    source, service = pair(tmp_path, renderer, [], append("own.env", "MINE=1\n"))
    git(service, "worktree", "add", "--quiet", "-b", "other", str(tmp_path / "tree"))
    write("own.env", "MINE=2\n")(tmp_path / "tree")
    assert hooked.stops(source, service) == ""  # an update that ends here
    done = copier(*UPDATE, tmp_path / "tree")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "tree" / "own.env").read_text() == "MINE=2\n"
    assert (service / "own.env").read_text().endswith("MINE=1\n")
    assert aside.folder(service).is_dir()
    assert not aside.folder(tmp_path / "tree").exists()


@pytest.mark.parametrize("option", [["--skip-answered"], ["--conflict", "rej"], ["--skip-tasks"], ["--quiet"]])
def test_options_of_copier(option: list[str], tmp_path: Path, renderer: Renderer) -> None:
    _, service = pair(tmp_path, renderer, [delete("d/c.env")], append("own.env", "MINE=1\n"))
    before = held(service)
    done = copier(*UPDATE, *option, service)
    assert done.returncode == 0, done.stderr
    assert held(service) == before
    assert not aside.folder(service).exists()


def test_a_name_that_is_no_text(tmp_path: Path, renderer: Renderer) -> None:
    name = os.fsdecode("caf\u00e9 \u201cx\u201d\n.env".encode())
    source = hooked.with_hooks(
        foreign.template(tmp_path / "template", [write("b.txt"), write(name, "A=1\n"), write(".gitignore", "*.env\n")],
                         [line("b.txt", 3, "the template's"), delete(name)])
    )  # fmt: skip
    service = foreign.service(renderer, source, tmp_path / "service", write(name, "MINE=1\n"))
    assert git(service, "ls-files", "*.env") == ""
    done = copier(*UPDATE, service)
    assert done.returncode == 0, done.stderr
    assert (service / name).read_text() == "MINE=1\n"


def test_what_is_no_regular_file(tmp_path: Path, renderer: Renderer) -> None:
    source, service = pair(tmp_path, renderer, [delete("d/c.env")], delete("d/c.env"), delete("own.env"))
    (service / "d" / "c.env").mkdir(parents=True)
    (service / "d" / "c.env" / "mine.env").write_text("mine\n")
    assert hooked.stops(source, service) == "", "a folder where the template removes a file stays"
    done = copier(*UPDATE, service)
    assert done.returncode == 0, done.stderr
    assert (service / "d" / "c.env" / "mine.env").read_text() == "mine\n"


def test_a_pipe_is_not_waited_for(tmp_path: Path, renderer: Renderer) -> None:
    source, service = pair(tmp_path, renderer, [], delete("own.env"))
    os.mkfifo(service / "own.env")
    assert "own.env (no commit has it, and it is no regular file)" in hooked.stops(source, service)


def test_what_cannot_be_kept_stops_the_update(
    tmp_path: Path, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, service = pair(tmp_path, renderer, [], append("own.env", "MINE=1\n"))
    before = foreign.state(service)
    monkeypatch.setattr(shutil, "copy2", full)
    with pytest.raises(aside.LeftAsideError, match=r"^nothing was written, since .*\.env, .*No space left"):
        hooked.stops(source, service)
    monkeypatch.undo()
    assert foreign.state(service) == before
    assert not list((service / ".git").glob("golden-path-*"))


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_what_cannot_be_put_back_is_named_and_stays(
    tmp_path: Path, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, service = pair(tmp_path, renderer, [], append("own.env", "MINE=1\n"))
    before = held(service)
    assert hooked.stops(source, service) == ""
    (service / "own.env").unlink()
    monkeypatch.setattr(aside, "_restore", full)
    told = [one for one in after_copier.summary(service).decide if " own.env: " in one]
    monkeypatch.undo()
    assert len(told) == 1
    assert Path(told[0].split("; it is ")[1]).read_text() == before["own.env"]
    assert hooked.stops(source, service) == ""
    assert held(service) == before


@pytest.mark.parametrize("step", range(1, 30))
def test_interrupted_at_each_call(
    step: int, tmp_path: Path, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between any two changes of the disk the file is in its place or kept, and the next update makes it whole."""
    source, service = pair(tmp_path, renderer, [], append("own.env", "MINE=1\n"), link_of_mine)
    before, left = held(service), step

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            nonlocal left
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
            return real(*arguments, **options)

        return call

    try:
        with monkeypatch.context() as patched:
            for where, name in ((shutil, "copy2"), (Path, "replace"), (Path, "unlink"), (os, "unlink"), (os, "rename"),
                                (os, "rmdir"), (os, "mkdir"), (Path, "write_text")):  # fmt: skip
                patched.setattr(where, name, counted(getattr(where, name)))
            assert guard.guard(service, source, foreign.OLD, foreign.ANSWERS, {}) == ""
            for name in before:
                if name != "other.env":
                    Path.unlink(service / name)
            after_copier.summary(service)
    except KeyboardInterrupt:
        pass
    assert hooked.stops(source, service) == ""
    assert held(service) == before


def link_of_mine(service: Path) -> None:
    (service / "own.env").rename(service / "other.env")
    (service / "own.env").symlink_to("other.env")


@pytest.mark.parametrize("name", ["GIT_DIR", "GIT_INDEX_FILE"])
def test_another_repository_of_the_environment_stops_it(
    name: str, tmp_path: Path, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, service = pair(tmp_path, renderer, [])
    before = foreign.state(service)
    monkeypatch.setenv(name, str(service / ".git" / ("" if name == "GIT_DIR" else "index")))
    said = hooked.stops(source, service)
    monkeypatch.undo()
    assert f"env -u {name} copier update" in said
    assert foreign.state(service) == before


PERSON = (
    ("core.autocrlf", "true"), ("column.ui", "always"), ("color.ui", "always"), ("status.showUntrackedFiles", "no"),
    ("diff.noprefix", "true"), ("core.quotePath", "true"), ("diff.relative", "true"), ("diff.renames", "copies"),
    ("log.showSignature", "true"), ("core.attributesFile", "/nowhere"), ("clone.defaultRemoteName", "upstream"),
)  # fmt: skip


@pytest.mark.parametrize("count", [True, False], ids=["GIT_CONFIG_COUNT", "a file"])
def test_the_settings_of_a_person_do_not_matter(
    count: bool, tmp_path: Path, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, service = pair(tmp_path, renderer, [], append("own.env", "MINE=1\n"))
    before = held(service)
    if count:
        monkeypatch.setenv("GIT_CONFIG_COUNT", str(len(PERSON)))
        for number, (key, value) in enumerate(PERSON):
            monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", key)
            monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", value)
    else:
        for key, value in PERSON:
            subprocess.run(["git", "config", "--file", tmp_path / "config", key, value], check=True)
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    assert hooked.stops(source, service) == ""
    (service / "own.env").unlink()
    assert not [one for one in after_copier.summary(service).decide if "own.env" in one]
    assert held(service) == before
