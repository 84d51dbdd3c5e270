"""Bare clones of services in the cache: the default branch, and what the engine and its checks wrote.

A clone is a copy of what the service's own repository has, brought up to date by each run: what a killed run left in it
is forgotten, and whatever is to stay is pushed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from golden_path.errors import Exit, FleetError
from golden_path.store import branches, cache, git

CHECKS = "refs/golden-path/checks/"
HEAD = "refs/heads/default"  # whatever its name there
_REFS = (f"+HEAD:{HEAD}", f"+refs/heads/{branches.PREFIX}*:refs/heads/{branches.PREFIX}*", f"+{CHECKS}*:{CHECKS}*")
LIMIT = 10 << 30


class Clone:
    """A service's repository as this machine has it.

    Args:
        address: of the repository.

    Attributes:
        address: the same.
        path: the bare clone.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._folder = folder() / cache.key(address)
        name = address.rstrip("/").replace(":", "/").rsplit("/", 1)[-1].removesuffix(".git")
        self.path = self._folder / f"{name or 'service'}.git"

    @contextlib.contextmanager
    def fresh(self) -> Iterator[None]:
        """Bring the clone up to date, and hold it: no other run uses it meanwhile.

        Raises:
            FleetError: the repository cannot be reached, or has no commit.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with cache.locked(self._folder, wait=True):
            try:
                if not (self.path / "HEAD").exists():
                    self._make()
                self._fetch(self.path)
            except git.GitError as error:
                raise git.refuse(
                    error, f"{self.address} cannot be reached: check the address and your access to it", Exit.REPOSITORY
                ) from None
            os.utime(self._folder)
            yield

    def _make(self) -> None:
        with tempfile.TemporaryDirectory(dir=self._folder) as place:
            staged = Path(place, "clone.git")
            git.run("init", "--quiet", "--bare", "--initial-branch=default", staged)
            self._fetch(staged)
            staged.rename(self.path)

    def _fetch(self, path: Path) -> None:
        git.run("fetch", "--progress", "--prune", "--no-tags", "--no-write-fetch-head", "--",
                self.address, *_REFS, cwd=path)  # fmt: skip

    def tip(self, ref: str) -> str:
        """Return what a ref of the service's repository names; empty where there is none."""
        return git.text("rev-parse", "--verify", "--quiet", ref, cwd=self.path, codes=(0, 1))

    def push(self, value: str, ref: str, old: str) -> None:
        """Let a ref of the service's repository name something, if nobody moved it meanwhile.

        Args:
            value: an object of the clone's; empty to remove the ref.
            ref: its full name.
            old: what it names now; empty where there is none.

        Raises:
            FleetError: it cannot be written, or was moved.
        """
        try:
            git.run("push", "--progress", "--no-verify", f"--force-with-lease={ref}:{old}", "--",
                    self.address, f"{value}:{ref}", cwd=self.path)  # fmt: skip
            git.run("update-ref", *((ref, value) if value else ("-d", ref)), cwd=self.path)
        except git.GitError as error:
            raise git.refuse(
                error, f"{ref} of {self.address} cannot be written{self._why(error)}", Exit.REPOSITORY
            ) from None

    def _why(self, error: git.GitError) -> str:
        """What is to be done about a refused push, where that is plain."""
        taken = f"refs/heads/{branches.TAKEN}"
        if "stale info" in error.reason:
            return ": somebody moved it meanwhile: run again"
        try:
            if git.run("ls-remote", "--", self.address, taken):
                return f": its branch {branches.TAKEN!r} takes the place of a folder: rename or remove it"
        except git.GitError:
            return ": check your access to it"
        return ""


def folder() -> Path:
    """Return the folder of the clones."""
    return cache.folder() / "services"


def bound(limit: int = LIMIT) -> None:
    """Remove the clones that were not used for the longest time, until all take no more room than the limit.

    Args:
        limit: in bytes.
    """
    known = sorted((one for one in folder().glob("*") if one.is_dir()), key=lambda one: one.stat().st_mtime)
    sizes = {one: sum(file.lstat().st_blocks * 512 for file in one.rglob("*")) for one in known}
    total = sum(sizes.values())
    for one in known:
        if total <= limit:
            return
        with contextlib.suppress(FleetError), cache.locked(one, wait=False):
            shutil.rmtree(one, ignore_errors=True)
            total -= sizes[one]
