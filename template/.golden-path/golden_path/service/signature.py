"""Sign an image, or verify all that must hold before one is trusted.

usage: signature sign REFERENCE
       signature verify REFERENCE --repository OWNER/NAME [--workflow OWNER/NAME/PATH@COMMIT]

Verified are: the signature's identity (the release workflow on the main branch; the workflow of the organisation's, run
for that branch of this repository; or the key in COSIGN_KEY), every byte of the image against the signed digest, and
that the signed index holds for each platform an SPDX SBOM and a SLSA provenance of just that digest, the provenance
naming the repository and the commit in the image's label.

COSIGN_FLAGS adds flags to cosign, for a private Sigstore or a registry without TLS.
"""

import argparse
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from golden_path.service.errors import RefusedError

WORKFLOW = ".github/workflows/release.yml@refs/heads/main"
ISSUER = "https://token.actions.githubusercontent.com"
SPDX = "https://spdx.dev/Document"
SLSA = "https://slsa.dev/provenance/v1"
# What COSIGN_FLAGS is for.
FLAGGED = ("sign", "verify", "attest", "verify-attestation")


def cosign(verb: str, *arguments: str) -> str:
    flags = shlex.split(os.environ.get("COSIGN_FLAGS", "")) if verb in FLAGGED else []
    done = subprocess.run(["cosign", verb, *flags, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("WARNING")]
        reason = re.sub(r"^(Error: |error during command execution: )", "", lines[-1] if lines else "failed")
        raise RefusedError(f"cosign {verb}: {reason}")
    return done.stdout


def sign(reference: str) -> str:
    key = os.environ.get("COSIGN_KEY")
    # Each platform's image too: a node of the cluster may ask for that one.
    cosign("sign", "--yes", "--recursive", *(["--key", key] if key else []), reference)
    return f"signed {reference}"


class Layout:
    """An OCI image layout; whatever is read is checked against its digest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, descriptor: dict[str, Any]) -> bytes:
        algorithm, digest = descriptor["digest"].split(":")
        content: bytes = (self.folder / "blobs" / algorithm / digest).read_bytes()
        if hashlib.new(algorithm, content).hexdigest() != digest:
            raise RefusedError(f"{descriptor['digest']} is not what its digest says: it was tampered with")
        return content

    def json(self, descriptor: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.read(descriptor))
        return found


def verify(reference: str, repository: str, workflow: str) -> str:
    key = os.environ.get("COSIGN_KEY")
    identity = f"https://github.com/{workflow or f'{repository}/{WORKFLOW}'}"
    whose = ["--key", key] if key else ["--certificate-identity", identity, "--certificate-oidc-issuer", ISSUER]
    if workflow and not key:
        # Every service of the organisation is signed with that identity: these two say for whom it ran.
        whose += ["--certificate-github-workflow-repository", repository]
        whose += ["--certificate-github-workflow-ref", "refs/heads/main"]
    cosign("verify", *whose, "--output", "text", reference)
    digest = reference.split("@")[1]
    with tempfile.TemporaryDirectory() as folder:
        cosign("save", "--dir", folder, reference)
        layout = Layout(Path(folder))
        index = layout.json({"digest": digest})
        platforms = [entry for entry in index.get("manifests", ()) if not entry_of(entry)]
        if not platforms:
            raise RefusedError("it is one image, not an index with attestations: push it with 'make image PUSH=true'")
        for platform in platforms:
            check_platform(layout, index, platform, repository)
    return f"{reference}: signed by {key or identity}, {len(platforms)} platform(s), SBOM and provenance of the same"


def entry_of(entry: dict[str, Any]) -> str:
    """The digest of the image that this entry of the index attests, or nothing for an image."""
    digest: str = entry.get("annotations", {}).get("vnd.docker.reference.digest", "")
    return digest


def check_platform(layout: Layout, index: dict[str, Any], platform: dict[str, Any], repository: str) -> None:
    digest = platform["digest"]
    manifest = layout.json(platform)
    labels = layout.json(manifest["config"])["config"].get("Labels", {})
    for layer in manifest["layers"]:
        layout.read(layer)
    statements = {
        statement["predicateType"]: statement
        for entry in index["manifests"]
        if entry_of(entry) == digest
        for layer in layout.json(entry)["layers"]
        for statement in [layout.json(layer)]
    }
    for kind, name in ((SPDX, "SBOM"), (SLSA, "provenance")):
        if kind not in statements:
            raise RefusedError(f"{digest} has no {name}")
        subjects = [subject["digest"].get("sha256") for subject in statements[kind]["subject"]]
        if digest.removeprefix("sha256:") not in subjects:
            raise RefusedError(f"the {name} in the index of {digest} is that of another image")
    if not statements[SPDX]["predicate"].get("packages"):
        raise RefusedError(f"the SBOM of {digest} lists no packages")
    check_provenance(statements[SLSA]["predicate"], labels, repository)


def check_provenance(predicate: dict[str, Any], labels: dict[str, str], repository: str) -> None:
    # BuildKit's record of the request: what it was told, and with vcs: what it saw in the checkout, where it saw one.
    request = predicate["buildDefinition"]["externalParameters"]["request"]["args"]
    revision = labels.get("org.opencontainers.image.revision", "")
    if not re.fullmatch("[0-9a-f]{40}([0-9a-f]{24})?", revision):
        raise RefusedError("the image names no commit in its label org.opencontainers.image.revision")
    for name in ("label:org.opencontainers.image.source", "vcs:source"):
        source = request.get(name, "" if name.startswith("label:") else None)
        if source is not None and source.removesuffix(".git") != f"https://github.com/{repository}":
            raise RefusedError(
                f"the provenance does not name the repository {repository} but {source or 'none'} ({name})"
            )
    for name in ("label:org.opencontainers.image.revision", "vcs:revision"):
        if request.get(name, revision) != revision:
            raise RefusedError(f"the provenance does not name the commit {revision} but {request[name]} ({name})")


def main(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["sign", "verify"])
    parser.add_argument("reference")
    parser.add_argument("--repository", default="")
    parser.add_argument("--workflow", default="")
    given = parser.parse_args(arguments)
    try:
        if not re.fullmatch(r"\S+@sha256:[0-9a-f]{64}", given.reference):
            raise RefusedError("name an image by its digest, IMAGE_REF=name@sha256:...; a tag can be moved")
        if shutil.which("cosign") is None:
            raise RefusedError("cosign is missing: install cosign 3")
        if given.verb == "sign":
            result = sign(given.reference)
        else:
            result = verify(given.reference, given.repository, given.workflow)
    except RefusedError as reason:
        sys.stderr.write(f"  FAIL  {given.verb}: {reason}\n")
        return 1
    sys.stdout.write(f"  ok    {result}\n")
    return 0
