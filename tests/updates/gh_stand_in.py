"""A ``gh`` for tests: pull requests and checks in a file, and each call recorded. It is not GitHub.

It knows what the engine calls, refuses options and fields that the real one has not, and refuses a second open pull
request of a branch as GitHub does.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from tests.labs.toolchains import ROOT

FIELDS = {
    "additions", "assignees", "author", "autoMergeRequest", "baseRefName", "baseRefOid", "body", "changedFiles",
    "closed", "closedAt", "closingIssuesReferences", "comments", "commits", "createdAt", "deletions", "files",
    "fullDatabaseId", "headRefName", "headRefOid", "headRepository", "headRepositoryOwner", "id", "isCrossRepository",
    "isDraft", "labels", "latestReviews", "maintainerCanModify", "mergeCommit", "mergeStateStatus", "mergeable",
    "mergedAt", "mergedBy", "milestone", "number", "potentialMergeCommit", "projectCards", "projectItems",
    "reactionGroups", "reviewDecision", "reviewRequests", "reviews", "state", "statusCheckRollup", "title",
    "updatedAt", "url",
}  # fmt: skip


class GitHub:
    """What the stand-in knows, in a folder.

    Args:
        folder: an existing one; the program ``gh`` is put there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pulls = folder / "pulls.json"
        self._checks = folder / "checks.json"
        self._calls = folder / "calls.jsonl"
        self._fatal = folder / "fatal"

    def install(self) -> None:
        """Write the program."""
        program = self.folder / "gh"
        program.write_text(
            f"#!{sys.executable} -IB\nimport sys\n\nsys.path.insert(0, {str(ROOT)!r})\n"
            f"from tests.updates.gh_stand_in import main\n\nmain({str(self.folder)!r}, sys.argv[1:])\n"
        )
        program.chmod(0o755)

    @property
    def pulls(self) -> list[dict[str, Any]]:
        """The pull requests, oldest first."""
        found: list[dict[str, Any]] = _read(self._pulls, [])
        return found

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of each call."""
        return [json.loads(line) for line in self._calls.read_text().splitlines()] if self._calls.exists() else []

    def check(self, name: str, commit: str, state: str) -> None:
        """Let the checks of a commit of a repository have a state of GitHub's, such as ``SUCCESS``."""
        _write(self._checks, {**_read(self._checks, {}), f"{name}@{commit}": state})

    def edit(self, number: int, **facts: Any) -> None:
        """Change a pull request."""
        _write(self._pulls, [{**one, **facts} if one["number"] == number else one for one in self.pulls])

    def add(self, repo: str, head: str, title: str, body: str = "") -> str:
        """Open a pull request; returns its address."""
        pulls = self.pulls
        url = f"https://{repo}/pull/{len(pulls) + 1}"
        _write(self._pulls, [*pulls, {
            "number": len(pulls) + 1, "state": "OPEN", "url": url, "body": body, "title": title, "repo": repo,
            "headRefName": head, "isCrossRepository": False,
        }])  # fmt: skip
        return url

    def kill_at(self, create: int, when: str) -> None:
        """Let the program kill the engine at a call of ``pr create``, ``before`` or ``after`` it; once."""
        self._fatal.write_text(f"{create} {when}")

    def call(self, arguments: list[str]) -> str:
        """Do what one call asks for; returns what it prints."""
        with self._calls.open("a") as file:
            file.write(json.dumps(arguments) + "\n")
        match arguments[:2]:
            case ["pr", "list"]:
                given = _options(arguments[2:], "--repo", "--head", "--state", "--limit", "--json")
                fields = given["--json"].split(",")
                assert set(fields) <= FIELDS, fields
                assert given["--state"] in ("all", "open")
                found = [one for one in self.pulls
                         if one["repo"] == given["--repo"] and given.get("--head") in (None, one["headRefName"])
                         and (given["--state"] == "all" or one["state"] == "OPEN")]  # fmt: skip
                return json.dumps([{field: one[field] for field in fields} for one in reversed(found)])
            case ["pr", "create"]:
                given = _options(arguments[2:], "--repo", "--head", "--title", "--body-file")
                return self._create(given["--repo"], given["--head"], given["--title"], sys.stdin.read())
            case ["pr", "close"]:
                _options(arguments[3:], "--repo", "--comment")
                self.edit(int(arguments[2]), state="CLOSED")
                return ""
            case ["api", "graphql"]:
                asked = dict(one.split("=", 1) for one in arguments if "=" in one)
                state = _read(self._checks, {}).get(f"{asked['name']}@{asked['oid']}")
                known = {"statusCheckRollup": {"state": state} if state else None}
                return json.dumps({"data": {"repository": {"object": known}}})
        sys.exit(f"unknown command {arguments[:2]}")

    def _create(self, repo: str, head: str, title: str, body: str) -> str:
        pulls = self.pulls
        if any((one["repo"], one["headRefName"], one["state"]) == (repo, head, "OPEN") for one in pulls):
            sys.exit(f'a pull request for branch "{head}" into branch "main" already exists')
        number, when = (self._fatal.read_text().split() if self._fatal.exists() else ("0", ""))[:2]
        fatal = int(number) == len(pulls) + 1
        if fatal:
            self._fatal.unlink()
        if fatal and when == "before":
            os.kill(os.getppid(), signal.SIGKILL)
            sys.exit(1)
        url = self.add(repo, head, title, body)
        if fatal:
            os.kill(os.getppid(), signal.SIGKILL)
        return url


def _options(arguments: list[str], *known: str) -> dict[str, str]:
    given = dict(zip(arguments[::2], arguments[1::2], strict=True))
    assert set(given) <= set(known), given
    return given


def _read(file: Path, missing: Any) -> Any:
    return json.loads(file.read_text()) if file.exists() else missing


def _write(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content))


def main(folder: str, arguments: list[str]) -> None:
    """Be ``gh``."""
    sys.stdout.write(GitHub(Path(folder)).call(arguments) + "\n")
