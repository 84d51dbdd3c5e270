"""Argo CD itself makes a preview of a labelled pull request, and removes all of it with the label."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.github import GitHub
from tests.cluster.services import Object, script
from tests.cluster.synced import ARGO, REFRESH, here
from tests.labs import template as template_lab
from tests.labs.cluster import Lab, api
from tests.labs.cluster.argocd_running import ArgoCD
from tests.labs.waiting import until

pytestmark = pytest.mark.cluster


@pytest.fixture
def service(template: Path, tmp_path: Path) -> Path:
    name = f"orders-{uuid.uuid4().hex[:6]}"
    answers = {"language": "go", "service_name": name, "delivery": "blue-green"}
    folder = template_lab.render(template, tmp_path / name, answers)
    template_lab.commit_all(folder)
    return folder


@pytest.fixture
def github(cluster_lab: Lab, argo: ArgoCD, service: Path) -> Iterator[GitHub]:
    """GitHub, and in the cluster what the service tells Argo CD of its previews."""
    with GitHub(f"acme/{service.name}") as running:
        cluster_lab.apply([running.app()], argo.namespace)
        found = here(argo, service)
        cluster_lab.apply([one for one in found if one["kind"] == "AppProject"], argo.namespace)
        cluster_lab.apply([one for one in found if one["kind"] == "ApplicationSet"], argo.namespace)
        yield running


def publish(service: Path, number: int, level: str) -> None:
    """Do what the workflow of previews does: the branch of a pull request gets the digest of its image."""
    branch = f"preview/pr-{number}"
    template_lab.git(service, "checkout", "--quiet", "-B", branch, "main")
    image = f"ghcr.io/acme/{service.name}-preview@sha256:{'2' * 64}"
    done = script(service, "promote", "--to", "preview", "--image", image, "--version", level)
    assert done.returncode == 0, done.stderr
    config = service / "deploy/overlays/preview/config.env"
    config.write_text(f"LOG_LEVEL={level}\n", encoding="utf-8")
    template_lab.commit_all(service, level)
    template_lab.git(service, "checkout", "--quiet", "main")


def await_(reached: Callable[[], bool], what: str) -> None:
    """Wait; in the end say what was waited for."""
    until(reached, otherwise=lambda _: what, seconds=180, pause=0.3)


def test_a_preview_comes_with_the_label_and_goes_with_it(
    cluster_lab: Lab, argo: ArgoCD, service: Path, github: GitHub
) -> None:
    namespace = f"{service.name}-pr-7"

    def applications() -> dict[str, Object]:
        found = api.get(f"{ARGO}/namespaces/{argo.namespace}/applications")["items"]
        return {one["metadata"]["name"]: one.get("status", {}) for one in found}

    def ask() -> None:
        # It asks every five minutes by itself.
        cluster_lab.kubectl(
            "annotate", "--overwrite", "applicationset", f"{service.name}-previews", "--namespace", argo.namespace,
            "argocd.argoproj.io/application-set-refresh=true",
        )  # fmt: skip

    def deployed(level: str) -> bool:
        said = applications().get(namespace, {})
        state = said.get("sync", {}).get("status"), said.get("health", {}).get("status")
        return state == ("Synced", "Healthy") and level in configured()

    def configured() -> set[str]:
        found = api.get(f"/api/v1/namespaces/{namespace}/configmaps")["items"]
        return {one["data"]["LOG_LEVEL"] for one in found if "LOG_LEVEL" in one.get("data", {})}

    publish(service, 7, "warn")
    github.labels = {7: ["preview"], 8: ["preview", "bug"], 9: ["bug"]}
    ask()
    await_(lambda: deployed("warn"), "the preview is not deployed")
    image = f"ghcr.io/acme/{service.name}-preview@sha256:{'2' * 64}"
    pods = api.get(f"/api/v1/namespaces/{namespace}/pods")["items"]
    assert {container["image"] for pod in pods for container in pod["spec"]["containers"]} == {image}
    assert api.get(f"/api/v1/namespaces/{namespace}/resourcequotas/preview")["spec"]["hard"]["pods"] == "6"
    # One without a branch, as of a fork, has an Application that says so, and nothing else.
    without = f"{service.name}-pr-8"
    assert applications().keys() == {namespace, without}
    await_(lambda: "conditions" in applications()[without], "no word of the branch that is missing")
    [condition] = applications()[without]["conditions"]
    assert "preview/pr-8" in condition["message"]
    # A commit; nothing of the version before is left.
    publish(service, 7, "error")
    cluster_lab.kubectl("annotate", "--overwrite", "application", namespace, "--namespace", argo.namespace, REFRESH)
    await_(lambda: deployed("error") and configured() == {"error"}, "the commit is not deployed")
    # The label goes from one, the other is closed.
    github.labels = {7: ["bug"]}
    ask()
    await_(lambda: applications() == {}, "an Application is still there")
    there = [one["metadata"]["name"] for one in api.get("/api/v1/namespaces")["items"]]
    assert not [name for name in there if name.startswith(f"{service.name}-pr-")]
