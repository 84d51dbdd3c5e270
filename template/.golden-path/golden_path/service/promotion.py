"""Open the pull request that moves a release on, after promote has written it.

usage: promotion ENVIRONMENT

Without GH_TOKEN it says what to do by hand, and that is no failure: a new repository has no token yet.
PROMOTION_NOTES is a file in Markdown whose text the pull request ends with, for example how a model compares.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from golden_path.service.automation import commit, git, pull_request, push, say
from golden_path.service.errors import RefusedError
from golden_path.service.promote import ASKED, IMAGE, MODEL, ORDER, PARTS, Part, read

BODY = """\
Runs in {environment} what {names}, and changes nothing else: {releases}.

The run that opened this verified {verified}: {run}

- What it changes in the cluster: `make diff`.
- Merging deploys it; Argo Rollouts judges it by the service's objectives, and goes back by itself when it is worse.
- To go back by hand later, revert the merge commit.
"""

VERIFIED = {
    IMAGE: "the signature, the SBOM and the provenance of the image",
    MODEL: "the signature, the provenance and every byte of the model",
}
LONGEST_NOTES = 20_000


# How the job ended that asks the Pact broker, and what that says.
CONTRACTS = {
    "success": "Contracts: the Pact broker says that this version fits what is in {environment}",
    "skipped": "Contracts: not asked, since no Pact broker is configured",
}


def freeze(digests: list[str]) -> str:
    """What promote was told about the deploy freeze for these digests, empty where it did not ask."""
    if not ASKED.exists():
        return ""
    asked = json.loads(ASKED.read_text(encoding="utf-8"))
    return str(asked["said"]) if asked["digests"] == digests else ""


def notes() -> str:
    """What the pull request ends with; raises RefusedError."""
    if not (name := os.environ.get("PROMOTION_NOTES", "")):
        return ""
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise RefusedError(f"PROMOTION_NOTES: {name} cannot be read: {getattr(error, 'strerror', error)}") from None
    if len(text) > LONGEST_NOTES:
        raise RefusedError(f"PROMOTION_NOTES: {name} must have at most {LONGEST_NOTES} characters, not {len(text)}")
    return f"\n{text}"


def changed(environment: str) -> list[Part]:
    """What promote has changed; all that there is if it has changed nothing."""
    there = [part for part in PARTS if part is IMAGE or part.file(environment).exists()]
    return [part for part in there if git("status", "--porcelain", "--", str(part.file(environment)))] or there


def main(environment: str) -> int:
    try:
        read(environment)
        parts = changed(environment)
        lines = {part: read(environment, part)[2] for part in parts}
        files = [str(part.file(environment)) for part in parts]
        named = {part: line["version"] or "no version" for part, line in lines.items()}
        what = " and ".join(named[part] if part is IMAGE else f"model {named[part]}" for part in parts)
        said = freeze([line["digest"] for line in lines.values()]) if environment == ORDER[-1] else ""
        title = f"Release {what} to {environment}"
        sha = commit(files, f"{title}\n\n{said}" if said else title)
        if not sha:
            has = " and ".join(f"{line['digest']} ({named[part]})" for part, line in lines.items())
            say(f"{environment} has {has} already.")
        elif not os.environ.get("GH_TOKEN"):
            patch = subprocess.run(["git", "diff", "--", *files], capture_output=True, text=True, check=True).stdout
            say(
                f"No pull request was opened, for want of a GitHub App of your organisation "
                f"(`gh variable set AUTOMATION_APP_ID --body 123456`, `gh secret set AUTOMATION_APP_KEY <key.pem`). "
                f"Commit this yourself to release {what} to {environment}"
                f"{said and f', and say in the message: {said}'}:\n\n```diff\n{patch}```"
            )
        else:
            # A model of its own is on a branch of its own, beside an image that waits to be merged.
            branch = f"release/{environment}" + ("-model" if parts == [MODEL] and environment == ORDER[0] else "")
            push(sha, branch)
            say(f"{title}: {pull_request(branch, title, body(environment, lines, said))}")
    except RefusedError as reason:
        sys.stderr.write(f"  FAIL  promotion: {reason}\n")
        return 1
    return 0


def body(environment: str, lines: dict[Part, re.Match[str]], said: str) -> str:
    """The text of the pull request; raises RefusedError."""
    text = BODY.format(
        environment=environment,
        names="this digest names" if len(lines) == 1 else "these digests name",
        releases=" and ".join(f"`{line['digest']}` ({line['version'] or 'no version'})" for line in lines.values()),
        verified=", and ".join(VERIFIED[part] for part in lines),
        run="{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}".format_map(Default(os.environ)),
    )
    asked = CONTRACTS.get(os.environ.get("CONTRACTS", ""), "").format(environment=environment)
    return text + "".join(f"- {line}\n" for line in (asked, said) if line) + notes()


class Default(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key
