"""Copier as a service installed it, but run only once for the same inputs: what it wrote then is put there again.

One run of it costs seconds, and most tests of what is done with its result ask for the same one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.labs.places import alone, digest, once, remove
from tests.labs.toolchains import ROOT

_GIT = ".git"


def real(program: Path) -> Path:
    """Return where the real one is, beside the program that remembers."""
    return program.with_name(f"real-{program.name}")


def install(program: Path, kept: Path) -> None:
    """Put the program that remembers in the place of the real one, which goes on beside it.

    Args:
        program: where Copier is; it may be a hard link, which stays as it is elsewhere.
        kept: where the results are kept.
    """
    program.rename(real(program))
    program.write_text(
        f"#!{sys.executable} -IB\nimport sys\nfrom pathlib import Path\n\nsys.path.insert(0, {str(ROOT)!r})\n"
        f"from tests.labs.remembered import main\n\n"
        f"sys.exit(main(Path(sys.argv[0]), Path({str(kept)!r}), sys.argv[1:]))\n",
        encoding="utf-8",
    )
    program.chmod(0o755)


def main(program: Path, kept: Path, arguments: Sequence[str]) -> int:
    """Write what Copier writes for these arguments into the folder that they name last.

    Args:
        program: this one.
        kept: where the results are kept.
        arguments: Copier's; the folder is the last one.

    Returns:
        Copier's exit code.
    """
    target = Path(arguments[-1])
    if target.exists() and _git(target, "status", "--porcelain"):
        return subprocess.run([real(program), *arguments], check=False).returncode
    result = kept / digest(*_inputs(arguments[:-1]), _state(target))
    with alone(result.with_suffix(".running")):
        if not result.exists():
            done = subprocess.run([real(program), *arguments], check=False)
            if done.returncode == 0:
                once(result, lambda partial: _copy(target, partial))
            return done.returncode
    for path in target.iterdir() if target.is_dir() else ():
        if path.name != _GIT:
            remove(path)
    _copy(result, target)
    return 0


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns(_GIT))


def _inputs(arguments: Sequence[str]) -> list[object]:
    """Return what counts of arguments: of a file its content, of a repository all that its refs name."""
    found: list[object] = [os.environ.get("GOLDEN_PATH_GUARD", "")]
    for argument in arguments:
        path = Path(argument)
        if path.is_absolute() and path.is_dir():
            found.append(_git(path, "for-each-ref"))
        found.append(path if path.is_absolute() and path.is_file() else argument)
    return found


def _state(folder: Path) -> str:
    """Return what a clean work tree holds; of a folder that is not there yet its name, which templates may read."""
    return _git(folder, "rev-parse", "HEAD^{tree}") if folder.exists() else folder.name


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout
