"""Where pull requests and the results of checks are: GitHub through ``gh``, or a repository without a forge."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from golden_path.errors import Exit, FleetError
from golden_path.rollout.clones import CHECKS, Clone
from golden_path.rollout.fleet_file import GITHUB, Member
from golden_path.store import access, branches, git, processes
from golden_path.upgrade import markdown

OPEN, CLOSED = "open", "closed"
GREEN, RED, PENDING, UNKNOWN = "green", "red", "pending", ""
TIMEOUT, FEW = 300, 10
_STATES = {"SUCCESS": GREEN, "FAILURE": RED, "ERROR": RED, "PENDING": PENDING, "EXPECTED": PENDING}
_ROLLUP = (
    "query($owner:String!,$name:String!,$oid:GitObjectID!){repository(owner:$owner,name:$name){"
    "object(oid:$oid){...on Commit{statusCheckRollup{state}}}}}"
)


@dataclass(frozen=True)
class Pull:
    """A pull request of a rollout.

    Attributes:
        state: ``open``, or ``closed``, merged or not.
        url: where a person finds it.
        number: of it; 0 where there is no forge.
    """

    state: str
    url: str
    number: int = 0


class Forge(Protocol):
    """What the engine needs of a forge, for one service."""

    def pull(self, branch: str, mark: str) -> Pull | None:
        """Return the pull request of a branch: what a rollout opened, known by the mark, or what is open."""

    def open(self, branch: str, title: str, body: str) -> Pull:
        """Open one for a branch that is pushed."""

    def close(self, pull: Pull, why: str) -> None:
        """Close one."""

    def checks(self, commit: str) -> str:
        """Return what the checks of a commit say: ``green``, ``red``, ``pending``, or nothing where there are none."""


class NoForge:
    """A repository alone: a branch is its own pull request, and a ref has the result of a check.

    Whatever checks a commit writes ``refs/golden-path/checks/COMMIT``, a blob that begins with green, red or pending.
    """

    def __init__(self, clone: Clone) -> None:
        self._clone = clone

    def pull(self, branch: str, mark: str) -> Pull | None:  # noqa: ARG002 - a branch has no text
        """Return the branch."""
        return Pull(OPEN, branch) if self._clone.tip(f"refs/heads/{branch}") else None

    def open(self, branch: str, title: str, body: str) -> Pull:  # noqa: ARG002 - they are the commit's message
        """Return the branch."""
        return Pull(OPEN, branch)

    def close(self, pull: Pull, why: str) -> None:
        """Do nothing: who removes the branch has closed it."""

    def checks(self, commit: str) -> str:
        """Return the first word of what the ref names."""
        found = self._clone.tip(f"{CHECKS}{commit}^{{blob}}")
        words = git.text("cat-file", "blob", found, cwd=self._clone.path).split() if found else []
        return words[0] if words and words[0] in (GREEN, RED, PENDING) else UNKNOWN


class GitHub:
    """A repository of GitHub's, through its own program ``gh``, which has the access."""

    def __init__(self, address: str) -> None:
        self._host, self._owner, self._name = _parts(address)
        self._repository = f"{self._host}/{self._owner}/{self._name}"

    def pull(self, branch: str, mark: str) -> Pull | None:
        """Return the newest that has the mark, or that is open, since somebody upgraded by hand."""
        found: list[dict[str, Any]] = _json(_gh(
            "pr", "list", "--repo", self._repository, "--head", branch, "--state", "all", "--limit", "100",
            "--json", "number,state,url,body,isCrossRepository",
        ))  # fmt: skip
        # A line of its own: first in what is opened now, last in what an earlier engine opened.
        ours = [
            one
            for one in found
            if not one["isCrossRepository"]
            and (one["state"] == "OPEN" or not mark or mark in map(str.strip, one["body"].splitlines()))
        ]
        if not ours:
            return None
        newest = max(ours, key=lambda one: int(one["number"]))
        return Pull(OPEN if newest["state"] == "OPEN" else CLOSED, newest["url"], newest["number"])

    def open(self, branch: str, title: str, body: str) -> Pull:
        """Open one; those that an engine of before has left open are named in it."""
        listed = _json(_gh("pr", "list", "--repo", self._repository, "--state", "open", "--limit", "100",
                           "--json", "number,headRefName,isCrossRepository"))  # fmt: skip
        older = [one for one in listed
                 if one["headRefName"].startswith(branches.EARLIER) and not one["isCrossRepository"]]  # fmt: skip
        text = markdown.cut(body) + "".join(
            f"\nContains #{one['number']}, which can be closed.\n" for one in older[:FEW]
        )
        told = ("--title", title[: markdown.LONGEST_TITLE], "--body-file", "-")
        url = _gh("pr", "create", "--repo", self._repository, "--head", branch, *told, data=text).strip()
        number = re.search(r"/(\d+)$", url)
        return Pull(OPEN, url, int(number[1]) if number else 0)

    def close(self, pull: Pull, why: str) -> None:
        """Close one, with a comment."""
        _gh("pr", "close", str(pull.number), "--repo", self._repository, "--comment", why)

    def checks(self, commit: str) -> str:
        """Return the state of all check runs and statuses of a commit, rolled up by GitHub."""
        found = _json(_gh(
            "api", "graphql", "--hostname", self._host, "-f", f"query={_ROLLUP}", "-f", f"owner={self._owner}",
            "-f", f"name={self._name}", "-f", f"oid={commit}",
        ))  # fmt: skip
        for key in ("data", "repository", "object", "statusCheckRollup"):
            found = found.get(key) or {}  # a commit without checks has null there
        return _STATES.get(found.get("state", ""), UNKNOWN)


def of(member: Member, clone: Clone) -> Forge:
    """Return the forge of a service."""
    return GitHub(member.git) if member.forge == GITHUB else NoForge(clone)


def _parts(address: str) -> Sequence[str]:
    found = re.search(r"([\w.-]+)(?::\d+)?[:/]([\w.-]+)/([\w.-]+?)(?:\.git)?/?$", address)
    if not found:
        raise FleetError(f"{address} is no address of a repository of GitHub's", Exit.FLEET)
    return found.groups()


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise FleetError(f"gh answered what is no JSON: {text[:80]!r}") from None


def _gh(*arguments: str, data: str = "") -> str:
    try:
        done = processes.run(["gh", *arguments], env=access.variables(), data=data.encode(), limit=TIMEOUT)
    except FileNotFoundError:
        raise FleetError("gh is missing: install GitHub's program and log in, or set GH_TOKEN") from None
    except subprocess.TimeoutExpired:
        raise FleetError(f"gh {' '.join(arguments[:2])}: no end after {TIMEOUT} seconds") from None
    if done.returncode:
        lines = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()] or ["failed"]
        raise FleetError(f"gh {' '.join(arguments[:2])}: {lines[0]}")
    return done.stdout.decode(errors="replace")
