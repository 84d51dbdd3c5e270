"""Whatever is wrong: one line, an exit code, and the repository as before."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from golden_path.rendering.render import Renderer
from tests.labs.template import commit_all, git
from tests.updates import cases, foreign
from tests.updates.commands import as_process, command, environment, golden_path

BRANCH = "golden-path/v2.0.0"
ANSWERS = foreign.ANSWERS


@pytest.fixture
def source(tmp_path: Path) -> Path:
    steps = [foreign.line("a.txt", 9, cases.THEIRS), foreign.write("new.txt")]
    return foreign.template(tmp_path / "template", cases.FIRST, steps)


@pytest.fixture
def service(source: Path, tmp_path: Path, renderer: Renderer) -> Path:
    return foreign.service(renderer, source, tmp_path / "service", foreign.line("a.txt", 27, cases.MINE))


def refused(service: Path, code: int, reason: str, *arguments: str) -> None:
    before = foreign.state(service)
    done = golden_path("apply", service, *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("golden-path: ")
    assert len(done.stderr.splitlines()) == 1
    assert reason in done.stderr
    assert foreign.state(service) == before
    assert git(service, "fsck", "--strict") == ""


def edit_answers(old: str, new: str) -> Callable[[Path], None]:
    def step(service: Path) -> None:
        text = (service / ANSWERS).read_text()
        assert old in text
        (service / ANSWERS).write_text(text.replace(old, new))
        commit_all(service, "Answers")

    return step


@pytest.mark.parametrize(
    ("edit", "code", "reason"),
    [
        (edit_answers("_commit: v1.0.0", "_commit: v9.9.9"), 5, "has no version 'v9.9.9'; the newest are v1.0"),
        (edit_answers("_commit: v1.0.0", "_commit: --upload-pack=x"), 5, "has no version '--upload-pack=x'"),
        (edit_answers("_commit: v1.0.0\n", ""), 6, "has no _src_path and _commit"),
        (edit_answers("_src_path: ", "_src_path: ../"), 6, "which depends on the folder"),
        (edit_answers("name: orders", "name: [a"), 6, "is not valid YAML in line"),
        (edit_answers("name: orders", "name: [a, b]"), 6, "does not accept an answer of .copier-answers.yml"),
    ],
)  # fmt: skip
def test_hand_edited_answers(edit: Callable[[Path], None], code: int, reason: str, service: Path) -> None:
    edit(service)
    refused(service, code, reason)


def test_an_answer_that_was_edited_by_hand_is_noted(service: Path) -> None:
    edit_answers("# By Copier.", "# By me.")(service)
    assert "it was edited by hand" in golden_path("plan", service).stdout


def test_missing_answers_file(service: Path) -> None:
    (service / ANSWERS).unlink()
    commit_all(service, "Gone")
    refused(service, 6, "the service does not know its template")


def test_several_answers_files(service: Path) -> None:
    (service / ".copier-answers.more.yml").write_text((service / ANSWERS).read_text())
    commit_all(service, "More")
    refused(service, 6, "choose with --answers-file")
    assert golden_path("apply", service, "--answers-file", ANSWERS).returncode == 0


@pytest.mark.parametrize(
    ("version", "reason"),
    [("v3.0.0", "has no version 'v3.0.0'"), ("--help", "has no version"), ("v0.1.0", "is older than v1.0.0")],
)
def test_unknown_version(version: str, reason: str, source: Path, service: Path) -> None:
    git(source, "tag", "v0.1.0", "v1.0.0~0")
    git(source, "tag", "--force", "v0.1.0", git(source, "commit-tree", "-m", "old", "v1.0.0^{tree}"))
    refused(service, 5, reason, f"--to={version}")


def test_template_that_cannot_be_reached(source: Path, service: Path) -> None:
    source.rename(source.with_name("elsewhere"))
    refused(service, 5, "cannot be reached: check the address and your access to it")


def test_new_question_without_a_default(source: Path, service: Path) -> None:
    (source / "copier.yml").write_text(foreign.SETTINGS + foreign.QUESTIONS + "owner: {type: str}\n")
    git(source, "commit", "--quiet", "--all", "--message", "Question")
    git(source, "tag", "v3.0.0")
    refused(service, 6, "asks 'owner' and has no default: pass --data owner=VALUE")
    assert golden_path("apply", service, "--data", "owner=me").returncode == 0
    assert "owner: me" in git(service, "show", f"golden-path/v3.0.0:{ANSWERS}")


def test_template_that_needs_trust(source: Path, service: Path, tmp_path: Path) -> None:
    (source / "copier.yml").write_text(foreign.SETTINGS + "_tasks: [touch made-by-task]\n" + foreign.QUESTIONS)
    git(source, "commit", "--quiet", "--all", "--message", "Task")
    git(source, "tag", "v3.0.0")
    refused(service, 5, "pass --trust or list it under 'trust' in Copier's settings")
    assert golden_path("apply", service, "--trust").returncode == 0
    assert git(service, "show", "golden-path/v3.0.0:made-by-task") == ""
    golden_path("rollback", service)
    (tmp_path / "settings.yml").write_text(f"trust: ['{source}']\n")
    assert as_process("apply", service).returncode == 0


def test_template_that_cannot_be_rendered(source: Path, service: Path) -> None:
    foreign.write("bad.txt.jinja", "{{ nothing.here }}")(source / "template")
    commit_all(source, "Bad")
    git(source, "tag", "v3.0.0")
    refused(service, 5, "version v3.0.0 of the template cannot be rendered: 'nothing' is undefined")


def test_no_repository(tmp_path: Path, service: Path) -> None:
    done = golden_path("apply", tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (4, 1)
    done = golden_path("plan", service / "dir")
    assert done.returncode == 4
    assert f"is not the root of its repository: name {service}" in done.stderr
    git(tmp_path, "init", "--quiet", "empty")
    assert "has no commit that can be read" in golden_path("plan", tmp_path / "empty").stderr


def test_dirty_work_tree(service: Path) -> None:
    """It is not touched, and not in the way."""
    foreign.line("a.txt", 1, "not committed")(service)
    foreign.write("untracked.txt")(service)
    before = foreign.state(service)
    refused(service, 4, "--checkout needs a work tree without uncommitted changes", "--checkout")
    done = golden_path("apply", service)
    assert done.returncode == 0
    assert done.stderr == "golden-path: uncommitted changes stay in the work tree and are not part of the upgrade\n"
    assert foreign.state(service)[1:] == before[1:]
    assert "not committed" not in git(service, "show", f"{BRANCH}:a.txt")


def test_detached_head(service: Path) -> None:
    git(service, "switch", "--quiet", "--detach")
    assert golden_path("apply", service).returncode == 0
    assert git(service, "rev-parse", f"{BRANCH}^") == git(service, "rev-parse", "HEAD")


def test_shallow_and_bare_clones(service: Path, tmp_path: Path) -> None:
    for form in (["--depth=1"], ["--bare"]):
        clone = tmp_path / f"clone{form[0]}"
        git(tmp_path, "clone", "--quiet", *form, service.as_uri(), str(clone))
        assert golden_path("apply", clone).returncode == 0
        assert git(clone, "fsck", "--strict") == ""
        assert cases.THEIRS in git(clone, "show", f"{BRANCH}:a.txt")
        assert golden_path("status", clone).returncode == 0


def test_two_at_once(service: Path) -> None:
    handle = os.open(service / ".git", os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        refused(service, 7, "another golden-path process is using")
        assert golden_path("plan", service).returncode == 0
    finally:
        os.close(handle)
    runs = [subprocess.Popen(command("apply", service), env=environment(), stderr=subprocess.PIPE) for _ in range(4)]
    codes = {(run.wait(), len((run.stderr or run).read().splitlines())) for run in runs}  # type: ignore[union-attr]
    assert codes <= {(0, 0), (7, 1)}
    assert (0, 0) in codes
    assert git(service, "rev-list", "--count", f"HEAD..{BRANCH}") == "1"


@pytest.mark.parametrize(
    ("mount", "reason"),
    [
        ("mount --bind service service && mount -o remount,bind,ro service service", "read-only"),
        ("cp -a service kept && mount -t tmpfs -o size=400k full service && cp -a kept/. service/ && "
         "head -c 9999999 /dev/zero > service/.git/filler || true", "is the disk full"),
    ],
    ids=["read-only", "full disk"],
)  # fmt: skip
def test_repository_that_cannot_be_written(mount: str, reason: str, service: Path, tmp_path: Path) -> None:
    apart = ["unshare", "--mount", *(["--map-root-user"] if os.geteuid() else [])]
    if subprocess.run([*apart, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("mounting needs root, or namespaces of users")
    run = " ".join(command("apply", tmp_path / "service"))
    look = "cd service && git for-each-ref && git status --porcelain && git fsck --strict && cd .."
    script = f"({mount}) 2>&1; {look}; echo ---; {run} 2>&1; echo code $?; echo ---; {look}"
    done = subprocess.run(
        [*apart, "sh", "-c", script],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    before, said, after = done.stdout.split("---\n")
    assert len(said.splitlines()) == 2, done
    assert reason in said
    assert "code 4" in said
    assert before.endswith(after)
    assert golden_path("apply", service).returncode == 0


def test_killed_before_any_call_of_git(service: Path, tmp_path: Path) -> None:
    """Kill -9 at each step of apply: the repository is as before or complete, and the next run completes it."""
    golden_path("apply", service)
    complete = git(service, "rev-parse", BRANCH)
    golden_path("rollback", service)
    before = foreign.state(service)
    count, fatal = tmp_path / "count", tmp_path / "fatal"
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text(
        f'#!/bin/sh\necho "$@" >> {count}\n'
        f'[ "$(wc -l < {count})" -ne "$(cat {fatal})" ] || kill -9 $PPID\nexec {real} "$@"\n'
    )
    fake.chmod(0o755)
    path = f"{fake.parent}:{os.environ['PATH']}"
    ends = []
    for number in range(1, 200):
        count.write_text("")
        fatal.write_text(f"{number}\n")
        done = as_process("apply", service, PATH=path)
        if done.returncode == 0:
            break
        assert done.returncode in (-signal.SIGKILL, 5), done  # the process that renders calls git too
        _as_before_or_complete(service, before, complete)
        ends.append(branch_of(service))
        if ends[-1]:
            golden_path("rollback", service)
    assert done.returncode == 0
    assert len(ends) > 10
    assert git(service, "rev-parse", BRANCH) == complete


@pytest.mark.parametrize("delay", [0.05, 0.4, 0.7, 0.9, 1.2])
def test_killed_at_any_time(delay: float, service: Path) -> None:
    before = foreign.state(service)
    process = subprocess.Popen(command("apply", service), env=environment(), start_new_session=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    killed = branch_of(service)
    assert golden_path("apply", service).returncode == 0
    complete = git(service, "rev-parse", BRANCH)
    assert killed in ("", complete)
    assert foreign.state(service)[1:] == before[1:]
    assert git(service, "fsck", "--strict", "--no-dangling") == ""


def branch_of(service: Path) -> str:
    return git(service, "for-each-ref", "--format=%(objectname)", f"refs/heads/{BRANCH}")


def _as_before_or_complete(service: Path, before: tuple[str, ...], complete: str) -> None:
    assert branch_of(service) in ("", complete)
    assert foreign.state(service)[1:] == before[1:]
    assert git(service, "fsck", "--strict", "--no-dangling") == ""
