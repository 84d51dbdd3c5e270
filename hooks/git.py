"""git in a service's work tree, and what its last commit holds."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from golden_path.store import git as engine
from golden_path.store.git import GitError


class Entry(NamedTuple):
    """A file of a tree: git's mode, and the id of its content."""

    mode: str
    blob: str


Tree = dict[str, Entry]


def run(folder: Path, *arguments: str, env: Mapping[str, str] | None = None, data: bytes = b"") -> bytes:
    """Run git, and return its output. Of a person's settings only access and the form of their work tree count.

    Args:
        folder: where.
        arguments: what comes after ``git``, the command first.
        env: variables to add.
        data: its standard input.

    Raises:
        GitError: it failed.
        FleetError: the person's configuration cannot be read.
    """
    options, variables = engine.in_work_tree(folder)
    del variables["GIT_TERMINAL_PROMPT"]  # a template may ask for a password here, as it does when Copier clones it
    command = ["git", *options, *arguments]
    done = subprocess.run(
        command, cwd=folder, env={**variables, **(env or {})}, input=data, capture_output=True, check=False
    )
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["failed"]
        raise GitError(arguments[0], lines[0])
    return done.stdout


def of_service(service: Path, name: str) -> str:
    """Return the path in the git folder of what belongs to one service; a repository may have several, in folders."""
    prefix = run(service, "rev-parse", "--show-prefix").rstrip(b"\n")
    mark = f"-{hashlib.sha256(prefix).hexdigest()[:16]}" if prefix else ""
    return run(service, "rev-parse", "--git-path", f"{name}{mark}").decode(errors="surrogateescape").rstrip("\n")


def names(folder: Path, *arguments: str) -> list[str]:
    """Run git with ``-z`` among the arguments, and return the names that it lists."""
    return [name.decode(errors="surrogateescape") for name in run(folder, *arguments).split(b"\0") if name]


def head(service: Path) -> Tree:
    """Return what the last commit holds, below the folder."""
    tree = {}
    for line in filter(None, run(service, "ls-tree", "-r", "-z", "HEAD").split(b"\0")):
        facts, name = line.split(b"\t", 1)
        mode, _, blob = facts.decode().split()
        tree[name.decode(errors="surrogateescape")] = Entry(mode, blob)
    return tree


def work_tree(service: Path, name: str) -> Entry:
    """Return what stands in the work tree, as git would keep it.

    Args:
        service: the root of the service.
        name: of a file or link below it.
    """
    path = service / name
    if path.is_symlink():
        blob = run(service, "hash-object", "--stdin", data=os.fsencode(path.readlink()))
    elif path.is_file():
        blob = run(service, "hash-object", "--", name)
    else:
        return Entry("040000", "")
    return Entry(_mode(path), blob.decode().strip())


def _mode(path: Path) -> str:
    return "120000" if path.is_symlink() else "100755" if path.stat().st_mode & 0o100 else "100644"


def folder(path: Path, form: str) -> Tree:
    """Return what a folder holds, as git would keep it.

    Args:
        path: the folder.
        form: of the ids: ``sha1`` or ``sha256``.
    """
    tree = {}
    for file in path.rglob("*"):
        if file.is_dir() and not file.is_symlink():
            continue
        content = os.fsencode(file.readlink()) if file.is_symlink() else file.read_bytes()
        key = hashlib.new(form, b"blob %d\0" % len(content) + content).hexdigest()
        tree[file.relative_to(path).as_posix()] = Entry(_mode(file), key)
    return tree
