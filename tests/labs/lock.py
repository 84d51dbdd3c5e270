"""Bring every lock file of this project and of the shared part of the template up to date (``make lock``).

The locks of a language's own libraries are made by ``make lock`` in a service of that language.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

from tests.labs.toolchains import ROOT

SHARED_TOOLS = ("pact-python-cli", "pre-commit", "pre-commit-hooks")


def compile_lock(requirements: str | Path, target: Path, *arguments: str) -> None:
    """Resolve requirements into a lock with hashes for every platform, without the index's address.

    Args:
        requirements: requirement lines, or the path of a pyproject.toml.
        target: the lock file.
        arguments: more for ``uv pip compile``.

    Raises:
        subprocess.CalledProcessError: they cannot be resolved; uv says why.
    """
    lines = requirements if isinstance(requirements, str) else None
    source = "-" if isinstance(requirements, str) else str(requirements)
    form = ("--universal", "--generate-hashes", "--no-annotate", "--no-header", "--python-version", "3.11")
    uv = str(Path(sys.executable).parent / "uv")
    command = [uv, "pip", "compile", "--quiet", *form, source, "--output-file", str(target), *arguments]
    subprocess.run(command, input=lines, text=True, check=True, cwd=ROOT)


def main() -> None:
    """Write the locks."""
    tools = yaml.safe_load((ROOT / "pins.yaml").read_text(encoding="utf-8"))["tools"]
    make = ROOT / "template" / "make"
    compile_lock(ROOT / "pyproject.toml", ROOT / "requirements.txt", "--group", "dev")
    compile_lock(f"uv=={tools['uv']}\n", make / "uv.txt")
    compile_lock("".join(f"{name}=={tools[name]}\n" for name in SHARED_TOOLS), make / "tools.txt")


if __name__ == "__main__":
    main()
