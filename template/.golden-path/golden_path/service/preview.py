"""Previews of pull requests: a branch preview/pr-NUMBER each, which Argo CD deploys for as long as it is there.

usage: preview publish NUMBER   the branch is HEAD and the image that promote has written for a preview, if HEAD is
                                still what the pull request has, and it still has the label
       preview remove NUMBER
       preview sweep DAYS       remove the label where nobody touched the pull request for so long, and every preview
                                whose pull request is not open with the label, whatever became of it
"""

import json
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from golden_path.service.automation import branches, commit, delete, git, push, run, say
from golden_path.service.errors import RefusedError

LABEL = "preview"
FILE = "deploy/releases/preview/kustomization.yaml"
PREFIX = "preview/pr-"
# More open pull requests with the label would look like ones that have ended.
MOST = 1000


def branch(number: str) -> str:
    return f"{PREFIX}{int(number)}"


def publish(number: str) -> None:
    asked = json.loads(run("gh", "pr", "view", number, "--json", "state,labels,headRefOid"))
    if asked["state"] != "OPEN" or LABEL not in [label["name"] for label in asked["labels"]]:
        say(f"No preview: pull request {number} has ended, or lost its label, while the image was built.")
        return
    if asked["headRefOid"] != git("rev-parse", "HEAD"):
        say(f"No preview of this commit: pull request {number} has a newer one.")
        return
    sha = commit([FILE], f"Preview of pull request {number}")
    if sha:
        push(sha, branch(number))
    say(f"Preview {branch(number)}: Argo CD deploys it within minutes.")


def remove(number: str) -> None:
    say(f"Preview {branch(number)} is {'removed' if delete(branch(number)) else 'not there'}.")


def sweep(days: str) -> None:
    # First what is there: a preview that comes now has its label already when the pull requests are asked for.
    there = branches(PREFIX)
    limit = datetime.now(UTC) - timedelta(days=int(days))
    labelled = _labelled()
    stale = {number for number, touched in labelled.items() if touched < limit}
    problems = []
    for number in sorted(stale):
        problems += tried(run, "gh", "pr", "edit", str(number), "--remove-label", LABEL)
    for name in there:
        found = re.fullmatch(rf"{PREFIX}([1-9]\d*)", name)
        if found and int(found[1]) not in labelled.keys() - stale:
            problems += tried(remove, found[1])
    if problems:
        raise RefusedError("; ".join(problems))


def tried(action: Callable[..., object], *arguments: str) -> list[str]:
    """Do it, so that one that fails keeps none of the others; returns why it failed."""
    try:
        action(*arguments)
    except RefusedError as reason:
        return [str(reason)]
    return []


def _labelled() -> dict[int, datetime]:
    """When somebody last touched each open pull request with the label."""
    fields = ("--json", "number,updatedAt", "--limit", str(MOST))
    found: list[dict[str, Any]] = json.loads(run("gh", "pr", "list", "--label", LABEL, "--state", "open", *fields))
    if len(found) >= MOST:
        raise RefusedError(f"{MOST} or more pull requests have the label: remove it from some")
    return {one["number"]: datetime.fromisoformat(one["updatedAt"].replace("Z", "+00:00")) for one in found}


def main(verb: str, argument: str) -> int:
    try:
        {"publish": publish, "remove": remove, "sweep": sweep}[verb](argument)
    except RefusedError as reason:
        sys.stderr.write(f"  FAIL  preview: {reason}\n")
        return 1
    return 0
