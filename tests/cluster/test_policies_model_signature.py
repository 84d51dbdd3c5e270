"""Kyverno's own command line verifies who signed a service's model: in the variable of an init container, in a volume.

As for the image (test_policies_signature.py), the policy is the template's but for whom it trusts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cluster import policies
from tests.cluster.policy_cases import DIGEST, Object, fetching, pod
from tests.cluster.services import objects
from tests.cluster.test_policies_signature import Judged, World, judge, world
from tests.labs import template as lab

__all__ = ["world"]  # a fixture

pytestmark = [pytest.mark.cluster, pytest.mark.images]

RELEASE = "https://github.com/acme/orders/.github/workflows/model-release.yml"
MESSAGE = "model-signature: not signed by this service's workflow model-release"
SIGNED = {"main": f"{RELEASE}@refs/heads/main", "a-tag": f"{RELEASE}@refs/tags/model-v1.2.0"}
REFUSED = {
    "by-release": f"{RELEASE.replace('model-release', 'release')}@refs/heads/main",
    "by-ref": f"{RELEASE}@refs/heads/feature",
    "by-another-tag": f"{RELEASE}@refs/tags/v1.2.0",
    "by-a-longer-ref": f"{RELEASE}@refs/heads/main-2",
    "by-repository": f"{RELEASE.replace('acme/orders', 'acme/stock')}@refs/heads/main",
}


def rule(world: World, template: Path, folder: Path) -> Object:
    answers = {"service_name": "orders", "registry": world.registry, "kind": "model"}
    service = lab.render(template, folder, answers)
    [_, found] = objects((service / policies.SIGNATURE).read_text(encoding="utf-8"))
    [attestor] = found["spec"]["attestors"]
    attestor["cosign"]["tuf"] = world.sigstore.tuf
    attestor["cosign"]["ctlog"] |= {"insecureIgnoreTlog": True, "insecureIgnoreSCT": True}
    return found


def mounting(reference: str) -> Object:
    return pod(volumes=[{"name": "model", "image": {"reference": reference}}])


@pytest.fixture(scope="module")
def references(world: World) -> dict[str, str]:
    """The models, by the case's name."""
    found = {"unsigned": world.push("unsigned", "orders-model")}
    for name, workflow in {**SIGNED, **REFUSED}.items():
        identity = world.authority.identity(workflow)
        reference = world.push(name, "orders-model")
        flags = identity["COSIGN_FLAGS"].split()
        world.run("cosign", "sign", "--yes", "--key", identity["COSIGN_KEY"], *flags, reference)
        found[name] = reference
    return found


@pytest.fixture(scope="module")
def judged(
    world: World, references: Mapping[str, str], template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Judged:
    work = tmp_path_factory.mktemp("model-signature")
    nothing = f"{world.registry}/orders-model@sha256:{'0' * 64}"
    pods = {
        **{f"init-{name}": fetching(value=reference) for name, reference in references.items()},
        **{f"volume-{name}": mounting(reference) for name, reference in references.items()},
        "nothing-yet": fetching(value=nothing),
        "no-model": pod(),
        "another-services": fetching(value=f"{world.registry}/stock-model@{DIGEST}"),
        "tag": fetching(value=f"{world.registry}/orders-model:main"),
    }
    return judge(work / "kyverno", rule(world, template, work / "orders"), pods)


@pytest.mark.parametrize("how", ["init", "volume"])
@pytest.mark.parametrize("name", SIGNED)
def test_signed_by_the_workflow_of_models(judged: Judged, how: str, name: str) -> None:
    assert judged.verdicts[f"{how}-{name}"].result == "pass"


@pytest.mark.parametrize("how", ["init", "volume"])
@pytest.mark.parametrize("name", ["unsigned", *REFUSED])
def test_refused(judged: Judged, how: str, name: str) -> None:
    verdict = judged.verdicts[f"{how}-{name}"]
    assert (verdict.result, verdict.message) == ("fail", MESSAGE)


@pytest.mark.parametrize("name", ["nothing-yet", "no-model", "another-services"])
def test_what_is_not_asked_about(judged: Judged, name: str) -> None:
    assert judged.verdicts[name].result == "pass"


def test_a_tag_is_refused_though_it_names_what_is_signed(judged: Judged) -> None:
    assert judged.verdicts["tag"].result == "fail"
