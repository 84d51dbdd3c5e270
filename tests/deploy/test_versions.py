"""What a build is called: git says so, or there is no git; a repository that git refuses to read builds nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.labs import template as lab

NONE = ("0.0.0-dev", "unknown", "0")
SAID = 'said: ; @printf "%s %s %s" "$$VERSION" "$$REVISION" "$$COMMIT_TIME"'


@pytest.fixture(scope="module")
def first(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service without git; its language does not matter."""
    return lab.render(template, tmp_path_factory.mktemp("versions") / "orders", {"service_name": "orders"})


@pytest.fixture
def service(first: Path, tmp_path: Path) -> Path:
    return shutil.copytree(first, tmp_path / "orders", symlinks=True)


def make(service: Path, *arguments: str, **env: str) -> tuple[int, str]:
    """Run make; returns its exit code and what it prints."""
    given = {name: value for name, value in os.environ.items() if name not in ("VERSION", "REVISION", "COMMIT_TIME")}
    done = subprocess.run(
        ["make", "--silent", *arguments], cwd=service, env={**given, **env}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout


def said(service: Path) -> tuple[str, ...]:
    code, output = make(service, "--eval", SAID, "said")
    assert code == 0, output
    return tuple(output.split(" "))


def test_as_git_says_it(service: Path) -> None:
    lab.commit_all(service)
    lab.git(service, "tag", "release/1.0+7")
    commit = lab.git(service, "rev-parse", "HEAD")
    assert said(service) == ("release/1.0+7", commit, "1767225600")
    (service / "README.md").write_text("changed\n")
    assert said(service)[0] == "release/1.0+7-dirty"


UNFIT = {"v1'x": "'", 'v1"x"': '"', "v1$(x)": "$", "v1@x@": "@", "v1`x`": "`", "a b": " ", "ü1": "ü", "v1\\x": "\\"}


def unfit(name: str, value: str) -> str:
    shown = repr(UNFIT[value])
    rule = f"{name} must be ASCII without spaces, quotes, \\, $ and @"
    return f"{rule}, not with {shown}: name the tag otherwise, or pass {name}="


@pytest.mark.parametrize("name", ["VERSION", "REVISION"])
def test_a_name_that_would_not_arrive_is_refused(service: Path, name: str) -> None:
    for value in UNFIT:
        given = {**os.environ, "VERSION": "v1", "REVISION": "r", name: value}
        command = [sys.executable, ".golden-path", "version", "build"]
        done = subprocess.run(command, cwd=service, env=given, capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{unfit(name, value)}\n")


def test_both_verbs_that_build_ask_that_first(service: Path) -> None:
    value = "v1'x"
    for verb, before in (("build", ""), ("image", "  FAIL  image: ")):
        code, output = make(service, verb, VERSION=value, REVISION="r")
        assert code != 0
        assert output.splitlines()[0] == before + unfit("VERSION", value)


def test_a_folder_without_git_and_one_without_a_commit_have_no_version(service: Path) -> None:
    assert said(service) == NONE
    lab.git(service, "init", "--quiet", "--initial-branch=main")
    assert said(service) == NONE


def owned_by_another(service: Path) -> dict[str, str]:
    """As in a job's container or a devcontainer, where the checkout belongs to a user outside."""
    lab.commit_all(service)
    return {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}


def worktree_of_nowhere(service: Path) -> dict[str, str]:
    """As in a container into which a worktree is mounted without the repository that it belongs to."""
    (service / ".git").write_text("gitdir: /somewhere/.git/worktrees/orders\n")
    return {}


def damaged(service: Path) -> dict[str, str]:
    lab.commit_all(service)
    shutil.rmtree(service / ".git/objects")
    (service / ".git/objects").mkdir()
    return {}


def no_program(service: Path) -> dict[str, str]:
    lab.commit_all(service)
    programs = service.parent / "programs"
    programs.mkdir()
    for name in ("make", "bash", "sh"):
        (programs / name).symlink_to(str(shutil.which(name)))
    (programs / "python3").symlink_to(Path(sys.executable).resolve())
    return {"PATH": str(programs)}


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        (owned_by_another, "fatal: detected dubious ownership in repository at"),
        (worktree_of_nowhere, "fatal: not a git repository: /somewhere/.git/worktrees/orders"),
        (damaged, "fatal: "),
        (no_program, "git is missing: install it, or pass VERSION and REVISION"),
    ],
)
def test_what_git_refuses_builds_nothing(service: Path, broken: Callable[[Path], dict[str, str]], line: str) -> None:
    """Whatever is asked for but help; git's own line says what is wrong, and once."""
    env = broken(service)
    before = sorted(service.rglob("*"))
    for verb in ("build", "image", "test", "contract-publish", "image-released"):
        code, output = make(service, verb, **env)
        assert code == 2, output
        assert output.startswith(line), output
        assert "git does not say what is built here" in output
    assert make(service, "build", VERSION="v1", **env)[0] == 2, "the commit is not known either"
    assert [path for path in sorted(service.rglob("*")) if path not in before and "__pycache__" not in str(path)] == []
    code, output = make(service, "help", **{name: value for name, value in env.items() if name != "PATH"})
    assert (code, "setup" in output) == (0, True), output


def test_given_values_need_no_git(service: Path) -> None:
    """As where an image is built of an archive of the sources."""
    env = owned_by_another(service)
    given = {"VERSION": "v1", "REVISION": "1" * 40, "COMMIT_TIME": "7"}
    code, output = make(service, "--eval", SAID, "said", **env, **given)
    assert (code, output) == (0, f"v1 {'1' * 40} 7")
