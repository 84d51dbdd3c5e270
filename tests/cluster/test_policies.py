"""The API server by itself judges every case as the policies say; pods as Pod Security does."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import policies
from tests.cluster.policy_cases import (
    BAD,
    CONTROLLED,
    DEBUGGED,
    GOOD,
    PREVIEWS,
    RESTRICTED,
    Case,
    Object,
    container,
    made_by,
    pod,
    preview,
)
from tests.cluster.services import objects, only, with_components
from tests.cluster.test_manifests import ANSWERS
from tests.labs import template as lab
from tests.labs.cluster import KubectlError, Lab

pytestmark = pytest.mark.cluster

# Pod Security itself lets everything through.
OPEN = {"pod-security.kubernetes.io/enforce": "privileged"}
OWNED = {"owner": "platform", "cost-center": "platform", **OPEN}


@pytest.fixture(scope="module")
def service(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lab.render(template, tmp_path_factory.mktemp("policies") / "orders", {"service_name": "orders"})


@pytest.fixture(scope="module")
def platform(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return policies.platform(template, tmp_path_factory.mktemp("platform") / "policies")


@pytest.fixture(scope="module")
def mark() -> str:
    return f"p{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def judged(cluster_lab: Lab, platform: Path, tmp_path_factory: pytest.TempPathFactory, mark: str) -> Iterator[str]:
    """A namespace in which the policies are enforced, and they are nowhere else."""
    found = policies.for_namespaces(platform, tmp_path_factory.mktemp("admission") / "overlay", mark)
    with policies.enforced(cluster_lab, found), cluster_lab.namespace({"test": mark, **OWNED}) as name:
        await_enforced(cluster_lab, name, len(found) // 2)
        yield name


def await_enforced(cluster_lab: Lab, namespace: str, policy_count: int) -> None:
    """Wait until each policy refuses: the API server learns of a binding some moments later."""
    waiting = {case.policy: case for case in BAD if case.policy}
    assert len(waiting) == policy_count
    for _ in range(100):
        waiting = {name: case for name, case in waiting.items() if not refusal(cluster_lab, case.object, namespace)}
        if not waiting:
            return
    raise AssertionError(f"not enforced: {sorted(waiting)}")


def refusal(cluster_lab: Lab, one: Object, namespace: str) -> str:
    """Return why the server refuses an object, nothing where it does not."""
    try:
        cluster_lab.apply([one], namespace, dry_run=True)
    except KubectlError as error:
        return str(error)
    return ""


def test_what_is_right_is_admitted(cluster_lab: Lab, judged: str) -> None:
    said = cluster_lab.kubectl(
        "create", "--dry-run=server", "--namespace", judged, "--output=name", "--filename", "-",
        input="\n---\n".join(json.dumps(case.object) for case in GOOD),
    )  # fmt: skip
    assert len(said.splitlines()) == len(GOOD)


def test_what_breaks_a_rule_is_refused_with_its_reason(cluster_lab: Lab, judged: str, mark: str) -> None:
    wanted = [*BAD, *CONTROLLED]
    # One call: kubectl says of each why it is refused, and goes on.
    with pytest.raises(KubectlError) as error:
        cluster_lab.kubectl(
            "create", "--dry-run=server", "--namespace", judged, "--filename", "-",
            input="\n---\n".join(json.dumps(case.object) for case in wanted),
        )  # fmt: skip
    lines = [line for line in str(error.value).splitlines() if "ValidatingAdmissionPolicy" in line]
    assert len(lines) == len(wanted), str(error.value)
    for case, line in zip(wanted, lines, strict=True):
        denied = re.search(r"ValidatingAdmissionPolicy '([\w-]+)' with binding '[\w-]+' denied request: (.*)", line)
        assert denied, line
        assert denied[1] == f"{case.policy}-{mark}", (case.name, line)
        assert denied[2].startswith(f"{case.policy}: "), (case.name, line)
        assert case.said in denied[2], (case.name, line)


def test_an_image_of_a_preview_is_for_previews(cluster_lab: Lab, judged: str, mark: str) -> None:
    assert judged
    for namespace, passes in PREVIEWS.items():
        one = preview(namespace, mark)
        name = one["metadata"]["namespace"]
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"test": mark, **OWNED}}}
        with cluster_lab.owned(space, wait=False):
            said = refusal(cluster_lab, one, name)
            assert (said == "") == passes, (namespace, said)
            assert passes or f"denied request: image-registry: images of the name {mark} only" in said


def test_pod_security_says_the_same_of_pods(cluster_lab: Lab) -> None:
    """The API server's own check, which sees pods only."""
    with cluster_lab.namespace({"pod-security.kubernetes.io/enforce": "restricted"}) as namespace:
        cases = [*RESTRICTED, *(case for case in GOOD if case.object["kind"] == "Pod")]
        for case in cases:
            said = refusal(cluster_lab, case.object, namespace)
            assert ("violates PodSecurity" in said) == bool(case.policy), (case.name, said)


@pytest.mark.parametrize("answers", ANSWERS)
def test_what_a_service_deploys_is_admitted_and_a_break_of_it_is_not(
    cluster_lab: Lab, template: Path, tmp_path: Path, judged: str, mark: str, answers: str
) -> None:
    folder = lab.render(template, tmp_path / "service", {"service_name": f"go-{answers}", **ANSWERS[answers]})
    if answers == "full":
        with_components(folder)
    found = policies.built(folder / "deploy/overlays/staging")
    for one in found:
        if one["kind"] == "Namespace":
            # Another one that the policies look at; nothing can be tried in a namespace that is not there.
            one["metadata"]["name"] = f"{mark}-{answers}"
            one["metadata"]["labels"]["test"] = mark
        else:
            one["metadata"]["namespace"] = judged
    said = cluster_lab.apply(found, judged, dry_run=True)
    assert len(said.splitlines()) == len(found)
    rollout, namespace = only(found, "Rollout"), only(found, "Namespace")
    rollout["spec"]["template"]["spec"]["containers"][0]["image"] = "ghcr.io/acme/orders:1"
    assert "denied request: image-digest: " in refusal(cluster_lab, rollout, judged)
    del namespace["metadata"]["labels"]["cost-center"]
    assert "denied request: owner-labels: " in refusal(cluster_lab, namespace, "default")


def debug(cluster_lab: Lab, case: Case, namespace: str) -> str:
    """Add the ephemeral containers of a case to the pod that runs; return why that is refused."""
    change = json.dumps({"spec": {"ephemeralContainers": case.object["spec"]["ephemeralContainers"]}})
    try:
        cluster_lab.kubectl(
            "patch", "pod", "orders", "--namespace", namespace, "--subresource=ephemeralcontainers",
            "--type=strategic", "--dry-run=server", "--patch", change,
        )  # fmt: skip
    except KubectlError as error:
        return str(error)
    return ""


def test_a_debugging_container_is_judged_too(cluster_lab: Lab, judged: str) -> None:
    cluster_lab.apply([pod()], judged)
    try:
        for case in DEBUGGED:
            said = debug(cluster_lab, case, judged)
            assert bool(said) == bool(case.policy), (case.name, said)
            assert not case.policy or f"denied request: {case.policy}: " in said, said
            assert case.said in said
    finally:
        cluster_lab.kubectl("delete", "pod", "orders", "--namespace", judged, "--wait=false")


def test_what_was_there_before_can_be_scaled_and_removed_and_not_made_worse(
    cluster_lab: Lab, judged: str, mark: str
) -> None:
    assert judged
    with cluster_lab.namespace(OWNED) as namespace:
        old = pod(containers=[container(image="ghcr.io/acme/orders:1")])
        old["metadata"]["finalizers"] = ["example.com/wait"]
        controller = made_by("Deployment", pod(containers=[container(image="ghcr.io/acme/orders:1")]))
        controller["spec"]["replicas"] = 0
        cluster_lab.apply([old, controller], namespace)
        cluster_lab.kubectl("label", "namespace", namespace, f"test={mark}")
        where = ("--namespace", namespace)
        # The server has seen the label once it refuses.
        for _ in range(100):
            if refusal(cluster_lab, {**old, "metadata": {"name": "new"}}, namespace):
                break
        cluster_lab.kubectl("annotate", "pod", "orders", "a=b", *where)
        cluster_lab.kubectl("scale", "deployment", "orders", "--replicas=1", *where)
        cluster_lab.kubectl("patch", "deployment", "orders", "--type=merge", "-p", '{"spec":{"replicas":0}}', *where)
        change = '{"spec":{"containers":[{"name":"orders","image":"ghcr.io/acme/orders:2"}]}}'
        with pytest.raises(KubectlError, match=r"denied request: image-digest: .* not ghcr.io/acme/orders:2"):
            cluster_lab.kubectl("patch", "pod", "orders", "--patch", change, *where)
        with pytest.raises(KubectlError, match=r"denied request: image-digest: .* not ghcr.io/acme/orders:2"):
            cluster_lab.kubectl("set", "image", "deployment/orders", "orders=ghcr.io/acme/orders:2", *where)
        cluster_lab.kubectl("delete", "pod", "orders", "--wait=false", *where)
        cluster_lab.kubectl("patch", "pod", "orders", "--type=merge", "-p", '{"metadata":{"finalizers":[]}}', *where)
        cluster_lab.kubectl("wait", "--for=delete", "pod/orders", "--timeout=120s", *where)


def test_other_namespaces_are_left_alone(cluster_lab: Lab, judged: str) -> None:
    assert judged
    with cluster_lab.namespace(OPEN) as namespace:
        for case in BAD:
            assert "ValidatingAdmissionPolicy" not in refusal(cluster_lab, case.object, namespace), case.name


def test_a_namespace_says_who_owns_it(cluster_lab: Lab, judged: str, mark: str) -> None:
    assert judged
    one: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"{mark}-new"}}
    one["metadata"]["labels"] = {"test": mark, "owner": "a"}
    assert "denied request: owner-labels: namespaces and pods" in refusal(cluster_lab, one, "default")
    one["metadata"]["labels"]["cost-center"] = "b"
    assert refusal(cluster_lab, one, "default") == ""


def test_kyvernos_form_is_accepted_by_its_own_definitions(
    cluster_lab: Lab, service: Path, platform: Path, mark: str
) -> None:
    found = policies.built(platform / policies.KYVERNO)
    found += objects((service / policies.SIGNATURE).read_text(encoding="utf-8"))
    for one in found:
        one["metadata"]["name"] += f"-{mark}"
    said = cluster_lab.apply(found, dry_run=True)
    assert len(said.splitlines()) == len(found)
    kinds = {one["kind"] for one in found}
    assert kinds == {"ValidatingPolicy", "ImageValidatingPolicy", "ClusterRole"}
    rule = next(one for one in found if one["kind"] == "ValidatingPolicy")
    rule["spec"]["validation"] = []
    with pytest.raises(KubectlError, match=r"\.spec\.validation: field not declared in schema"):
        cluster_lab.apply([rule], dry_run=True)
