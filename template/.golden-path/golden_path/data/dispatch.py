"""Ask GitHub for a retraining: the event that starts retrain.yml. The token is in GH_TOKEN, or gh is logged in.

usage: retrain REPOSITORY     of $REASON, one line
"""

import json
import os
import sys

from golden_path.service.automation import run
from golden_path.service.errors import RefusedError

EVENT = "retrain"


def ask(repository: str, reason: str) -> None:
    """Ask for it.

    Args:
        repository: ORGANISATION/NAME.
        reason: why; the run shows it.

    Raises:
        RefusedError: gh did not do it.
    """
    text = " ".join(reason.split())[:500] or "by hand"
    payload = {"event_type": EVENT, "client_payload": {"reason": text}}
    run("gh", "api", "--silent", "--method", "POST", f"repos/{repository}/dispatches", "--input", "-",
        data=json.dumps(payload))  # fmt: skip


def main(repository: str) -> int:
    try:
        ask(repository, os.environ.get("REASON", ""))
    except RefusedError as reason:
        sys.stderr.write(f"  FAIL  retrain: {reason}\n")
        return 1
    sys.stdout.write(f"  ok    retrain: asked for; gh run list --workflow retrain.yml --repo {repository}\n")
    return 0
