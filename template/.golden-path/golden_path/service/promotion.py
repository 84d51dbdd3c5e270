"""Open the pull request that moves a release on, after promote has written it.

usage: promotion ENVIRONMENT

Without GH_TOKEN it says what to do by hand, and that is no failure: a new repository has no token yet.
"""

import json
import os
import subprocess
import sys

from golden_path.service.automation import commit, pull_request, push, say
from golden_path.service.errors import RefusedError
from golden_path.service.promote import ASKED, ORDER, read

BODY = """\
Runs in {environment} what this digest names, and changes nothing else: `{digest}` ({version}).

The run that opened this verified the signature, the SBOM and the provenance of the image: {run}

- What it changes in the cluster: `make diff`.
- Merging deploys it; Argo Rollouts judges it by the service's objectives, and goes back by itself when it is worse.
- To go back by hand later, revert the merge commit.
"""


# How the job ended that asks the Pact broker, and what that says.
CONTRACTS = {
    "success": "Contracts: the Pact broker says that this version fits what is in {environment}",
    "skipped": "Contracts: not asked, since no Pact broker is configured",
}


def freeze(digest: str) -> str:
    """What promote was told about the deploy freeze for this digest, empty where it did not ask."""
    if not ASKED.exists():
        return ""
    asked = json.loads(ASKED.read_text(encoding="utf-8"))
    return str(asked["said"]) if asked["digest"] == digest else ""


def main(environment: str) -> int:
    file, _, line = read(environment)
    version = line["version"] or "no version"
    said = freeze(line["digest"]) if environment == ORDER[-1] else ""
    url = "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}".format_map(Default(os.environ))
    title = f"Release {version} to {environment}"
    try:
        sha = commit([str(file)], f"{title}\n\n{said}" if said else title)
        if not sha:
            say(f"{environment} has {line['digest']} ({version}) already.")
        elif not os.environ.get("GH_TOKEN"):
            patch = subprocess.run(["git", "diff", "--", str(file)], capture_output=True, text=True, check=True).stdout
            say(
                f"No pull request was opened, for want of a GitHub App of your organisation "
                f"(`gh variable set AUTOMATION_APP_ID --body 123456`, `gh secret set AUTOMATION_APP_KEY <key.pem`). "
                f"Commit this yourself to release {version} to {environment}"
                f"{said and f', and say in the message: {said}'}:\n\n```diff\n{patch}```"
            )
        else:
            push(sha, f"release/{environment}")
            body = BODY.format(environment=environment, digest=line["digest"], version=version, run=url)
            asked = CONTRACTS.get(os.environ.get("CONTRACTS", ""), "").format(environment=environment)
            body += "".join(f"- {line}\n" for line in (asked, said) if line)
            say(f"{title}: {pull_request(f'release/{environment}', title, body)}")
    except RefusedError as reason:
        sys.stderr.write(f"  FAIL  promotion: {reason}\n")
        return 1
    return 0


class Default(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key
