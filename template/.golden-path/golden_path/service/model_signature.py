"""Who signed a model, from what it was made, and whether that is what a service may run.

Signed is the digest of its manifest, by the workflow model-release.yml, and attested to it is a provenance that names
the commit, the data and the lock, which the model's card has to name as well. Verified is more than who signed it: a
tag can be put on any commit, and its workflow would sign what it likes, so the commit that the workflow ran at has to
be on the main branch. That commit is in the certificate, where nobody who runs a workflow can write.

COSIGN_KEY stands for the workflow elsewhere, as it does for images, and COSIGN_FLAGS adds flags to cosign.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from golden_path.service.errors import RefusedError
from golden_path.service.model_artifact import checked, files_of, pulled
from golden_path.service.signature import ISSUER, SLSA, cosign

PATH = ".github/workflows/model-release.yml"
# A release that a tag asks for, or that main does, as retrain.yml there.
REFS = r"refs/(heads/main|tags/model-v[0-9][^/]*)"
MAIN = "refs/remotes/origin/main"


def _cosign_there() -> None:
    if shutil.which("cosign") is None:
        raise RefusedError("cosign is missing: install cosign 3")


def provenance(card: dict[str, Any], repository: str) -> dict[str, Any]:
    """What a model was made from, as SLSA has it of a workflow of GitHub."""
    given = os.environ.get
    source, ref = f"https://github.com/{repository}", given("GITHUB_REF", "refs/heads/main")
    inputs = card["inputs"]
    run = f"{given('GITHUB_SERVER_URL', 'https://github.com')}/{repository}/actions/runs/{given('GITHUB_RUN_ID', '0')}"
    return {
        "buildDefinition": {
            "buildType": "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
            "externalParameters": {"workflow": {"ref": ref, "repository": source, "path": PATH}},
            "resolvedDependencies": [
                {"uri": f"git+{source}@{ref}", "digest": {"gitCommit": card["revision"]}},
                {"name": "data", "digest": {"sha256": inputs["data_sha256"]}},
                {"name": "requirements-train.txt", "digest": {"sha256": inputs["lock_sha256"]}},
            ],
        },
        "runDetails": {
            "builder": {"id": "https://github.com/actions/runner/github-hosted"},
            "metadata": {"invocationId": f"{run}/attempts/{given('GITHUB_RUN_ATTEMPT', '1')}"},
        },
    }


def sign(reference: str, repository: str) -> str:
    """Sign a model and attest to it what it was made from; returns what to say."""
    _cosign_there()
    with pulled(reference) as (layout, manifest):
        card = checked(files_of(layout, manifest))
    key = os.environ.get("COSIGN_KEY")
    whose = ["--key", key] if key else []
    cosign("sign", "--yes", *whose, reference)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "provenance.json"
        file.write_text(json.dumps(provenance(card, repository)), encoding="utf-8")
        cosign("attest", "--yes", *whose, "--type", "slsaprovenance1", "--predicate", str(file), reference)
    return f"signed {reference}, with its provenance"


def verify(reference: str, repository: str) -> str:
    """Verify a model; returns what to say, and raises RefusedError with the first thing that does not hold."""
    _cosign_there()
    with pulled(reference) as (layout, manifest):
        card = checked(files_of(layout, manifest))
    commit = card["revision"]
    key = os.environ.get("COSIGN_KEY")
    identity = f"https://github.com/{re.escape(repository)}/{re.escape(PATH)}@{REFS}"
    whose = ["--key", key] if key else ["--certificate-identity-regexp", f"^{identity}$"]
    # Who says that it is this commit is nobody yet; the certificate does.
    whose += [] if key else ["--certificate-oidc-issuer", ISSUER, "--certificate-github-workflow-sha", commit]
    cosign("verify", *whose, "--output", "text", reference)
    attested = cosign("verify-attestation", *whose, "--type", "slsaprovenance1", reference)
    # There may be several, of several runs; each is rightly signed, and one has to be that of the card.
    problems = [problem(statement, card, repository) for statement in statements(attested)]
    if all(problems):
        raise RefusedError(problems[0] if problems else f"{reference} has no provenance")
    on_main(commit)
    return f"{reference}: signed by {key or PATH}, provenance of commit {commit}, its data and its lock"


def statements(attested: str) -> list[dict[str, Any]]:
    """What cosign has verified: the statement of each attestation."""
    found = [json.loads(line) for line in attested.splitlines() if line.strip()]
    return [json.loads(base64.b64decode(one["payload"])) for one in found]


def problem(statement: dict[str, Any], card: dict[str, Any], repository: str) -> str:
    """What a provenance and a card do not agree on, or nothing."""
    if statement["predicateType"] != SLSA:
        return f"its attestation is no provenance but {statement['predicateType']}"
    try:
        definition = statement["predicate"]["buildDefinition"]
        source = definition["externalParameters"]["workflow"]["repository"]
        code, data, lock = (one["digest"] for one in definition["resolvedDependencies"])
        named = {"commit": code["gitCommit"], "data": data["sha256"], "lock": lock["sha256"]}
    except (KeyError, TypeError, ValueError):
        return "its provenance does not name repository, commit, data and lock"
    if source != f"https://github.com/{repository}":
        return f"its provenance does not name the repository {repository} but {source}"
    inputs = card["inputs"]
    wanted = {"commit": card["revision"], "data": inputs["data_sha256"], "lock": inputs["lock_sha256"]}
    differs = [name for name, value in wanted.items() if named[name] != value]
    return f"its provenance and its card name another {differs[0]}" if differs else ""


def on_main(commit: str) -> None:
    """Raises RefusedError unless a commit is on the main branch, as far as this checkout knows it."""
    known = subprocess.run(["git", "rev-parse", "--verify", "--quiet", MAIN], capture_output=True, check=False)
    main = MAIN if known.returncode == 0 else "HEAD"
    asked = ["git", "merge-base", "--is-ancestor", commit, main]
    if subprocess.run(asked, capture_output=True, check=False).returncode != 0:
        raise RefusedError(f"the model is of commit {commit}, which is not on the main branch that this checkout knows")
