"""Argo CD itself deploys a service: its environments, its promotions, and what a version needs while it runs."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cluster.services import Object, script
from tests.cluster.synced import Synced, by_hand
from tests.labs import template as template_lab
from tests.labs.cluster import Lab, api
from tests.labs.cluster.argocd_running import ArgoCD

pytestmark = pytest.mark.cluster

Start = Callable[..., Synced]
# Of these Argo CD says what it thinks of an operator that does not run here.
ANSWERS = {
    "canary": ({}, "Healthy"),
    "blue-green-gcp": ({"delivery": "blue-green", "secrets": "gcp", "tier": "critical"}, "Progressing"),
    "gateway-vault": ({"traffic": "gateway", "secrets": "vault", "upstream": "inventory"}, "Progressing"),
}


@pytest.fixture
def start(cluster_lab: Lab, argo: ArgoCD, template: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts an environment of a service with a name of its own."""
    with ExitStack() as stack:

        def begin(delivery: str) -> Synced:
            answers = {"language": "go", "service_name": f"orders-{uuid.uuid4().hex[:6]}", "delivery": delivery}
            folder = template_lab.render(template, tmp_path / str(answers["service_name"]), answers)
            by_hand(folder, delivery)
            running = stack.enter_context(Synced(cluster_lab, argo, folder))
            running.synced()
            # The autoscaler looks every 15 seconds; what it changes later would change what a version waits for.
            running.wait(lambda _: running.rollout()["status"].get("availableReplicas") == 2)
            running.synced()
            return running

        yield begin


def deploying(said: Object) -> str:
    """Return the commit that is being deployed, or was last."""
    return str(said["operationState"].get("syncResult", {}).get("revision"))


@pytest.mark.parametrize("name", ANSWERS)
def test_an_environment_is_synced(cluster_lab: Lab, argo: ArgoCD, template: Path, tmp_path: Path, name: str) -> None:
    answers, health = ANSWERS[name]
    answers = {"language": "go", "service_name": f"orders-{uuid.uuid4().hex[:6]}", **answers}
    folder = template_lab.render(template, tmp_path / answers["service_name"], answers)
    with (
        Synced(cluster_lab, argo, folder) as staging,
        Synced(cluster_lab, argo, folder, "production") as production,
    ):
        for one in (staging, production):
            said = one.synced(health=health)
            # What the API server has filled in makes no difference.
            assert {item["status"] for item in said["resources"]} == {"Synced"}
            # What the Rollout names was there before it, so nothing was degraded meanwhile.
            assert one.refusals() == []


def test_a_promotion_is_deployed_and_the_number_of_pods_is_the_autoscalers(cluster_lab: Lab, start: Start) -> None:
    staging = start("canary")
    # As the HorizontalPodAutoscaler does.
    cluster_lab.kubectl(
        "patch", "rollout", staging.folder.name, "--namespace", staging.namespace,
        "--subresource=scale", "--type=merge", "--patch", '{"spec": {"replicas": 3}}',
    )  # fmt: skip
    image = f"ghcr.io/acme/{staging.folder.name}@sha256:{'1' * 64}"
    done = script(staging.folder, "promote", "--to", "staging", "--image", image, "--version", "v1.2.3")
    assert done.returncode == 0, done.stderr
    staging.commit("Release v1.2.3 to staging")
    staging.waits(image)
    # Nothing has to be removed, so the sync is over, and what comes next does not wait.
    assert staging.synced(health="Suspended")["operationState"]["phase"] == "Succeeded"
    staging.decide("promote")
    staging.synced()
    rollout = staging.rollout()
    [container] = rollout["spec"]["template"]["spec"]["containers"]
    assert container["image"] == image
    assert rollout["spec"]["replicas"] == rollout["status"]["availableReplicas"] == 3


def test_what_argo_rollouts_writes_is_kept(cluster_lab: Lab, argo: ArgoCD, template: Path, tmp_path: Path) -> None:
    """By hand here: the plugin that moves the weights is not in the lab, and without it no version goes on."""
    name = f"orders-{uuid.uuid4().hex[:6]}"
    answers = {"language": "go", "service_name": name, "traffic": "gateway"}
    folder = template_lab.render(template, tmp_path / name, answers)
    weights = [
        {"op": "replace", "path": f"/spec/rules/0/backendRefs/{n}/weight", "value": w} for n, w in ((0, 80), (1, 20))
    ]
    selector = [{"op": "add", "path": "/spec/selector/rollouts-pod-template-hash", "value": "5f6d"}]

    def kept() -> tuple[list[int], str]:
        route = api.get(f"/apis/gateway.networking.k8s.io/v1/namespaces/{staging.namespace}/httproutes/{name}")
        service = api.get(f"/api/v1/namespaces/{staging.namespace}/services/{name}-canary")
        found = [one["weight"] for one in route["spec"]["rules"][0]["backendRefs"]]
        return found, service["spec"]["selector"].get("rollouts-pod-template-hash", "")

    with Synced(cluster_lab, argo, folder) as staging:
        staging.synced(health="Progressing")
        for kind, patch in ((f"httproute/{name}", weights), (f"service/{name}-canary", selector)):
            cluster_lab.kubectl(
                "patch", kind, "--namespace", staging.namespace, "--type=json", "--patch", json.dumps(patch)
            )
        for file in ("httproute.yaml", "namespace.yaml"):
            changed = folder / "deploy/overlays/staging" / file
            changed.write_text(changed.read_text().replace("metadata:\n", "metadata:\n  annotations: {note: x}\n", 1))
        changed = folder / "deploy/base/service.yaml"
        changed.write_text(changed.read_text().replace("appProtocol: http", "appProtocol: kubernetes.io/h2c"))
        staging.commit("All of them are applied")
        staging.synced(health="Progressing")
        assert kept() == ([80, 20], "5f6d")


def test_a_canary_and_its_abort_keep_what_the_stable_version_needs(start: Start) -> None:
    staging = start("canary")
    stable = staging.configuration()
    first = staging.configure("debug")
    pods = staging.waits()["spec"]["template"]
    staging.wait(lambda said: "waiting for healthy state" in said["operationState"].get("message", ""))
    assert stable < staging.configuration()
    assert staging.missing() == set()
    # The next commit waits for what is decided.
    newest = staging.configure("warn")
    said = staging.wait(lambda said: said["sync"]["revision"] == newest)
    assert (said["operationState"]["phase"], deploying(said)) == ("Running", first)
    assert staging.rollout()["spec"]["template"] == pods
    staging.decide("abort")
    # The same sync is tried again, with the newest commit.
    staging.wait(lambda said: deploying(said) == newest)
    staging.waits()
    assert stable < staging.configuration()
    assert staging.missing() == set()
    staging.decide("promote")
    staging.synced()
    # Nothing is left of both versions before.
    [left] = staging.configuration()
    assert left not in stable
    assert staging.missing() == set()


def test_a_revert_after_an_abort_leaves_nothing_of_the_new_version(start: Start) -> None:
    staging = start("canary")
    stable = staging.configuration()
    staging.configure("debug")
    staging.waits()
    staging.decide("abort")
    staging.wait(lambda said: said["health"]["status"] == "Degraded")
    assert stable < staging.configuration()
    template_lab.git(staging.folder, "revert", "--no-edit", "HEAD")
    staging.commit("Back")
    staging.synced()
    assert staging.configuration() == stable
    assert staging.missing() == set()


def test_blue_green_goes_back_at_once_with_its_configuration(start: Start) -> None:
    staging = start("blue-green")
    [blue] = staging.configuration()
    pods = staging.pods()
    staging.configure("debug")
    staging.waits()
    assert blue in staging.configuration()
    assert staging.missing() == set()
    staging.decide("promote")
    staging.synced()
    [green] = staging.configuration()
    assert blue != green
    # The pods of the version before are kept for ten minutes.
    assert pods.items() <= staging.pods().items()
    template_lab.git(staging.folder, "revert", "--no-edit", "HEAD")
    staging.commit("Back")
    staging.synced()
    assert blue in staging.configuration()
    assert pods.items() <= staging.pods().items(), "none had to start"


def test_what_is_undone_by_hand_is_done_again_unless_argo_cd_is_told_to_wait(start: Start) -> None:
    staging = start("canary")
    image = f"ghcr.io/acme/{staging.folder.name}@sha256:{'1' * 64}"
    script(staging.folder, "promote", "--to", "staging", "--image", image, "--version", "v1.2.3")
    staging.commit("Release v1.2.3 to staging")
    staging.waits(image)
    staging.decide("promote")
    staging.synced()
    new = staging.rollout()["status"]["stableRS"]
    staging.decide("undo")
    staging.wait(lambda _: image not in str(staging.rollout()["spec"]))
    staging.wait(lambda _: image in str(staging.rollout()["spec"]))
    staging.synced()
    staging.patch({"spec": {"syncPolicy": {"automated": {"enabled": False}}}})
    staging.decide("undo")
    staging.decide("promote", "--full")
    staging.wait(lambda said: said["sync"]["status"] == "OutOfSync" and said["health"]["status"] == "Healthy")
    assert staging.rollout()["status"]["stableRS"] != new
    staging.patch({"spec": {"syncPolicy": {"automated": {"enabled": True}}}})
    staging.waits(image)
