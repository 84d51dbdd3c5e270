"""The check of a service without a forge: a command of ``fleet.yaml``, run in a checkout of a commit."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from golden_path.rendering import surroundings
from golden_path.rollout.clones import CHECKS, Clone
from golden_path.rollout.forges import GREEN, RED
from golden_path.store import git, processes
from golden_path.untrusted import credentials

TIMEOUT = 3600
KEPT = 4000  # characters of what is written, from its end
READ = 1 << 20  # bytes of the output, from its end


def run(clone: Clone, commit: str, command: str, environment: Sequence[str] = ()) -> str:
    """Run the check, and write its result where any other program would.

    It sees no secret of ours but those that it is given by name, and no value of one is in what is written.

    Args:
        clone: of the service, held.
        commit: to check out.
        command: for bash.
        environment: names of variables that it sees besides those that every program needs.

    Returns:
        ``green`` or ``red``.

    Raises:
        FleetError: it was interrupted, or the result cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="golden-path-check-") as place:
        target = Path(place, clone.path.stem)
        git.run("clone", "--quiet", "--shared", "--no-checkout", "--", clone.path, target)
        git.run("checkout", "--quiet", "--detach", commit, cwd=target)
        code, output = _run(command, target, environment)
    result = GREEN if code == 0 else RED
    said = credentials.redacted(f"{command}: exit code {code}\n{output}", surroundings.names(environment))
    text = f"{result}\n{said if len(said) <= KEPT else said[-KEPT:]}"
    blob = git.run("hash-object", "-w", "--stdin", cwd=clone.path, data=text.encode()).decode().strip()
    clone.push(blob, f"{CHECKS}{commit}", clone.tip(f"{CHECKS}{commit}"))
    return result


def _run(command: str, folder: Path, environment: Sequence[str]) -> tuple[int | str, str]:
    ci = {"CI": os.environ.get("CI", "true")}
    with surroundings.made(environment, ci) as variables:
        code, output = processes.last(["bash", "-c", command], env=variables, cwd=folder, limit=TIMEOUT, read=READ)
    return f"none, after {TIMEOUT} seconds" if code is None else code, output.decode(errors="replace")
