"""Record what commits on main did to the environments: a deployment, or a rollback to an older version.

usage: deployments SERVICE REPOSITORY BEFORE

BEFORE is the commit that main was at. An environment whose digest is another one now gets an event of deploy_event.py,
which sends it to CDEVENTS_URL. What runs now is an older commit than before: that is a rollback.
"""

import os
import subprocess
import sys
from pathlib import Path

from golden_path.service.automation import say
from golden_path.service.errors import RefusedError
from golden_path.service.promote import LINE, NOTHING, ORDER, RELEASES, git, is_older, revision, shown

ENTRY = str(Path(__file__).resolve().parents[2])  # the folder that python3 is given


def release(environment: str, commit: str) -> tuple[str, str]:
    """Digest and version that an environment had at a commit, empty for none."""
    found = LINE.search(git("show", f"{commit}:{RELEASES}/{environment}/kustomization.yaml") + "\n")
    if not found or found["digest"] == NOTHING:
        return "", ""
    return found["digest"], found["version"] or ""


def happened(environment: str, before: str) -> dict[str, str]:
    """The inputs of deploy_event.py, empty where the environment runs what it ran.

    Raises:
        RefusedError: git does not know the commit in the image.
    """
    old_digest, old_version = release(environment, before)
    digest, version = release(environment, "HEAD")
    if digest in ("", old_digest):
        return {}
    event = {"ENVIRONMENT": environment, "IMAGE_REF": shown(environment)}
    new, old = revision(version), revision(old_version)
    if new and old and is_older(new, old):
        return {"EVENT": "rolledback", **event}
    if not new:
        raise RefusedError(
            f"git does not know the version {version!r} of {environment}: record it by make deploy-event"
        )
    return {"EVENT": "deployed", **event, "REVISION": new}


def main(service: str, repository: str, before: str) -> int:
    failed = 0
    found = False
    for environment in ORDER:
        try:
            event = happened(environment, before)
        except RefusedError as reason:
            sys.stderr.write(f"  FAIL  deployments: {reason}\n")
            failed = 2
            continue
        if event:
            found = True
            command = [sys.executable, ENTRY, "deploy-event", service, repository]
            code = subprocess.run(command, env={**os.environ, **event, "GIVEN": "REVISION"}, check=False).returncode
            failed = failed or code
    if not found and not failed:
        say("No environment runs another image than before.")
    return failed
