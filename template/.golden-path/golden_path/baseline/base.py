"""The base of a change: which commit it is, and its files beside those of the work tree."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from golden_path.baseline.running import environment
from golden_path.service.errors import NoAnswerError, WrongInputError

_MAIN = ("origin/HEAD", "origin/main", "main")


def found(revision: str) -> str:
    """Return the commit that the work tree is compared with, empty where nothing differs from it.

    Args:
        revision: its name; if empty, it is where HEAD left the main branch.

    Raises:
        WrongInputError: git does not know it.
    """
    head = _git("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if revision:
        commit = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        if not commit:
            raise WrongInputError(f"BASE: git knows no commit {revision!r}; name one that is here (git fetch)")
    else:
        bases = (_git("merge-base", "HEAD", main) for main in _MAIN)
        commit = next(filter(None, bases), "")
        if not commit:
            raise WrongInputError("git does not say where HEAD left main: fetch its history, or set BASE=REVISION")
    same = commit == head and not _git("status", "--porcelain")
    return "" if same else commit


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """Yield a folder with the files of a commit, as a work tree of this repository, which is removed afterwards.

    Raises:
        NoAnswerError: git cannot write them.
    """
    with tempfile.TemporaryDirectory(prefix="baseline-") as place:
        # The folder has the repository's name: what is derived from it is the same.
        folder = Path(place) / Path.cwd().name
        add = ["git", "-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet", "--detach", str(folder), commit]
        done = subprocess.run(add, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NoAnswerError(f"git cannot write the base beside: {done.stderr.strip()}")
        try:
            yield folder
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(folder)], capture_output=True, check=False)


def build(folder: Path) -> None:
    """Build the service in a folder, its model included.

    Raises:
        NoAnswerError: it does not build; with the end of what was said.
    """
    done = subprocess.run(
        ["make", "--silent", "build"], cwd=folder, env=environment(), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        end = "\n".join(done.stdout.strip().splitlines()[-20:])
        raise NoAnswerError(f"the base does not build (BASE=REVISION names another):\n{end}")
