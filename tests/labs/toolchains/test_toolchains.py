"""A toolchain that is missing, or is there and cannot be used, is named in one line that says what to do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from extensions import pins
from tests.labs import events, toolchains
from tests.labs.toolchains import MissingToolchainError, UnusableToolchainError
from tests.labs.toolchains.probe import said

GO, JAVA, NODE, PYTHON = (pins.load()["runtimes"][name] for name in toolchains.LANGUAGES)
# Reports another version than the module's go.mod wants.
OLD_GO = "echo go version go1.24.1 linux/amd64"
JDK = f"""echo 'openjdk version "{JAVA}.0.1" 2026-01-20' >&2"""
JDK_17 = """echo 'openjdk version "17.0.15" 2025-04-15' >&2"""
SHIM = """echo "pyenv: python3.13: command not found
The python3.13 command exists in these Python versions: 3.13.0" >&2; exit 127"""
NO_DEFAULT = """cat >&2 <<'END'; exit 1
error: rustup could not choose a version of cargo to run, because no default is configured.
help: run 'rustup default stable' to download the latest stable release of Rust.

Stack backtrace:
   0: anyhow::error::<impl core::convert::From<E> for anyhow::Error>::from
  13: <unknown>
END"""
MAVEN = """[ -x "$JAVA_HOME/bin/java" ] || { echo JAVA_HOME is not defined correctly >&2; exit 1; }
echo Apache Maven 3.8.7"""
Fake = Callable[[str, str], Path]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with git, make and bash, an empty HOME, and no toolchain."""
    for name in ("git", "make", "bash", "cat", "uname"):
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    (tmp_path / "home").mkdir()
    for name in ("JAVA_HOME", "XDG_CACHE_HOME", "RUSTUP_HOME", "UV_CACHE_DIR", "UV_PYTHON_INSTALL_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setattr(toolchains, "JVMS", (str(tmp_path / "jvm"),))
    return tmp_path


@pytest.fixture
def fake(folder: Path) -> Fake:
    """Write a program that does what a shell script says."""

    def write(path: str, script: str) -> Path:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        file.chmod(0o755)
        return file

    return write


def refused(language: str) -> tuple[type[Exception], str]:
    """Return the kind of the error, which is one line, and the line."""
    with pytest.raises(MissingToolchainError) as caught:
        toolchains.locate.__wrapped__(language)
    assert len(str(caught.value).splitlines()) == 1
    return caught.type, str(caught.value)


GET_GO = f"install Go {GO} and put it on PATH"
GET_JDK = f"install JDK {JAVA} and set JAVA_HOME to it"
GET_PYTHON = f"install it and put python{PYTHON} on PATH"


@pytest.mark.parametrize(
    ("tool", "line"),
    [
        ("go", f"Go {GO} is missing: {GET_GO}"),
        ("java", f"JDK {JAVA} is missing: {GET_JDK}"),
        ("python", f"Python {PYTHON} is missing: {GET_PYTHON}"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_one_that_is_not_there(tool: str, line: str) -> None:
    assert refused(tool) == (MissingToolchainError, line)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo 'go: cannot find GOROOT directory: /gone' >&2; exit 2", "go: cannot find GOROOT directory: /gone"),
        (OLD_GO, "go version go1.24.1 linux/amd64"),
        ("echo go version go1.99.0 linux/amd64", "go version go1.99.0 linux/amd64"),
        (f"[ -e go.mod ] || {{ {OLD_GO}; exit; }}; echo go: download go{GO}: toolchain not available >&2; exit 1",
         f"go: download go{GO}: toolchain not available"),
        ("exit 3", "exit code 3"),
    ],
    ids=["cannot run", "older", "newer", "cannot switch", "silent"],
)  # fmt: skip
def test_a_go_that_is_there_and_unusable(script: str, says: str, fake: Fake) -> None:
    go = fake("bin/go", script)
    kind, line = refused("go")
    assert kind is UnusableToolchainError
    assert line.startswith(f"Go {GO} cannot be used: {go}: {says}; {GET_GO}")


def test_a_go_that_gets_the_one_that_is_wanted_is_used(fake: Fake) -> None:
    fake("bin/go", f"""[ -e go.mod ] || {{ {OLD_GO}; exit; }}; while read -r name version; do
[ "$name" != go ] || echo "go version go$version linux/amd64"; done <go.mod""")  # fmt: skip
    assert toolchains.locate.__wrapped__("go") == {}


def test_a_java_home_without_a_jdk(folder: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    fake("bin/java", JDK_17)
    monkeypatch.setenv("JAVA_HOME", str(folder / "gone"))
    line = f"JDK {JAVA} cannot be used: {folder}/gone/bin/java: No such file or directory; {GET_JDK}"
    assert refused("java") == (UnusableToolchainError, line)


def test_a_java_home_of_another_version(folder: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    java = fake("old/bin/java", JDK_17)
    monkeypatch.setenv("JAVA_HOME", str(folder / "old"))
    line = f'JDK {JAVA} is missing ({java}: openjdk version "17.0.15" 2025-04-15): {GET_JDK}'
    assert refused("java") == (MissingToolchainError, line)


def test_a_java_without_a_compiler(fake: Fake) -> None:
    java = fake("bin/java", JDK)
    line = f"JDK {JAVA} cannot be used: {java} has no javac beside it; {GET_JDK}"
    assert refused("java") == (UnusableToolchainError, line)


def test_a_maven_that_is_missing_or_broken(fake: Fake) -> None:
    fake("jvm/25/bin/java", JDK)
    fake("jvm/25/bin/javac", "")
    get = "install any Maven 3 and put it on PATH"
    assert refused("java") == (MissingToolchainError, f"Maven is missing: {get}")
    maven = fake("bin/mvn", "echo Error: could not find or load main class >&2; exit 1")
    says = "Error: could not find or load main class"
    assert refused("java") == (UnusableToolchainError, f"Maven cannot be used: {maven}: {says}; {get}")


def test_maven_gets_the_jdk_that_was_found(folder: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    java = fake("jvm/25/bin/java", JDK)
    fake("jvm/25/bin/javac", "")
    fake("bin/mvn", MAVEN)
    monkeypatch.setenv("JAVA_HOME", str(folder / "gone"))
    assert toolchains.locate.__wrapped__("java") == {"JAVA_HOME": folder / "jvm" / "25", "java": java.parent}


def test_a_shim_of_a_python_that_is_not_installed(fake: Fake) -> None:
    shim = fake(f"bin/python{PYTHON}", SHIM)
    line = f"Python {PYTHON} cannot be used: {shim}: pyenv: python3.13: command not found; {GET_PYTHON}"
    assert refused("python") == (UnusableToolchainError, line)


def test_behind_a_shim_there_may_be_one(fake: Fake) -> None:
    fake(f"bin/python{PYTHON}", SHIM)
    python = fake(f"pyenv/versions/{PYTHON}.0/bin/python{PYTHON}", f"echo Python {PYTHON}.0")
    assert toolchains.locate.__wrapped__("python") == {"python": python.parent}


def test_a_node_that_is_not_there_and_cannot_be_had(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    kind, line = refused("node")
    assert kind is MissingToolchainError
    assert line.startswith(f"Node.js {NODE} is missing, and uv could not install it: ")
    assert line.endswith(": install it and put it on PATH")
    # Nothing is left half installed, so the next one tries again.
    assert [path.suffix for path in (folder / "home/.cache/golden-path/toolchains").iterdir()] == [".lock"]


@pytest.mark.parametrize(
    ("home", "line"),
    [
        (None, "HOME is not set: set it to a folder of yours, toolchains keep downloads there"),
        ("", "HOME is not set: set it to a folder of yours, toolchains keep downloads there"),
        ("/proc", "HOME is /proc, which cannot be written (No such file or directory): set it to a folder of yours,"
         " toolchains keep downloads there"),
        ("/nowhere", "HOME is /nowhere, which cannot be written (No such file or directory): set it to a folder of"
         " yours, toolchains keep downloads there"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("folder")
def test_a_home_that_is_none(home: str | None, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if home is None:
        monkeypatch.delenv("HOME")
    else:
        monkeypatch.setenv("HOME", home)
    assert refused("go") == (UnusableToolchainError, line)


@pytest.fixture
def own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that is the user's own, whatever HOME says."""
    monkeypatch.setattr("pwd.getpwuid", lambda _: SimpleNamespace(pw_dir=str(folder / "own")))
    return folder / "own"


def no_rust() -> tuple[type[Exception], str]:
    with pytest.raises(MissingToolchainError) as caught:
        events.validator()
    assert len(str(caught.value).splitlines()) == 1
    return caught.type, str(caught.value)


GET_RUST = "install Rust 1.94 or newer (rustup default stable), the SDK of CDEvents is compiled with it"
SAYS = "error: rustup could not choose a version of cargo to run, because no default is configured."


@pytest.mark.usefixtures("own")
def test_rust_that_is_missing_or_old(fake: Fake) -> None:
    assert no_rust() == (MissingToolchainError, f"Rust 1.94 is missing: {GET_RUST}")
    cargo = fake("bin/cargo", "echo cargo 1.93.1")
    assert no_rust() == (MissingToolchainError, f"Rust 1.94 is missing ({cargo}: cargo 1.93.1): {GET_RUST}")


def test_rustup_without_a_default(own: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    cargo = fake("bin/cargo", NO_DEFAULT)
    broken = f"Rust 1.94 cannot be used: {cargo}: {SAYS}; "
    assert no_rust() == (UnusableToolchainError, broken + GET_RUST)
    # HOME is another one than that of the user, who has toolchains.
    (own / ".rustup" / "toolchains" / "stable").mkdir(parents=True)
    hint = f"set RUSTUP_HOME={own}/.rustup, where there are toolchains, or "
    assert no_rust() == (UnusableToolchainError, broken + hint + GET_RUST)
    monkeypatch.setenv("RUSTUP_HOME", str(own / ".rustup"))
    assert no_rust() == (UnusableToolchainError, broken + GET_RUST)


def test_what_a_program_says_is_its_error_and_not_the_end_of_a_backtrace() -> None:
    assert said("note: x\n  error: no default\n 13: <unknown>\n") == "error: no default"
    assert said("\n first \nsecond") == "first"
    assert said("") == "no output"
    assert os.linesep not in said("x" * 1000)
    assert len(said("x" * 1000)) == 200
