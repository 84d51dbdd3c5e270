"""The check of a service without a forge: a command of ``fleet.yaml``, run in a checkout of a commit."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from pathlib import Path

from fleet import git
from fleet.rollout.clones import CHECKS, Clone
from fleet.rollout.forges import GREEN, RED

TIMEOUT = 3600
KEPT = 4000  # characters of the output, from its end


def run(clone: Clone, commit: str, command: str) -> str:
    """Run the check, and write its result where any other program would.

    Args:
        clone: of the service, held.
        commit: to check out.
        command: for bash.

    Returns:
        ``green`` or ``red``.

    Raises:
        FleetError: the result cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="golden-path-check-") as place:
        target = Path(place, clone.path.stem)
        git.run("clone", "--quiet", "--shared", "--no-checkout", "--", clone.path, target)
        git.run("checkout", "--quiet", "--detach", commit, cwd=target)
        code, output = _run(command, target)
    result = GREEN if code == 0 else RED
    text = f"{result}\n{command}: exit code {code}\n{output[-KEPT:]}"
    blob = git.run("hash-object", "-w", "--stdin", cwd=clone.path, data=text.encode()).decode().strip()
    clone.push(blob, f"{CHECKS}{commit}", clone.tip(f"{CHECKS}{commit}"))
    return result


def _run(command: str, folder: Path) -> tuple[int | str, str]:
    process = subprocess.Popen(
        ["bash", "-c", command], cwd=folder, env={**git.environment(), "CI": os.environ.get("CI", "true")},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        output, _ = process.communicate(timeout=TIMEOUT)
        return process.returncode, output.decode(errors="replace")
    except subprocess.TimeoutExpired:
        return f"none, after {TIMEOUT} seconds", ""
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
