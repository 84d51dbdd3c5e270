"""The one error of the labs, and running the programs that they need."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path


class LabError(Exception):
    """Something is missing or failed; the message is one line that says what to do."""


def last_line(text: str) -> str:
    """Return the last line that says something: programs end with the reason of a failure."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "no output")


def run(
    *command: str | Path,
    failure: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str = "",
    timeout: float = 1800,
) -> str:
    """Run a program to its end.

    Args:
        command: the program and its arguments.
        failure: what an error message starts with: what failed, or what to do.
        env: its whole environment; this process's by default.
        cwd: where it runs.
        stdin: its standard input.
        timeout: seconds.

    Returns:
        Its standard output.

    Raises:
        LabError: it is missing, failed or took too long.
    """
    try:
        done = subprocess.run(
            [str(part) for part in command],
            env=env,
            cwd=cwd,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabError(f"{failure}: {error}") from None
    if done.returncode != 0:
        raise LabError(f"{failure}: {last_line(done.stderr or done.stdout)}")
    return done.stdout
