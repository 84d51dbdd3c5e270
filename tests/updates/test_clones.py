"""Partial and sparse clones, and what stands in the way of ``--checkout``."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from golden_path.rendering.render import Renderer
from tests.labs.template import git
from tests.updates import cases, foreign
from tests.updates.commands import golden_path
from tests.updates.foreign import NEW

BRANCH = f"golden-path/{NEW}"


@pytest.fixture
def service(tmp_path: Path, renderer: Renderer) -> Path:
    steps = [foreign.line("a.txt", 9, cases.THEIRS), foreign.write("a/new.txt"), foreign.write("new.txt")]
    source = foreign.template(tmp_path / "template", cases.FIRST, steps)
    edits = [foreign.line("a.txt", 27, cases.MINE), foreign.write(".gitattributes", "*.txt text\n")]
    made = foreign.service(renderer, source, tmp_path / "origin/service", *edits)
    git(made, "config", "uploadpack.allowFilter", "true")
    git(made, "config", "uploadpack.allowAnySHA1InWant", "true")
    return made


@pytest.mark.parametrize("how", [["--filter=blob:none", "--sparse"], ["--filter=blob:none", "--bare"],
                                 ["--filter=tree:0", "--no-checkout"], ["--filter=blob:limit=10"]])  # fmt: skip
def test_a_clone_that_lacks_files_is_completed(how: list[str], service: Path, tmp_path: Path) -> None:
    assert golden_path("apply", service).returncode == 0
    expected = git(service, "rev-parse", BRANCH)
    git(service, "switch", "--quiet", "--detach", BRANCH)
    assert golden_path("rollback", service).returncode == 0
    revert = git(service, "rev-parse", f"golden-path/revert-{NEW}")
    git(service, "switch", "--quiet", "main")
    git(service, "branch", "--quiet", "-D", f"golden-path/revert-{NEW}")
    git(service, "branch", "--quiet", "--move", BRANCH, "merged")
    thin = tmp_path / "thin/service"
    git(tmp_path, "clone", "--quiet", *how, service.as_uri(), str(thin))
    assert golden_path("plan", thin).returncode == 0
    assert golden_path("apply", thin).returncode == 0
    assert git(thin, "rev-parse", BRANCH) == expected
    later = tmp_path / "later/service"
    git(tmp_path, "clone", "--quiet", *how, "--branch", "merged", service.as_uri(), str(later))
    assert golden_path("rollback", later).returncode == 0
    assert git(later, "rev-parse", f"golden-path/revert-{NEW}") == revert


def test_a_clone_that_cannot_be_completed_says_how(service: Path, tmp_path: Path) -> None:
    thin = tmp_path / "thin/service"
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", "--no-checkout", service.as_uri(), str(thin))
    service.rename(service.with_name("elsewhere"))
    done = golden_path("plan", thin)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (4, "", 1)
    assert "is a partial clone, and what it lacks cannot be fetched from origin: make origin reachable" in done.stderr
    assert "git fetch --refetch --no-filter" in done.stderr


PROGRAMS = {
    "remote.origin.uploadpack": "touch {mark}; git-upload-pack",
    "core.sshCommand": "touch {mark}; false",
    "protocol.ext.allow": "always",
    "credential.http://x.helper": "!touch {mark}",
}


@pytest.mark.parametrize("included", [False, True], ids=["config", "an included file"])
@pytest.mark.parametrize(("key", "value"), PROGRAMS.items(), ids=PROGRAMS)
def test_a_partial_clone_runs_no_program_of_its_own(
    key: str, value: str, included: bool, service: Path, tmp_path: Path
) -> None:
    thin, mark = tmp_path / "thin/service", tmp_path / "mark"
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", "--no-checkout", service.as_uri(), str(thin))
    if key == "core.sshCommand":
        git(thin, "remote", "set-url", "origin", "ssh://host.invalid/x")
    if key == "protocol.ext.allow":
        git(thin, "remote", "set-url", "origin", f"ext::touch {mark}")
    if included:
        (thin / ".git/config").rename(thin / ".git/more")
        git(thin, "init", "--quiet")
        git(thin, "config", "include.path", "more")
    git(thin, "config", *(["--file", str(thin / ".git/more")] if included else []), key, value.format(mark=mark))
    for verb in ("plan", "apply", "status", "doctor", "rollback"):
        done = golden_path(verb, thin)
        assert done.returncode == 4
        assert len(done.stderr.splitlines()) == 1
        assert f"says which program reaches its remote ({key.lower()}), which is not run" in done.stderr.lower()
    assert not mark.exists()


def file(name: str) -> Callable[[Path], None]:
    return foreign.write(name, "the person's own\n")


def ignored(name: str) -> Callable[[Path], None]:
    def step(service: Path) -> None:
        (service / ".git/info/exclude").write_text(f"/{name.split('/')[0]}\n")
        file(name)(service)

    return step


@pytest.mark.parametrize("stands", [file("new.txt"), ignored("new.txt"), file("a"), ignored("a"),
                                    ignored("a/new.txt")])  # fmt: skip
@pytest.mark.parametrize("there", [False, True])
def test_checkout_with_a_file_in_the_way(stands: Callable[[Path], None], there: bool, service: Path) -> None:
    if there:
        golden_path("apply", service)
    stands(service)
    before = foreign.state(service)
    kept = {path: path.read_bytes() for path in service.rglob("*") if path.is_file() and ".git" not in path.parts}
    done = golden_path("apply", service, "--checkout")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (4, "", 1)
    words = "the work tree stays as it was" if there else "would overwrite files that are in no commit"
    assert words in done.stderr
    assert "new.txt" in done.stderr or "a" in done.stderr
    assert foreign.state(service) == before
    assert {path: path.read_bytes() for path in kept} == kept


def test_checkout_with_nothing_in_the_way_and_a_lock(service: Path) -> None:
    lock = service / ".git/index.lock"
    lock.touch()
    done = golden_path("apply", service, "--checkout")
    assert (done.returncode, len(done.stderr.splitlines())) == (4, 1)
    assert "index.lock': File exists" in done.stderr
    lock.unlink()
    foreign.write("a/mine.txt")(service)
    assert golden_path("apply", service, "--checkout").returncode == 0
    assert git(service, "branch", "--show-current") == BRANCH
    assert (service / "a/new.txt").exists()


def test_checkout_writes_as_the_persons_own_git_does(service: Path, tmp_path: Path) -> None:
    """Their line ends and filters, in the work tree alone."""
    settings = tmp_path / "settings"
    git(tmp_path, "config", "--file", str(settings), "core.autocrlf", "true")
    assert golden_path("apply", service, "--checkout", GIT_CONFIG_GLOBAL=str(settings)).returncode == 0
    assert b"\r\n" in (service / "new.txt").read_bytes()
    assert "\r" not in git(service, "cat-file", "blob", f"{BRANCH}:new.txt")


def test_uncommitted_changes_are_seen_without_a_program_of_the_repository(service: Path, tmp_path: Path) -> None:
    (tmp_path / "filter").write_text(f"#!/bin/sh\ntouch {tmp_path}/trace\ncat\n")
    (tmp_path / "filter").chmod(0o755)
    (service / ".git/info/attributes").write_text("*.txt filter=a.b=c\n")
    (tmp_path / "more").write_text(
        f'[filter "a.b=c"]\n\tclean = {tmp_path}/filter\n\tsmudge = cat\n\trequired = true\n'
    )
    git(service, "config", "include.path", str(tmp_path / "more"))
    (service / "a.txt").touch()
    assert "uncommitted" not in golden_path("plan", service).stderr
    foreign.append("a.txt", "more\n")(service)
    assert "uncommitted changes are not looked at" in golden_path("plan", service).stderr
    linked = tmp_path / "linked"
    git(service, "worktree", "add", "--quiet", "--detach", str(linked), "HEAD")
    (tmp_path / "trace").unlink(missing_ok=True)  # the person's own git ran it
    foreign.append("a.txt", "more\n")(linked)
    assert "uncommitted changes are not looked at" in golden_path("plan", linked).stderr
    assert not (tmp_path / "trace").exists()
    shutil.rmtree(linked)
