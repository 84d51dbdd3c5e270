"""Previews of pull requests: a branch preview/pr-NUMBER each, which Argo CD deploys for as long as it is there.

usage: preview publish NUMBER   the branch is HEAD and the image that promote has written for a preview
       preview remove NUMBER
       preview expire DAYS      remove those, with their label, whose pull request nobody touched for so long
"""

import json
import sys
from datetime import UTC, datetime, timedelta

from golden_path.service.automation import commit, delete, push, run, say
from golden_path.service.errors import RefusedError

LABEL = "preview"
FILE = "deploy/releases/preview/kustomization.yaml"


def branch(number: str) -> str:
    return f"preview/pr-{int(number)}"


def publish(number: str) -> None:
    sha = commit([FILE], f"Preview of pull request {number}")
    if sha:
        push(sha, branch(number))
    say(f"Preview {branch(number)}: Argo CD deploys it within minutes.")


def remove(number: str) -> None:
    say(f"Preview {branch(number)} is {'removed' if delete(branch(number)) else 'not there'}.")


def expire(days: str) -> None:
    fields = ("--json", "number,updatedAt", "--limit", "1000")
    limit = datetime.now(UTC) - timedelta(days=int(days))
    for one in json.loads(run("gh", "pr", "list", "--label", LABEL, "--state", "open", *fields)):
        if datetime.fromisoformat(one["updatedAt"].replace("Z", "+00:00")) < limit:
            number = str(one["number"])
            run("gh", "pr", "edit", number, "--remove-label", LABEL)
            remove(number)


def main(verb: str, argument: str) -> int:
    try:
        {"publish": publish, "remove": remove, "expire": expire}[verb](argument)
    except RefusedError as reason:
        sys.stderr.write(f"  FAIL  preview: {reason}\n")
        return 1
    return 0
