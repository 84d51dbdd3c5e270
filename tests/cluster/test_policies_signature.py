"""Kyverno's own command line verifies who signed the service's image: what it admits, and each refusal with its reason.

The policy is the one that the template writes, but for two of its fields, since nothing here reaches the public
Sigstore. `tuf` names a Sigstore of the tests' own as the one to trust. `ctlog` says to do without a transparency log,
and without a promise in the certificate that it was logged: the tests' Sigstore keeps no logs, so the time of a
signature comes from its time-stamp authority instead. What Rekor and the logs of certificates would say is not judged
here; the authority, the issuer, the subject, the digest and which images are asked about are.
"""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster import policies
from tests.cluster.policy_cases import DIGEST, Object, container, pod
from tests.cluster.services import objects
from tests.labs import template as lab
from tests.labs.cluster import kyverno
from tests.labs.cluster.kyverno import Verdict
from tests.labs.images import registry, tools
from tests.labs.images.places import lab_folder
from tests.labs.images.signing import ISSUER, Authority
from tests.labs.images.sigstore import Sigstore
from tests.labs.images.stamps import Stamps
from tests.labs.places import alone
from tests.labs.service import free_port

pytestmark = [pytest.mark.cluster, pytest.mark.images]

NAMESPACE = "orders-staging"
WORKFLOW = "https://github.com/acme/orders/.github/workflows/release.yml@refs/heads/main"
SHARED = f"acme/golden-path/.github/workflows/service-release.yml@{'c' * 40}"
MESSAGE = "image-signature: not signed by this service's release workflow"


@dataclass
class World:
    """A registry, and who signs what is in it.

    Attributes:
        registry: the service's answer ``registry``.
        env: the environment of the programs.
        folder: for files.
        authority: the certificate authority that is trusted.
        other: one that is not.
        sigstore: says whom to trust.
    """

    registry: str
    env: Mapping[str, str]
    folder: Path
    authority: Authority
    other: Authority
    sigstore: Sigstore

    def run(self, *command: str | Path) -> str:
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=False, timeout=180)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def push(self, tag: str, service: str = "orders") -> str:
        """Push an image with one empty file in it; return its reference, by digest."""
        layer = self.folder / f"{tag}.tar"
        with tarfile.open(layer, "w") as archive:
            archive.addfile(tarfile.TarInfo(tag), io.BytesIO())
        name = f"{self.registry}/{service}:{tag}"
        return self.run("crane", "append", "--oci-empty-base", "--new_layer", layer, "--new_tag", name)

    def sign(self, tag: str, key: str, flags: str) -> str:
        """Push an image and sign it as ``make sign`` does; return its reference."""
        reference = self.push(tag)
        self.run("cosign", "sign", "--yes", "--recursive", "--key", key, *flags.split(), reference)
        return reference

    def signed(
        self, tag: str, workflow: str = WORKFLOW, *, repository: str = "", ref: str = "", issuer: str = ISSUER
    ) -> str:
        """Push an image and sign it as a workflow; return its reference."""
        return self._signed(tag, self.authority.identity(workflow, repository=repository, ref=ref, issuer=issuer))

    def signed_by_another_authority(self, tag: str) -> str:
        return self._signed(tag, self.other.identity(WORKFLOW))

    def _signed(self, tag: str, identity: Mapping[str, str]) -> str:
        return self.sign(tag, identity["COSIGN_KEY"], identity["COSIGN_FLAGS"])

    def signed_with_a_key(self, tag: str) -> str:
        private, _ = self.authority.key_pair("own")
        return self.sign(tag, str(private), self.authority.sign_flags)

    def with_the_signature_of_another(self, tag: str) -> str:
        other, reference = self.signed(f"{tag}-other"), self.push(tag)
        # Where a registry without an API for it keeps what refers to an image.
        self.run("crane", "copy", *(name.replace("@sha256:", ":sha256-") for name in (other, reference)))
        return reference


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("sigstore")
    for name in ("stamps", "authority", "other"):
        (folder / name).mkdir()
    with alone(lab_folder()):
        programs = tools.build()
    path = os.pathsep.join([str(programs), os.environ.get("PATH", os.defpath)])
    env = {**os.environ, "PATH": path, "HOME": str(folder), "COSIGN_PASSWORD": ""}
    with registry.fresh(folder) as where, Stamps(folder / "stamps") as stamps:
        authority = Authority(folder / "authority", env, stamps)
        other = Authority(folder / "other", env, stamps)
        with Sigstore(authority.trusted_root()) as sigstore:
            yield World(f"{where}/acme", env, folder, authority, other, sigstore)


def rule(world: World, template: Path, folder: Path, **answers: str) -> Object:
    """Return a service's policy of signatures, with the tests' Sigstore instead of the public one."""
    service = lab.render(template, folder, {"service_name": "orders", "registry": world.registry, **answers})
    [found] = objects((service / policies.SIGNATURE).read_text(encoding="utf-8"))
    [attestor] = found["spec"]["attestors"]
    attestor["cosign"]["tuf"] = world.sigstore.tuf
    attestor["cosign"]["ctlog"] |= {"insecureIgnoreTlog": True, "insecureIgnoreSCT": True}
    return found


@dataclass
class Judged:
    """What Kyverno said.

    Attributes:
        verdicts: by the pod's name.
        reasons: why a signature was refused, by image.
    """

    verdicts: Mapping[str, Verdict]
    reasons: Mapping[str, str]


def judge(work: Path, policy: Object, pods: Mapping[str, Object]) -> Judged:
    for name, one in pods.items():
        one["metadata"] |= {"name": name, "namespace": NAMESPACE}
    found = kyverno.apply(work, [policy], list(pods.values()), {NAMESPACE: {"environment": "staging"}})
    assert sorted(one.object for one in found) == sorted(pods)
    return Judged({one.object: one for one in found}, kyverno.reasons(work))


def running(image: str) -> Object:
    return pod(containers=[{**container(), "image": image}])


def beside(image: str, kind: str, other: str) -> Object:
    """Return a pod with another image in containers of this kind."""
    one = running(image)
    one["spec"][kind] = [{**container("other"), "image": other}]
    return one


def by(workflow: str = WORKFLOW, issuer: str = ISSUER) -> Callable[[World, str], str]:
    return lambda world, tag: world.signed(tag, workflow, issuer=issuer)


def _subject(workflow: str) -> str:
    return f'expected SAN value "{WORKFLOW}", got "{workflow}"'


OTHER_FILE = WORKFLOW.replace("release.yml", "ci.yml")
OTHER_REF = WORKFLOW.replace("refs/heads/main", "refs/heads/feature")
OTHER_REPOSITORY = WORKFLOW.replace("acme/orders", "acme/stock")
OTHER_ISSUER = "https://gitlab.com"
REFUSED: dict[str, tuple[Callable[[World, str], str], str]] = {
    "unsigned": (World.push, "no signatures found"),
    "another-workflow": (by(OTHER_FILE), _subject(OTHER_FILE)),
    "another-ref": (by(OTHER_REF), _subject(OTHER_REF)),
    "another-repository": (by(OTHER_REPOSITORY), _subject(OTHER_REPOSITORY)),
    "another-issuer": (by(issuer=OTHER_ISSUER), f'got "{OTHER_ISSUER}"'),
    "another-authority": (World.signed_by_another_authority, "leaf certificate verification failed"),
    # It means that of no key is it known when it was to be trusted.
    "a-key": (World.signed_with_a_key, "signature time outside of public key validity window"),
    "the-signature-of-another-image": (
        World.with_the_signature_of_another,
        "provided artifact digest does not match any digest in statement",
    ),
}


@pytest.fixture(scope="module")
def references(world: World) -> dict[str, str]:
    """The images, by the case's name."""
    return {"signed": world.signed("signed"), **{name: make(world, name) for name, (make, _) in REFUSED.items()}}


@pytest.fixture(scope="module")
def judged(
    world: World, references: Mapping[str, str], template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Judged:
    """All pods, judged in one go."""
    work = tmp_path_factory.mktemp("signature")
    good, bad = references["signed"], references["unsigned"]
    tag = f"{world.registry}/orders:signed"
    pods = {
        **{name: running(reference) for name, reference in references.items()},
        "tag": running(tag),
        "tag-and-digest": running(f"{tag}@{good.split('@')[1]}"),
        "absent": running(f"{world.registry}/orders@{DIGEST}"),
        "init": beside(good, "initContainers", bad),
        "ephemeral": beside(good, "ephemeralContainers", bad),
        "of-another-service": beside(good, "initContainers", world.push("unsigned", "orders-cache")),
        "of-another-service-absent": running(f"{world.registry}/stock@{DIGEST}"),
    }
    return judge(work / "kyverno", rule(world, template, work / "orders"), pods)


@pytest.mark.parametrize("name", ["signed", "tag-and-digest"])
def test_signed_by_the_release_workflow(judged: Judged, references: Mapping[str, str], name: str) -> None:
    assert judged.verdicts[name].result == "pass"
    assert references["signed"] not in judged.reasons


@pytest.mark.parametrize("name", REFUSED)
def test_refused(judged: Judged, references: Mapping[str, str], name: str) -> None:
    verdict = judged.verdicts[name]
    assert (verdict.result, verdict.message) == ("fail", MESSAGE)
    assert REFUSED[name][1] in judged.reasons[references[name]]


@pytest.mark.parametrize("name", ["init", "ephemeral"])
def test_every_container_is_asked_about(judged: Judged, name: str) -> None:
    verdict = judged.verdicts[name]
    assert (verdict.result, verdict.message) == ("fail", MESSAGE)


def test_a_tag_is_refused_though_it_names_what_is_signed(judged: Judged, world: World) -> None:
    """That is `verifyDigest`, which asks before any signature is looked for."""
    verdict = judged.verdicts["tag"]
    image = f"{world.registry}/orders:signed"
    assert (verdict.result, verdict.message) == ("fail", f"image {image} does not have a digest")


def test_an_image_that_is_not_there(judged: Judged) -> None:
    """It cannot be judged, and `failurePolicy: Fail` makes a refusal of that."""
    verdict = judged.verdicts["absent"]
    assert verdict.result == "error"
    assert "Unknown manifest" in verdict.message


@pytest.mark.parametrize("name", ["of-another-service", "of-another-service-absent"])
def test_another_services_image_is_not_asked_about(judged: Judged, name: str) -> None:
    """Not even whether it is there."""
    assert judged.verdicts[name].result == "pass"


def test_while_sigstore_does_not_answer(
    world: World, references: Mapping[str, str], template: Path, tmp_path: Path
) -> None:
    policy = rule(world, template, tmp_path / "orders")
    [attestor] = policy["spec"]["attestors"]
    attestor["cosign"]["tuf"] |= {"mirror": f"http://127.0.0.1:{free_port()}"}
    judged = judge(tmp_path / "kyverno", policy, {"signed": running(references["signed"])})
    verdict = judged.verdicts["signed"]
    assert (verdict.result, verdict.message) == ("fail", MESSAGE)
    assert "failed to initialize TUF client" in judged.reasons[references["signed"]]


def test_of_the_organisations_workflow_kyverno_does_not_ask_for_which_repository_it_ran(
    world: World, template: Path, tmp_path: Path
) -> None:
    """It does not look at `additionalExtensions`, as `make verify` does; where this fails, it has learned to."""
    orders, main = "acme/orders", "refs/heads/main"
    policy = rule(world, template, tmp_path / "orders", build_workflow="organisation", release_workflow=SHARED)
    [attestor] = policy["spec"]["attestors"]
    wanted = {"githubWorkflowRepository": orders, "githubWorkflowRef": main}
    assert attestor["cosign"]["keyless"]["additionalExtensions"] == wanted
    shared = f"https://github.com/{SHARED}"
    newer = shared.replace("c" * 40, "d" * 40)
    references = {
        "here": world.signed("here", shared, repository=orders, ref=main),
        "elsewhere": world.signed("elsewhere", shared, repository="acme/stock", ref="refs/heads/feature"),
        "newer": world.signed("newer", newer, repository=orders, ref=main),
        "own": world.signed("own-workflow", repository=orders, ref=main),
    }
    judged = judge(tmp_path / "kyverno", policy, {name: running(one) for name, one in references.items()})
    found = {name: one.result for name, one in judged.verdicts.items()}
    assert found == {"here": "pass", "elsewhere": "pass", "newer": "fail", "own": "fail"}
    for name, workflow in (("newer", newer), ("own", WORKFLOW)):
        assert f'expected SAN value "{shared}", got "{workflow}"' in judged.reasons[references[name]]
