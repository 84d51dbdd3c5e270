"""``actions/checkout``: the real repository at the commit of the event, as shallow as the real action gets it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.labs.workflows.stand_ins import record
from tests.labs.workflows.stand_ins.failure import StepError

SERVER = "https://github.com"
# 2000-01-01: archives cannot hold much older times.
OLD = 946684800
# What is written in place: a hard link of it would change the real one.
COPIED = (".mypy_cache",)


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StepError(f"git {arguments[0]}: {' '.join(done.stderr.split())}")
    return done.stdout.strip()


def checkout(inputs: Mapping[str, str]) -> dict[str, str]:
    """Check out.

    Args:
        inputs: those of the action.

    Returns:
        Its outputs.

    Raises:
        StepError: the lab has no such repository, or git failed.
    """
    own = os.environ["GITHUB_REPOSITORY"]
    repository = inputs.get("repository", own)
    remotes = record.settings()["remotes"]
    if repository not in remotes:
        raise StepError(f"the lab has no repository {repository}: give it to run() in repositories")
    target = Path(os.environ["GITHUB_WORKSPACE"], inputs.get("path", ""))
    target.mkdir(parents=True, exist_ok=True)
    _git(target, "init", "--quiet", "--initial-branch", "main")
    # The settings of the run send this address to the lab's copy.
    if "origin" not in _git(target, "remote"):
        _git(target, "remote", "add", "origin", f"{SERVER}/{repository}")
    ref = _resolve(target, inputs.get("ref") or (os.environ["GITHUB_REF"] if repository == own else ""))
    depth = inputs.get("fetch-depth", "1")
    how = ["--no-tags", f"--depth={depth}"] if depth != "0" else ["--tags"]
    if inputs.get("fetch-tags") == "true":
        how = [option for option in how if option != "--no-tags"] + ["--tags"]
    spec = {
        "refs/heads/": f"+{ref}:{ref.replace('refs/heads/', 'refs/remotes/origin/')}",
        "refs/tags/": f"+{ref}:{ref}",
    }
    specs = [next((text for prefix, text in spec.items() if ref.startswith(prefix)), ref)]
    if depth == "0":
        specs.append("+refs/heads/*:refs/remotes/origin/*")
    _git(target, "fetch", "--quiet", *how, "origin", *specs)
    commit = _git(target, "rev-parse", "FETCH_HEAD")
    _to(target, ref, commit)
    if repository == own and target == Path(os.environ["GITHUB_WORKSPACE"]):
        _reuse(target)
    return {"ref": ref, "commit": commit}


def _resolve(target: Path, ref: str) -> str:
    """Return the full name of a branch or tag, or what is none of both as it is."""
    # The lab holds one commit for a pull request: the one that GitHub would have merged.
    if ref.startswith("refs/pull/"):
        return "HEAD"
    if not ref:
        # "ref: refs/heads/main<tab>HEAD", the default branch
        return _git(target, "ls-remote", "--symref", "origin", "HEAD").removeprefix("ref: ").split()[0]
    for full in (f"refs/heads/{ref}", f"refs/tags/{ref}"):
        if _git(target, "ls-remote", "origin", full):
            return full
    return ref


def _to(target: Path, ref: str, commit: str) -> None:
    # A branch is checked out as one; everything else leaves HEAD detached.
    branch = ref.removeprefix("refs/heads/")
    if ref.startswith("refs/heads/"):
        _git(target, "checkout", "--quiet", "--force", "-B", branch, commit)
    else:
        _git(target, "checkout", "--quiet", "--force", "--detach", commit)
    # Older than all that was installed from them, or make would install it again.
    for name in _git(target, "ls-files", "-z").split("\0"):
        if name and not (target / name).is_symlink():
            os.utime(target / name, (OLD, OLD))


def _reuse(target: Path) -> None:
    """Put copies of what is installed in the real repository into the workspace."""
    settings = record.settings()
    if os.environ["GITHUB_JOB"] in settings["plain"]:
        return
    origin = Path(settings["repository"])
    for name in settings["reuse"]:
        if not (origin / name).is_dir() or (target / name).exists():
            continue
        # A clone of the repository may have links to what is installed in the first.
        source = (origin / name).resolve()
        try:
            # Hard links cost no space, and what a job removes or writes anew stays as it was in the real repository.
            link = shutil.copy2 if name in COPIED else os.link
            shutil.copytree(source, target / name, symlinks=True, copy_function=link)
        except (OSError, shutil.Error):
            shutil.rmtree(target / name, ignore_errors=True)
            shutil.copytree(source, target / name, symlinks=True)
        _move_scripts(target / name, str(source.parent).encode(), str(target).encode())


def _move_scripts(folder: Path, before: bytes, after: bytes) -> None:
    """Let the scripts of a virtual environment name the interpreter of the copy."""
    for path in [*folder.rglob("bin/*"), *folder.rglob(".bin/*")]:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > 64 * 1024:
            continue
        content = path.read_bytes()
        if before in content and content.startswith(b"#!"):
            mode = path.stat().st_mode
            path.unlink()  # it may be a hard link
            path.write_bytes(content.replace(before, after))
            path.chmod(mode)
