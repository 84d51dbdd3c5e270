"""A service as its work tree has it, also one in a folder of a repository: git there, and what its last commit holds.

The engine reads commits only; this is for plain ``copier update``, which works in the work tree.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from golden_path.rules import bounded
from golden_path.store import answers, git, service
from golden_path.store.git import GitError
from golden_path.store.service import Service
from golden_path.store.trees import Entry, Tree


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
    options, variables = git.in_work_tree(folder)
    del variables["GIT_TERMINAL_PROMPT"]  # a template may ask for a password here, as it does when Copier clones it
    command = ["git", *options, *arguments]
    done = subprocess.run(
        command, cwd=folder, env={**variables, **(env or {})}, input=data, capture_output=True, check=False
    )
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["failed"]
        raise GitError(arguments[0], lines[0])
    return done.stdout


def complete(clone: Path, version: str, folder: Path) -> None:
    """Fetch what a clone without blobs lacks of a version.

    Args:
        clone: with a work tree.
        version: that is needed.
        folder: for what is checked out meanwhile, which nobody needs.

    Raises:
        GitError: it has no such version, or that cannot be fetched.
    """
    if run(clone, "config", "--default", "", "--get", "remote.origin.promisor").strip():
        (folder / "complete").mkdir()
        elsewhere = {"GIT_INDEX_FILE": str(folder / "index"), "GIT_WORK_TREE": str(folder / "complete")}
        run(clone, "read-tree", "--reset", "-u", version, env=elsewhere)


def of_service(service: Path, name: str) -> str:
    """Return the path in the git folder of what belongs to one service; a repository may have several, in folders."""
    prefix = run(service, "rev-parse", "--show-prefix").rstrip(b"\n")
    mark = f"-{hashlib.sha256(prefix).hexdigest()[:16]}" if prefix else ""
    return run(service, "rev-parse", "--git-path", f"{name}{mark}").decode(errors="surrogateescape").rstrip("\n")


def names(folder: Path, *arguments: str) -> list[str]:
    """Run git with ``-z`` among the arguments, and return the names that it lists."""
    return [name.decode(errors="surrogateescape") for name in run(folder, *arguments).split(b"\0") if name]


def opened(folder: Path, answers_file: str) -> Service:
    """Return a service as its last commit has it, whose answers may name any template that Copier takes.

    Args:
        folder: the root of the service, in a work tree.
        answers_file: its name.

    Raises:
        GitError: the commit has no such file, for example.
        YAMLError: it is none that Copier wrote.
    """
    asked = ("--path-format=absolute", "--git-common-dir", "--git-path", "objects", "--show-object-format")
    common, objects, form = run(folder, "rev-parse", *asked).decode(errors="surrogateescape").splitlines()
    tree = run(folder, "rev-parse", "HEAD:./").decode().strip()
    content = run(folder, "cat-file", "blob", f"HEAD:./{answers_file}")
    listed = run(folder, "ls-tree", "--name-only", "HEAD", service.ATTRIBUTES)
    attributes = run(folder, "cat-file", "blob", f"HEAD:./{service.ATTRIBUTES}") if listed else b""
    known = bounded.load(content)
    values = {str(name): value for name, value in known.items() if not str(name).startswith("_")}
    facts = answers.Answers(answers_file, "", "", values, content)
    return Service(folder, Path(common), Path(objects), tree, "0 +0000", form == "sha256", False, attributes, facts)


def committed(service: Path) -> Tree:
    """Return what the last commit holds, below the folder."""
    tree = {}
    for line in filter(None, run(service, "ls-tree", "-r", "-z", "HEAD").split(b"\0")):
        facts, name = line.split(b"\t", 1)
        mode, _, blob = facts.decode().split()
        tree[name.decode(errors="surrogateescape")] = Entry(mode, blob)
    return tree


def entry(service: Path, name: str) -> Entry:
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
