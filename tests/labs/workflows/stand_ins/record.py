"""The log of calls: one JSON line for each action and each recorded command."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

MARK = "lab-call:"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let one process at a time read or write the lab's files; jobs run side by side."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def folder() -> Path:
    """Return the folder of the run."""
    return Path(os.environ["LAB_RUN"])


def settings() -> Any:
    """Return what the run was told about the stand-ins."""
    return json.loads((folder() / "settings.json").read_text(encoding="utf-8"))


def write(call: Mapping[str, Any]) -> None:
    """Append a call.

    Args:
        call: what happened.
    """
    key = uuid.uuid4().hex
    entry = {"key": key, "job": os.environ.get("GITHUB_JOB", ""), "step": os.environ.get("GITHUB_ACTION", ""), **call}
    with (folder() / "calls.jsonl").open("a", encoding="utf-8") as log:
        log.write(f"{json.dumps(entry)}\n")
    # The environment does not tell which job of a matrix this is, nor which step called the action. act's log does: it
    # holds this line at that job and step. Standard output is not free for it, a caller may read that.
    with contextlib.suppress(OSError), Path("/dev/tty").open("w", encoding="utf-8") as terminal:
        terminal.write(f"{MARK}{key}\n")
