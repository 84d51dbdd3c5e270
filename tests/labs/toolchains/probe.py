"""Asking programs for their version, and saying in one line why none of them will do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path


class MissingToolchainError(Exception):
    """A toolchain is not there, or only in another version; the message is one line that says which, and what to do."""


class UnusableToolchainError(MissingToolchainError):
    """A toolchain is there, and something is wrong with it; the message is one line that says what, and what to do."""


def asked(*command: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> tuple[bool, str]:
    """Run a program that is to answer at once.

    Args:
        command: the program and its arguments.
        env: its environment; this process's by default.
        cwd: where it runs.

    Returns:
        Whether it succeeded, and all that it printed.
    """
    try:
        done = subprocess.run(
            [str(part) for part in command], env=env, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors="replace", check=False, timeout=180,
        )  # fmt: skip
    except OSError as error:
        return False, error.strerror or str(error)
    except subprocess.TimeoutExpired:
        return False, "no answer within three minutes"
    return done.returncode == 0, done.stdout + done.stderr or f"exit code {done.returncode}"


def said(output: str) -> str:
    """Return the line of an output that says what is wrong: what calls itself an error, else the first."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    wrong = [line for line in lines if re.match(r"(\S+: )?(fatal |fatal: )?error\b", line, re.IGNORECASE)]
    return (wrong or lines or ["no output"])[0][:200]


def choose(
    what: str,
    candidates: Iterable[Path],
    pattern: str,
    arguments: Sequence[str],
    advice: str,
    env: Mapping[str, str] | None = None,
) -> Path:
    """Return the first program that reports the right version.

    Args:
        what: the program with the version, for an error.
        candidates: programs; those after the first good one are not asked.
        pattern: what the right one prints.
        arguments: let it print its version.
        advice: what to do where there is none.
        env: of the programs; this process's by default.

    Raises:
        MissingToolchainError: there is none, or in other versions only.
        UnusableToolchainError: one does not work.
    """
    broken: list[str] = []
    others: list[str] = []
    for path in candidates:
        works, output = asked(path, *arguments, env=env)
        if works and re.search(pattern, output):
            return path
        (others if works else broken).append(f"{path}: {said(output)}")
    if broken:
        raise UnusableToolchainError(f"{what} cannot be used: {broken[0]}; {advice}")
    raise MissingToolchainError(f"{what} is missing{f' ({others[0]})' if others else ''}: {advice}")


def on_path(name: str) -> Iterator[Path]:
    """Yield the program of a name that PATH leads to, if there is one."""
    if found := shutil.which(name):
        yield Path(found)


def home() -> Path:
    """Return the user's folder, in which toolchains keep what they download.

    Raises:
        UnusableToolchainError: HOME does not say which.
    """
    name = os.environ.get("HOME", "")
    if not name.startswith("/"):
        raise UnusableToolchainError("HOME is not set: set it to a folder of yours, toolchains keep downloads there")
    return Path(name)


def writable(folder: Path) -> None:
    """Check that the user's folder can be written.

    Raises:
        UnusableToolchainError: it is none, or cannot.
    """
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise UnusableToolchainError(
            f"HOME is {folder}, which cannot be written ({error.strerror}): set it to a folder of yours,"
            " toolchains keep downloads there"
        ) from None
