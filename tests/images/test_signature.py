"""`make sign` and `make verify`: what is accepted, and each thing that is refused with its reason."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.labs import template as lab
from tests.labs.built import Image, clone
from tests.labs.images import Lab
from tests.labs.images.places import lab_folder
from tests.labs.images.signing import Authority
from tests.labs.service import make

pytestmark = pytest.mark.images


@dataclass
class Pushed:
    """An image in the registry, and how to sign and verify it.

    Attributes:
        image: the service's image.
        name: its repository in the registry.
        reference: ``name@digest`` of what ``make image PUSH=true`` pushed.
        authority: who makes the certificates.
        workflow: the one identity that may sign.
    """

    image: Image
    name: str
    reference: str
    authority: Authority
    workflow: str

    def verb(self, verb: str, reference: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        everything = {**self.image.env, "COSIGN_PASSWORD": "", **env}
        return make(self.image.folder, self.image.language, verb, f"IMAGE_REF={reference}", env=everything)

    def sign(self, reference: str, workflow: str | None = None) -> None:
        done = self.verb("sign", reference, self.authority.identity(workflow or self.workflow))
        assert done.returncode == 0, done.stdout

    def verify(self, reference: str) -> subprocess.CompletedProcess[str]:
        return self.verb("verify", reference, {"COSIGN_FLAGS": self.authority.verify_flags})

    def crane(self, *arguments: str, stdin: bytes | None = None) -> str:
        done = subprocess.run(
            ["crane", *arguments], env=dict(self.image.env), input=stdin, capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    def copy(self, repository: str) -> str:
        """Copy the image, not its signatures, to a repository of its own; return the reference there."""
        digest = self.reference.split("@")[1]
        self.crane("copy", self.reference, f"{self.name}-{repository}:copy")
        return f"{self.name}-{repository}@{digest}"


@pytest.fixture(scope="module")
def pushed(image: Image, released: str, tmp_path_factory: pytest.TempPathFactory) -> Pushed:
    authority = Authority(tmp_path_factory.mktemp("authority"), image.env)
    workflow = f"https://github.com/acme/{image.folder.name}/.github/workflows/release.yml@refs/heads/main"
    result = Pushed(image, released.partition("@")[0], released, authority, workflow)
    result.sign(released)
    return result


def refused(done: subprocess.CompletedProcess[str], reason: str) -> None:
    """It failed, with one line of ours that gives the reason."""
    assert done.returncode != 0
    [line] = [line for line in done.stdout.splitlines() if "FAIL" in line]
    assert line.startswith("  FAIL  verify: ")
    assert reason in line


def test_the_release_workflow_is_trusted(pushed: Pushed) -> None:
    done = pushed.verify(pushed.reference)
    assert done.returncode == 0, done.stdout
    assert f"signed by {pushed.workflow}" in done.stdout


def test_a_key_of_ones_own(pushed: Pushed) -> None:
    reference = pushed.copy("key")
    private, public = pushed.authority.key_pair("own")
    _, other = pushed.authority.key_pair("other")
    done = pushed.verb("sign", reference, {"COSIGN_KEY": str(private), "COSIGN_FLAGS": pushed.authority.sign_flags})
    assert done.returncode == 0, done.stdout
    flags = "--insecure-ignore-tlog=true"
    done = pushed.verb("verify", reference, {"COSIGN_KEY": str(public), "COSIGN_FLAGS": flags})
    assert done.returncode == 0, done.stdout
    done = pushed.verb("verify", reference, {"COSIGN_KEY": str(other), "COSIGN_FLAGS": flags})
    refused(done, "signature")


def test_unsigned(pushed: Pushed) -> None:
    refused(pushed.verify(pushed.copy("unsigned")), "no signatures found")


@pytest.mark.spread(
    "identity",
    [
        ("release.yml", "ci.yml"),
        ("acme", "evil"),
        ("refs/heads/main", "refs/heads/feature"),
        ("refs/heads/main", "refs/pull/1/merge"),
    ],
)
def test_another_identity(pushed: Pushed, identity: tuple[str, str]) -> None:
    """Another workflow of the same repository, another repository, another branch, a pull request."""
    change, to = identity
    reference = pushed.copy(f"{to.replace('/', '-').replace('.', '-')}")
    pushed.sign(reference, pushed.workflow.replace(change, to))
    refused(pushed.verify(reference), "certificate identity")


def test_a_tag_is_not_verified(pushed: Pushed) -> None:
    refused(pushed.verify(f"{pushed.name}:v1.2.3"), "name an image by its digest")


def test_a_tag_that_was_moved(pushed: Pushed) -> None:
    """Whoever moves the tag has no signature for what it names then."""
    name = pushed.copy("moved").split("@")[0]
    pushed.sign(f"{name}@{pushed.reference.split('@')[1]}")
    pushed.crane("mutate", "--label", "evil=true", "--tag", f"{name}:copy", f"{name}:copy")
    digest = pushed.crane("digest", f"{name}:copy")
    assert digest != pushed.reference.split("@")[1]
    refused(pushed.verify(f"{name}@{digest}"), "no signatures found")


def _blob(digest: str) -> Path:
    algorithm, value = digest.split(":")
    [path] = (lab_folder() / "registry").glob(f"**/blobs/{algorithm}/{value[:2]}/{value}/data")
    return path


def test_a_tampered_layer(pushed: Pushed) -> None:
    """Somebody with access to the registry's storage changes a byte of the service's own layer."""
    layer = json.loads(pushed.crane("manifest", "--platform", "linux/amd64", pushed.reference))["layers"][-1]
    path = _blob(layer["digest"])
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    try:
        refused(pushed.verify(pushed.reference), "sha256")
    finally:
        path.write_bytes(good)
    assert pushed.verify(pushed.reference).returncode == 0


def _altered(pushed: Pushed, repository: str, alter: Callable[[dict[str, Any]], None]) -> str:
    """Push and rightly sign an index that was altered; return its reference."""
    copy = pushed.copy(repository)
    name = copy.split("@")[0]
    index = json.loads(pushed.crane("manifest", copy))
    alter(index)
    digest = _put(name, json.dumps(index).encode())
    pushed.sign(f"{name}@{digest}")
    return f"{name}@{digest}"


def _put(name: str, manifest: bytes) -> str:
    """Put a manifest into a repository as it is, as crane never would; return its digest."""
    digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    registry, _, repository = name.partition("/")
    answer = httpx.put(
        f"http://{registry}/v2/{repository}/manifests/{digest}",
        content=manifest,
        headers={"Content-Type": json.loads(manifest)["mediaType"]},
        trust_env=False,
    )
    assert answer.status_code == 201, answer.text
    return digest


def _is_attestation(entry: dict[str, Any]) -> bool:
    return "vnd.docker.reference.digest" in entry.get("annotations", {})


def test_without_attestations(pushed: Pushed) -> None:
    def strip(index: dict[str, Any]) -> None:
        index["manifests"] = [entry for entry in index["manifests"] if not _is_attestation(entry)]

    refused(pushed.verify(_altered(pushed, "bare", strip)), "has no SBOM")


def test_attestations_of_another_image(pushed: Pushed) -> None:
    """An index that presents the SBOM and the provenance of one image as those of another."""

    def swap(index: dict[str, Any]) -> None:
        [image] = [entry for entry in index["manifests"] if not _is_attestation(entry)]
        [attestation] = [entry for entry in index["manifests"] if _is_attestation(entry)]
        manifest = pushed.crane("manifest", f"{pushed.name}@{image['digest']}").encode()
        changed = manifest.replace(b'"schemaVersion"', b' "schemaVersion"', 1)
        image["digest"] = _put(f"{pushed.name}-swapped", changed)
        image["size"] = len(changed)
        attestation["annotations"]["vnd.docker.reference.digest"] = image["digest"]

    refused(pushed.verify(_altered(pushed, "swapped", swap)), "is that of another image")


def test_built_from_another_repository(pushed: Pushed, image_lab: Lab, tmp_path: Path) -> None:
    """The right workflow signed what was built from elsewhere."""
    image = pushed.image
    folder = clone(image.folder, tmp_path / image.folder.name)
    env = image_lab.environment(folder, image.language) | {"SOURCE_URL": "https://github.com/evil/fork"}
    done = make(folder, image.language, "image", "PUSH=true", f"IMAGE={pushed.name}-foreign", env=env)
    assert done.returncode == 0, done.stdout
    reference = (folder / "build/image-ref").read_text().strip()
    pushed.sign(reference)
    refused(pushed.verify(reference), f"the provenance does not name the repository acme/{image.folder.name}")


def test_provenance_names_repository_and_commit(pushed: Pushed) -> None:
    show = ["docker", "buildx", "imagetools", "inspect", pushed.reference, "--format", "{{json .Provenance}}"]
    shown = subprocess.run(show, env=dict(pushed.image.env), capture_output=True, text=True, check=True).stdout
    head = lab.git(pushed.image.folder, "rev-parse", "HEAD")
    arguments = json.loads(shown)["SLSA"]["buildDefinition"]["externalParameters"]["request"]["args"]
    assert arguments["label:org.opencontainers.image.revision"] == head
    assert arguments["label:org.opencontainers.image.source"] == f"https://github.com/acme/{pushed.image.folder.name}"
