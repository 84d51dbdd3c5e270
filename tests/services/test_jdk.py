"""The JDK that a Java service builds with: JAVA_HOME's, else that on PATH, and one line where neither is the one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.labs.toolchains import ROOT

SCRIPT = ROOT / "template/[[ java ]]/.golden-path/jdk.sh"


def jdk(home: Path, version: str, *, compiler: bool = True) -> Path:
    """Write a JDK that says what it is, and does nothing else."""
    (home / "bin").mkdir(parents=True)
    for name, text in {
        "java": f"printf '    java.home = {home}\\n    java.version = {version}\\n' >&2",
        **({"javac": ""} if compiler else {}),
    }.items():
        (home / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (home / "bin" / name).chmod(0o755)
    return home


def asked(path: Path, java_home: Path | str = "") -> subprocess.CompletedProcess[str]:
    """Run the script where there are no other programs than it needs."""
    path.mkdir(parents=True, exist_ok=True)
    for name in ("bash", "sed"):
        (path / name).symlink_to(shutil.which(name) or name)
    env = {"PATH": str(path), "JAVA_HOME": str(java_home)}
    return subprocess.run(
        [path / "bash", SCRIPT, "25"], env=env, capture_output=True, text=True, timeout=180, check=False
    )


def test_java_home_comes_before_path_and_path_where_it_is_another(tmp_path: Path) -> None:
    right, other = jdk(tmp_path / "right", "25.0.3"), jdk(tmp_path / "other", "25.0.1")
    old = jdk(tmp_path / "old", "17.0.15")
    assert asked(other / "bin", right).stdout == f"{right}\n"
    (other / "bin/bash").unlink()
    (other / "bin/sed").unlink()
    assert asked(other / "bin", old).stdout == f"{other}\n"


@pytest.mark.parametrize(
    ("java_home", "on_path", "found"),
    [
        ("", "", "none"),
        ("missing", "", "no {folder}/missing/bin/java"),
        ("missing", "17.0.15", "no {folder}/missing/bin/java, 17.0.15 in {folder}/path"),
        ("25-ea", "", "25-ea in {folder}/25-ea"),  # a runtime, which compiles nothing
    ],
)
def test_what_is_there_instead_is_said(tmp_path: Path, java_home: str, on_path: str, found: str) -> None:
    if java_home == "25-ea":
        jdk(tmp_path / java_home, java_home, compiler=False)
    if on_path:
        jdk(tmp_path / "path", on_path)
    done = asked(tmp_path / "path/bin", tmp_path / java_home if java_home else "")
    said = found.format(folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        f"JDK 25 is needed, found {said}: install it (for example Eclipse Temurin 25) and set JAVA_HOME to it\n"
    )
