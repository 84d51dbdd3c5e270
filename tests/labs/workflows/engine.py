"""Programs on PATH that a job of the workflow lab takes for the runner's own, set up for the image lab."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

DOCKER = ("DOCKER_CONFIG", "DOCKER_HOST", "BUILDX_BUILDER", "BUILDX_BAKE_FILE", "SBOM_SCANNER")


def wrap(folder: Path, program: str, env: Mapping[str, str], *, names: Sequence[str] = (), script: str = "") -> None:
    """Write a program of the same name that sets variables and calls the real one.

    A job has the environment of a runner and not that of the test, so what the image lab needs comes with the program.

    Args:
        folder: goes in front of PATH.
        program: the name.
        env: where the real one is found, and the variables.
        names: the variables to set.
        script: shell lines before the call; ``"$@"`` are the arguments, ``$real`` the real program.

    Raises:
        FileNotFoundError: there is no such program.
    """
    real = shutil.which(program, path=env["PATH"])
    if real is None:
        raise FileNotFoundError(program)
    exports = "".join(f"export {name}={shlex.quote(env[name])}\n" for name in names if name in env)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / program
    file.write_text(f'#!/bin/bash\nreal={shlex.quote(real)}\n{exports}{script}exec "$real" "$@"\n', encoding="utf-8")
    file.chmod(0o755)


def before(env: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return the environment with a folder in front of PATH."""
    return {**env, "PATH": os.pathsep.join([str(folder), env["PATH"]])}
