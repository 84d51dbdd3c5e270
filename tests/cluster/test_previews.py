"""Two previews in a real cluster: they do not touch each other, have limits, and go with all that they had."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster.gitops import applied, named, preview, told
from tests.cluster.services import Object, only
from tests.labs import template as lab
from tests.labs.cluster import KubectlError, Lab

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("cluster_lab")]

# Its namespaces are called after it, and others may use the cluster at the same time.
NAME = f"orders-{uuid.uuid4().hex[:6]}"
STAGING = f"{NAME}-staging"
FIRST, SECOND = f"{NAME}-pr-1", f"{NAME}-pr-2"


@pytest.fixture
def service(template: Path, tmp_path: Path) -> Path:
    return lab.render(template, tmp_path / "orders", {"language": "go", "service_name": NAME, "secrets": "vault"})


@contextmanager
def deployed(cluster_lab: Lab, found: list[Object]) -> Iterator[list[Object]]:
    """Apply an environment and wait until its pods are ready; remove it in the end where it is still there."""
    # Namespace and quota first, as Argo CD does, and before they count no pod is made.
    kinds = ("Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy")
    with cluster_lab.owned(only(found, "Namespace")) as name:
        if first := [item for item in found if item["kind"] in kinds[1:]]:
            cluster_lab.apply(first, name)
        if any(item["kind"] == "ResourceQuota" for item in found):
            done = "--for=jsonpath={.status.hard.pods}=6"
            cluster_lab.kubectl("wait", done, "resourcequota/preview", "--namespace", name, "--timeout=120s")
        cluster_lab.apply([item for item in found if item["kind"] not in kinds], name)
        for scaler in (item for item in found if item["kind"] == "HorizontalPodAutoscaler"):
            # It is looked at every 15 seconds; until then there is one pod.
            done = f"--for=jsonpath={{.spec.replicas}}={scaler['spec']['minReplicas']}"
            cluster_lab.kubectl("wait", done, f"rollout/{NAME}", "--namespace", name, "--timeout=120s")
        healthy(cluster_lab, name)
        yield found


def healthy(cluster_lab: Lab, namespace: str) -> None:
    cluster_lab.kubectl("argo", "rollouts", "status", NAME, "--namespace", namespace, "--timeout=120s")


def state(cluster_lab: Lab, namespace: str) -> dict[str, str]:
    """Return what is in a namespace, with what changes when somebody writes it: its identity and its content."""
    kinds = "rollouts,configmaps,services,networkpolicies,resourcequotas,limitranges,secretstores,externalsecrets,pods"
    text = cluster_lab.kubectl("get", kinds, "--namespace", namespace, "--output", "json")
    return {
        f"{item['kind']}/{item['metadata']['name']}": json.dumps(
            [item["metadata"]["uid"], item.get("spec"), item.get("data")]
        )
        for item in json.loads(text)["items"]
    }


def test_previews_do_not_touch_each_other_and_leave_nothing(cluster_lab: Lab, service: Path, tmp_path: Path) -> None:
    found = {name: applied(service, preview(service, number), tmp_path) for number, name in ((1, FIRST), (2, SECOND))}
    staging = applied(service, named(told(service), "Application", STAGING), tmp_path)
    with deployed(cluster_lab, staging), deployed(cluster_lab, found[FIRST]), deployed(cluster_lab, found[SECOND]):
        before = {name: state(cluster_lab, name) for name in (STAGING, FIRST, SECOND)}
        assert {f"Rollout/{NAME}", "ResourceQuota/preview", "LimitRange/preview", "NetworkPolicy/default-deny"} <= set(
            before[FIRST]
        )
        # Another version of the first.
        change = [{"op": "replace", "path": "/data/LOG_LEVEL", "value": "warn"}]
        config = next(name for name in before[FIRST] if name.startswith(f"ConfigMap/{NAME}-"))
        cluster_lab.kubectl("patch", config, "--namespace", FIRST, "--type=json", "-p", json.dumps(change))
        cluster_lab.kubectl("argo", "rollouts", "restart", NAME, "--namespace", FIRST)
        healthy(cluster_lab, FIRST)
        assert state(cluster_lab, FIRST) != before[FIRST]
        assert {name: state(cluster_lab, name) for name in (STAGING, SECOND)} == {
            name: before[name] for name in (STAGING, SECOND)
        }
        # As Argo CD removes it: all that the Application lists, the Namespace among it.
        cluster_lab.kubectl("delete", "namespace", FIRST, "--timeout=120s")
        assert state(cluster_lab, FIRST) == {}
        with pytest.raises(KubectlError, match="NotFound"):
            cluster_lab.kubectl("get", "namespace", FIRST)
        assert {name: state(cluster_lab, name) for name in (STAGING, SECOND)} == {
            name: before[name] for name in (STAGING, SECOND)
        }
        healthy(cluster_lab, SECOND)
        healthy(cluster_lab, STAGING)


def pod(name: str, **container: object) -> Object:
    """Return a pod that Pod Security admits."""
    security: Object = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    one = {"name": "x", "image": f"ghcr.io/acme/x@sha256:{'1' * 64}", "securityContext": security, **container}
    spec = {
        "containers": [one],
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def test_a_pod_over_quota_is_refused_with_the_reason(cluster_lab: Lab, service: Path, tmp_path: Path) -> None:
    with deployed(cluster_lab, applied(service, preview(service, 1), tmp_path)):
        # A pod without limits gets those of the namespace.
        cluster_lab.apply([pod("small")], FIRST)
        path = "jsonpath={.spec.containers[0].resources.limits.memory}"
        assert cluster_lab.kubectl("get", "pod", "small", "--namespace", FIRST, "--output", path) == "256Mi"
        for resources, reason in (
            (
                {"requests": {"cpu": "2"}, "limits": {"cpu": "2"}},
                r"exceeded quota: preview, requested: requests\.cpu=2",
            ),
            ({"limits": {"memory": "5Gi"}}, r"exceeded quota: preview, requested: .*limits\.memory=5Gi"),
        ):
            with pytest.raises(KubectlError, match=reason):
                cluster_lab.apply([pod("large", resources=resources)], FIRST)
        balancer = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "x"},
            "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
        }
        with pytest.raises(
            KubectlError, match=r"exceeded quota: preview, requested: services\.(loadbalancers|nodeports)"
        ):
            cluster_lab.apply([balancer], FIRST)
        # More replicas than it has room for: the reason stands at the Rollout's ReplicaSet.
        scale = ["patch", "hpa", NAME, "--namespace", FIRST, "--type=merge", "-p"]
        cluster_lab.kubectl(*scale, '{"spec":{"minReplicas":20,"maxReplicas":20}}')
        cluster_lab.kubectl(
            "patch", "rollout", NAME, "--namespace", FIRST, "--type=merge", "-p", '{"spec":{"replicas":20}}'
        )
        wait = '--for=jsonpath={.status.conditions[?(@.type=="ReplicaFailure")].reason}=FailedCreate'
        cluster_lab.kubectl("wait", wait, "replicaset", "--all", "--namespace", FIRST, "--timeout=120s")
        running = json.loads(cluster_lab.kubectl("get", "pods", "--namespace", FIRST, "--output", "json"))["items"]
        assert len(running) == 6


def test_what_a_pull_request_writes_into_its_overlay_stays_in_its_namespace(service: Path, tmp_path: Path) -> None:
    overlay = service / "deploy/overlays/preview/kustomization.yaml"
    overlay.write_text(
        overlay.read_text(encoding="utf-8").replace(f"namespace: {NAME}-preview", f"namespace: {NAME}-production")
    )
    found = applied(service, preview(service, 1), tmp_path)
    assert only(found, "Namespace")["metadata"]["name"] == FIRST
    assert {item["metadata"].get("namespace") for item in found} == {None, FIRST}
