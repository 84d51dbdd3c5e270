"""Running git: without prompts, hooks or a pager, bounded in time, and with its reason as one line."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from fleet.errors import Exit, FleetError

TIMEOUT = 900
_SETTINGS = (
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.quotePath=false",
    "-c",
    "color.ui=false",
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=false",
)
# What a caller has set for a repository of its own must not lead us to another one.
_FOREIGN = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
            "GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PREFIX")  # fmt: skip


class GitError(Exception):
    """git failed.

    Args:
        verb: which of its commands.
        reason: the line of its output that says why.
    """

    def __init__(self, verb: str, reason: str) -> None:
        super().__init__(f"git {verb}: {reason}")
        self.reason = reason


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment that git runs in.

    Args:
        extra: variables to add.

    Returns:
        The caller's variables, without those that point git at a repository.
    """
    variables = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    return {**variables, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", **(extra or {})}


def run(
    *arguments: str | Path,
    cwd: Path | None = None,
    data: bytes | None = None,
    codes: tuple[int, ...] = (0,),
    env: Mapping[str, str] | None = None,
) -> bytes:
    """Run git.

    Args:
        arguments: what comes after ``git``, the command first.
        cwd: where.
        data: its standard input.
        codes: exit codes that are no failure.
        env: variables to add.

    Returns:
        Its standard output.

    Raises:
        GitError: it failed, or took longer than ``TIMEOUT`` seconds.
        FleetError: git is not installed.
    """
    verb = next(str(word) for word in arguments if not str(word).startswith("-"))
    try:
        done = subprocess.run(
            ["git", *_SETTINGS, *arguments],
            cwd=cwd,
            env=environment(env),
            capture_output=True,
            check=False,
            timeout=TIMEOUT,
            input=data or b"",
        )
    except FileNotFoundError as error:
        raise FleetError(f"git cannot be run: {error.strerror}: {error.filename}") from None
    except subprocess.TimeoutExpired:
        raise GitError(verb, f"no end after {TIMEOUT} seconds") from None
    if done.returncode not in codes:
        raise GitError(verb, _reason(done.stderr))
    return done.stdout


def text(*arguments: str | Path, cwd: Path | None = None, codes: tuple[int, ...] = (0,)) -> str:
    """Run git, and return its output as text without the last line's end.

    Raises:
        GitError: it failed.
    """
    return run(*arguments, cwd=cwd, codes=codes).decode(errors="surrogateescape").rstrip("\n")


def _reason(output: bytes) -> str:
    lines = [line for line in output.decode(errors="replace").splitlines() if line.strip()]
    named = [line for line in lines if line.startswith(("fatal:", "error:"))]
    return (named or lines or ["failed"])[0].removeprefix("fatal: ").removeprefix("error: ")


def refuse(error: GitError, message: str, code: Exit) -> FleetError:
    """Return the error of ours for one of git's, with git's reason at its end."""
    return FleetError(f"{message} ({error.reason})", code)
