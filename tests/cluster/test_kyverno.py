"""Kyverno in the cluster, as its release installs it: webhooks judge every case, and the sweep takes what is left."""

from __future__ import annotations

import datetime
import json
import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.cluster import policies
from tests.cluster.policy_cases import (
    BAD,
    CONTROLLED,
    DEBUGGED,
    GOOD,
    ISOLATION,
    PREVIEWS,
    Case,
    Object,
    network,
    preview,
)
from tests.cluster.services import objects, only
from tests.cluster.test_policies import OWNED, debug, refusal
from tests.labs import template as lab
from tests.labs.cluster import KubectlError, Lab, api
from tests.labs.cluster.kyverno_running import Kyverno
from tests.labs.waiting import until

pytestmark = pytest.mark.cluster

POLICIES = "/apis/policies.kyverno.io/v1"
ADMISSION = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
_DENIED = re.compile(r'admission webhook "vpol\.validate\.kyverno\.svc-fail[^"]*" denied the request: (.*)')
_REASON = re.compile(r"Policy (\S+) failed: (.*?)(?=; Policy |$)")
DIGEST = next(case for case in BAD if case.policy == "image-digest")


@pytest.fixture(scope="module")
def kyverno(cluster_lab: Lab) -> Iterator[Kyverno]:
    with Kyverno(cluster_lab) as running:
        yield running


@pytest.fixture(scope="module")
def mark() -> str:
    return f"k{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def platform(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return policies.platform(template, tmp_path_factory.mktemp("platform") / "policies")


@pytest.fixture(scope="module")
def enforced(
    cluster_lab: Lab, kyverno: Kyverno, platform: Path, tmp_path_factory: pytest.TempPathFactory, mark: str
) -> Iterator[list[Object]]:
    """The policies, enforced in the namespaces of these tests and nowhere else."""
    assert kyverno
    found = policies.for_namespaces(platform, tmp_path_factory.mktemp("kyverno") / "overlay", mark, policies.KYVERNO)
    rules = [one for one in found if one["kind"] == "ValidatingPolicy"]
    with policies.enforced(cluster_lab, found):
        until(
            lambda: [status(one) for one in rules],
            lambda said: all(one.get("ready") for one in said),
            lambda said: f"not ready: {json.dumps(said, indent=2)}",
        )
        yield rules


def status(policy: Object) -> Object:
    found: Object = api.get(f"{POLICIES}/validatingpolicies/{policy['metadata']['name']}").get("status", {})
    return dict(found.get("conditionStatus", {}))


@contextmanager
def space(cluster_lab: Lab, mark: str, there: Sequence[Object] = ()) -> Iterator[str]:
    """Yield a namespace that the policies look at, with what is to be in it already."""
    with cluster_lab.namespace({"test": mark, **OWNED}) as name:
        if there:
            cluster_lab.apply(there, name)
        yield name


def beside(one: Object) -> Object:
    """Return an object under a name that no case has."""
    return {**one, "metadata": {**one["metadata"], "name": "beside"}}


@pytest.fixture(scope="module")
def judged(cluster_lab: Lab, enforced: list[Object], mark: str) -> Iterator[str]:
    """A namespace in which the policies are enforced and pods are isolated."""
    assert enforced
    with space(cluster_lab, mark, [beside(network())]) as name:
        yield name


def reasons(said: str, mark: str) -> list[tuple[str, str]]:
    """Return which policies refused an object, and why."""
    denied = _DENIED.search(said)
    assert denied, said
    return [(name.removesuffix(f"-{mark}"), why) for name, why in _REASON.findall(denied[1])]


def create(cluster_lab: Lab, namespace: str, cases: Sequence[Case]) -> str:
    return cluster_lab.kubectl(
        "create", "--dry-run=server", "--namespace", namespace, "--output=name", "--filename", "-",
        input="\n---\n".join(json.dumps(case.object) for case in cases),
    )  # fmt: skip


def test_each_policy_has_a_webhook_for_what_it_looks_at(enforced: list[Object], mark: str) -> None:
    made: dict[str, Object] = {}
    for one in api.get(f"{ADMISSION}/kyverno-resource-validating-webhook-cfg")["webhooks"]:
        # The last part of the path names the policies whose webhook it is.
        for name in one["clientConfig"]["url"].partition("/vpol/")[2].split("/"):
            made[name] = one
    for policy in enforced:
        webhook, asked = made[policy["metadata"]["name"]], policy["spec"]["matchConstraints"]
        assert webhook["namespaceSelector"]["matchLabels"] == {"test": mark}
        assert webhook["failurePolicy"] == "Fail"
        assert covered(asked["resourceRules"]) <= covered(webhook["rules"])


def covered(rules: Sequence[Object]) -> set[tuple[str, ...]]:
    return {
        (group, version, resource, operation)
        for one in rules
        for group in one["apiGroups"]
        for version in one["apiVersions"]
        for resource in one["resources"]
        for operation in one["operations"]
    }


def test_what_is_right_is_admitted(cluster_lab: Lab, judged: str) -> None:
    assert len(create(cluster_lab, judged, GOOD).splitlines()) == len(GOOD)


def test_what_breaks_a_rule_is_refused_with_its_reason(cluster_lab: Lab, judged: str, mark: str) -> None:
    # Kyverno as it is installed looks at no ReplicaSet; what one makes pods of, it judges as pods.
    wanted = [*BAD, *(case for case in CONTROLLED if case.object["kind"] != "ReplicaSet")]
    # One call: kubectl says of each why it is refused, and goes on.
    with pytest.raises(KubectlError) as error:
        create(cluster_lab, judged, wanted)
    lines = [line for line in str(error.value).splitlines() if "admission webhook" in line]
    assert len(lines) == len(wanted), str(error.value)
    for case, line in zip(wanted, lines, strict=True):
        [(policy, why)] = reasons(line, mark)
        assert policy == case.policy, (case.name, line)
        assert why.startswith(f"{case.policy}: "), (case.name, line)
        assert case.said in why, (case.name, line)


def test_of_a_replica_set_its_pods_are_judged(cluster_lab: Lab, judged: str) -> None:
    [bad, *_] = [case for case in CONTROLLED if case.object["kind"] == "ReplicaSet"]
    cluster_lab.apply([{**bad.object, "spec": {**bad.object["spec"], "replicas": 1}}], judged)
    path = f"/apis/apps/v1/namespaces/{judged}/replicasets/{bad.object['metadata']['name']}"
    conditions = until(lambda: api.get(path).get("status", {}).get("conditions"))
    assert f"denied the request: Policy {bad.policy}" in conditions[0]["message"]
    cluster_lab.kubectl("delete", "replicaset", bad.object["metadata"]["name"], "--namespace", judged)


def test_pods_are_isolated_by_what_is_beside_them(cluster_lab: Lab, enforced: list[Object], mark: str) -> None:
    assert enforced
    for one, there, passes in ISOLATION:
        with space(cluster_lab, mark, there) as name:
            said = refusal(cluster_lab, one, name)
            assert (said == "") == passes, said
            assert passes or [policy for policy, _ in reasons(said, mark)] == ["network-isolation"]


def test_an_image_of_a_preview_is_for_previews(cluster_lab: Lab, enforced: list[Object], mark: str) -> None:
    assert enforced
    for namespace, passes in PREVIEWS.items():
        one = preview(namespace, mark)
        name = one["metadata"]["namespace"]
        made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"test": mark, **OWNED}}}
        with cluster_lab.owned(made, wait=False):
            cluster_lab.apply([network()], name)
            said = refusal(cluster_lab, one, name)
            assert (said == "") == passes, (namespace, said)
            assert passes or [policy for policy, _ in reasons(said, mark)] == ["image-registry"]


def test_a_debugging_container_is_judged_too(cluster_lab: Lab, judged: str, mark: str) -> None:
    cluster_lab.apply([GOOD[0].object], judged)
    try:
        for case in DEBUGGED:
            said = debug(cluster_lab, case, judged)
            assert bool(said) == bool(case.policy), (case.name, said)
            assert not case.policy or reasons(said, mark)[0][0] == case.policy
            assert case.said in said
    finally:
        cluster_lab.kubectl("delete", "pod", "orders", "--namespace", judged, "--wait=false")


def test_what_a_service_deploys_is_admitted(
    cluster_lab: Lab, template: Path, tmp_path: Path, enforced: list[Object], mark: str
) -> None:
    assert enforced
    folder = lab.render(template, tmp_path / "service", {"service_name": mark, "secrets": "vault"})
    found = policies.built(folder / "deploy/overlays/staging")
    made = only(found, "Namespace")
    made["metadata"]["labels"]["test"] = mark
    # As Argo CD does: NetworkPolicies first.
    found.sort(key=lambda one: one["kind"] != "NetworkPolicy")
    with cluster_lab.owned(made, wait=False) as name:
        cluster_lab.apply([one for one in found if one is not made], name)
        selector = f"app.kubernetes.io/name={mark}"
        cluster_lab.kubectl(
            "wait", "--for=create", "pods", "--selector", selector, "--timeout=120s", "--namespace", name
        )


def exception(policy: str, name: str, ends: datetime.timedelta) -> Object:
    """Return an exception from a policy for the pod of a name; it is written as docs/reference/policies.md has it."""
    until_then = datetime.datetime.now(datetime.UTC) + ends
    return {
        "apiVersion": "policies.kyverno.io/v1",
        "kind": "PolicyException",
        "metadata": {"name": name},
        "spec": {
            "policyRefs": [{"name": policy, "kind": "ValidatingPolicy"}],
            "matchConditions": [{"name": "one", "expression": f'object.metadata.name == "{name}"'}],
            "expiresAt": f"{until_then:%Y-%m-%dT%H:%M:%SZ}",
        },
    }


def test_an_exception_takes_out_what_it_names_until_its_last_day(
    cluster_lab: Lab, kyverno: Kyverno, judged: str, mark: str
) -> None:
    policy = f"{DIGEST.policy}-{mark}"
    found = [exception(policy, f"{mark}-{name}", datetime.timedelta(days)) for name, days in ENDS.items()]
    with policies.enforced(cluster_lab, found, kyverno.namespace):
        said = until(
            lambda: {name: refusal(cluster_lab, under(f"{mark}-{name}"), judged) for name in ENDS},
            lambda said: said["valid"] == "",
            str,
        )
    assert [name for name, _ in reasons(said["over"], mark)] == [DIGEST.policy]


ENDS = {"over": -1, "valid": 2}


def under(name: str) -> Object:
    """Return a pod of an image by tag, under a name."""
    return {**DIGEST.object, "metadata": {**DIGEST.object["metadata"], "name": name}}


def test_the_signature_of_a_service_becomes_ready(
    cluster_lab: Lab, enforced: list[Object], template: Path, tmp_path: Path, mark: str
) -> None:
    """With the platform's policies, whose role it needs."""
    assert enforced
    folder = lab.render(template, tmp_path / "service", {"service_name": mark})
    found = objects((folder / policies.SIGNATURE).read_text(encoding="utf-8"))
    name = only(found, "ImageValidatingPolicy")["metadata"]["name"]
    with policies.enforced(cluster_lab, found):
        until(
            lambda: api.get(f"{POLICIES}/imagevalidatingpolicies/{name}").get("status", {}).get("conditionStatus", {}),
            lambda said: said.get("ready"),
            str,
        )


def test_the_sweep_takes_previews_that_argo_cd_has_forgotten(
    cluster_lab: Lab, kyverno: Kyverno, platform: Path, mark: str
) -> None:
    assert kyverno
    found = objects((platform / "kyverno/sweep.yaml").read_text(encoding="utf-8"))
    for one in found:
        one["metadata"]["name"] += f"-{mark}"
    sweep = only(found, "DeletingPolicy")["spec"]
    # Each minute instead of each night, and of these namespaces only: there is one cluster for all tests.
    sweep["schedule"] = "* * * * *"
    sweep["matchConstraints"]["objectSelector"]["matchLabels"]["test"] = mark
    kept = {f"{mark}-pr-1": "preview", f"{mark}-staging": "staging", f"{mark}-pr-x": "preview"}
    spaces = {**kept, f"{mark}-pr-2": "preview"}
    known = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": f"{mark}-pr-1"}}
    known["spec"] = {"project": "none", "destination": {"server": "https://kubernetes.default.svc"}}
    with ExitStack() as stack:
        # Of all tests: who asks for it applies it, and nobody removes it.
        cluster_lab.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}}])
        cluster_lab.apply([known], "argocd")
        stack.callback(cluster_lab.kubectl, "delete", "application", f"{mark}-pr-1", "--namespace=argocd")
        for name, environment in spaces.items():
            labels = {"environment": environment, "app.kubernetes.io/name": mark, "test": mark, **OWNED}
            one = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
            stack.enter_context(cluster_lab.owned(one, wait=False))
        stack.enter_context(policies.enforced(cluster_lab, found))
        until(lambda: left(mark), lambda said: f"{mark}-pr-2" not in said, str, seconds=150, pause=1)
        assert left(mark) == set(kept)


def left(mark: str) -> set[str]:
    """Return the namespaces of a test that nobody is removing."""
    found = api.get(f"/api/v1/namespaces?labelSelector=test%3D{mark},environment")["items"]
    return {one["metadata"]["name"] for one in found if "deletionTimestamp" not in one["metadata"]}
