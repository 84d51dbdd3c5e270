"""Branches and pull requests that workflows make: commits of some files on HEAD, without touching what is checked out.

The token is in GH_TOKEN. A branch belongs to the automation only as long as nobody else commits to it.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from golden_path.service.errors import RefusedError

NAME = "github-actions[bot]"
EMAIL = "41898282+github-actions[bot]@users.noreply.github.com"
# For git and the repository's own origin: gh answers with GH_TOKEN; the checkout has no credentials of its own.
CREDENTIALS = ("-c", "credential.helper=", "-c", "credential.helper=!gh auth git-credential")


def run(*command: str, data: str = "", **env: str) -> str:
    settings = [at + 1 for at, word in enumerate(command) if word in ("-c", "-C", "--git-dir")]
    words = [word for at, word in enumerate(command) if at not in settings and at + 1 not in settings]
    what = " ".join(itertools.takewhile(lambda word: not word.startswith("-"), words[:3]))
    try:
        done = subprocess.run(
            command,
            input=data,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
            env={**os.environ, **env},
            timeout=900,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RefusedError(f"{what}: {error}") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["failed"]
        raise RefusedError(f"{what}: {lines[-1].removeprefix('fatal: ')}")
    return done.stdout.strip()


def git(*arguments: str, **env: str) -> str:
    return run("git", *CREDENTIALS, *arguments, **env)


def commit(paths: list[str], message: str) -> str:
    """Commit the files as they are on disk, on top of HEAD, on no branch; returns the commit, empty for no change."""
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git("read-tree", "HEAD", **index)
        git("add", "--", *paths, **index)
        tree = git("write-tree", **index)
    if tree == git("rev-parse", "HEAD^{tree}"):
        return ""
    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", NAME), ("EMAIL", EMAIL))
    }
    return git("commit-tree", tree, "-p", "HEAD", "-m", message, **who)


def push(sha: str, branch: str) -> bool:
    """Make the branch on origin this commit; returns whether it is another than before."""
    remote = git("ls-remote", "origin", f"refs/heads/{branch}").split("\t")[0]
    if remote:
        git("fetch", "--quiet", "--no-tags", "origin", f"refs/heads/{branch}")
        if git("log", "-1", "--format=%T %P", remote) == git("log", "-1", "--format=%T %P", sha):
            return False
        if git("log", "-1", "--format=%ce", remote) != EMAIL:
            raise RefusedError(f"{branch} has a commit of somebody else: merge the branch or delete it")
    git("push", "--quiet", f"--force-with-lease=refs/heads/{branch}:{remote}", "origin", f"{sha}:refs/heads/{branch}")
    return True


def branches(prefix: str) -> list[str]:
    """The branches on origin whose names begin so."""
    lines = git("ls-remote", "origin", f"refs/heads/{prefix}*").splitlines()
    return [line.partition("\trefs/heads/")[2] for line in lines]


def delete(branch: str) -> bool:
    """Delete the branch on origin; returns whether it was there."""
    if not git("ls-remote", "origin", f"refs/heads/{branch}"):
        return False
    git("push", "--quiet", "origin", f":refs/heads/{branch}")
    return True


def pull_request(branch: str, title: str, body: str) -> str:
    """Open the pull request of a branch, or bring it up to date; returns its address."""
    found = json.loads(run("gh", "pr", "list", "--head", branch, "--state", "open", "--json", "number,url"))
    if found:
        run("gh", "pr", "edit", str(found[0]["number"]), "--title", title, "--body", body)
        return str(found[0]["url"])
    return run("gh", "pr", "create", "--base", "main", "--head", branch, "--title", title, "--body", body)


def say(text: str) -> None:
    """Print, and on a runner add it to the summary of the job."""
    sys.stdout.write(text + "\n")
    summarise(text)


def summarise(text: str) -> None:
    """Add it to the summary of the job, on a runner."""
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(path, "a", encoding="utf-8") as file:
            file.write(text + "\n")
