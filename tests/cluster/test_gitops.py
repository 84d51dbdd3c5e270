"""A real API server accepts what Argo CD is told, which by its own code permits what is applied and no more."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml

from tests.cluster import policies
from tests.cluster.gitops import applied, named, preview, told
from tests.cluster.services import Object, objects
from tests.labs import template as lab
from tests.labs.cluster import KubectlError, Lab, LabError, argocd, offline

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("cluster_lab")]


ANSWERS = {
    "none": {},
    "vault": {"secrets": "vault"},
    "gateway": {"traffic": "gateway"},
    "blue-green": {"delivery": "blue-green"},
}


@pytest.fixture(params=ANSWERS)
def service(request: pytest.FixtureRequest, template: Path, tmp_path: Path) -> Path:
    answers = {"language": "go", "service_name": "orders", "upstream": "inventory", **ANSWERS[request.param]}
    return lab.render(template, tmp_path / "orders", answers)


def environment(service: Path, name: str) -> tuple[Object, Object]:
    """Return an environment's Application and its project; of a preview, of pull request 7."""
    found = told(service)
    made = preview(service, 7) if name == "preview" else named(found, "Application", f"orders-{name}")
    return made, named(found, "AppProject", made["spec"]["project"])


def test_every_object_is_accepted(cluster_lab: Lab, language: str, template: Path, tmp_path: Path) -> None:
    service = lab.render(template, tmp_path / "x", {"language": language, "service_name": f"{language}-orders"})
    found = told(service)
    assert [item["kind"] for item in found] == ["AppProject"] * 2 + ["Application"] * 2 + ["ApplicationSet"]
    assert {item["metadata"]["namespace"] for item in found} == {"argocd"}
    platform = policies.platform(template, tmp_path / "platform")
    sweep = objects((platform / "kyverno/sweep.yaml").read_text(encoding="utf-8"))
    assert offline.problems(yaml.safe_dump_all([*found, *sweep])) == []
    cluster_lab.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}}])
    said = cluster_lab.apply([*found, *sweep], "argocd", dry_run=True)
    assert len(said.splitlines()) == 7


def test_a_typo_is_refused_with_its_path(cluster_lab: Lab, service: Path) -> None:
    cluster_lab.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}}])
    made = named(told(service), "ApplicationSet", "orders-previews")
    made["spec"]["template"]["spec"]["syncPolicy"]["automated"]["selfHeel"] = True
    path = "spec.template.spec.syncPolicy.automated.selfHeel"
    assert offline.problems(yaml.safe_dump(made)) == [f'ApplicationSet orders-previews: unknown field "{path}"']
    with pytest.raises(KubectlError, match="selfHeel: field not declared in schema"):
        cluster_lab.apply([made], "argocd", dry_run=True)


@pytest.mark.parametrize("name", ["staging", "production", "preview"])
def test_a_project_permits_what_the_service_applies_and_nothing_more(service: Path, tmp_path: Path, name: str) -> None:
    made, project = environment(service, name)
    found = applied(service, made, tmp_path)
    assert argocd.refused(project, made, found) == []
    assert {item["metadata"].get("namespace") for item in found} == {None, made["spec"]["destination"]["namespace"]}
    # Each kind that it permits is there.
    permitted = {(item["group"], item["kind"]) for item in project["spec"]["namespaceResourceWhitelist"]}
    there = {
        (item["apiVersion"].rpartition("/")[0], item["kind"]) for item in found if item["kind"] != "Namespace"
    }  # fmt: skip
    assert there == permitted


def other(kind: str, name: str, namespace: str = "", version: str = "v1") -> Object:
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


@pytest.mark.parametrize("service", ["vault"], indirect=True)
def test_a_project_refuses_the_rest(service: Path) -> None:
    for name, elsewhere in (("staging", "orders-pr-7"), ("preview", "orders-production")):
        made, project = environment(service, name)
        inside = made["spec"]["destination"]["namespace"]
        for one in (
            other("Secret", "x", inside),
            other("RoleBinding", "x", inside, "rbac.authorization.k8s.io/v1"),
            other("ClusterRole", "x", version="rbac.authorization.k8s.io/v1"),
            other("Namespace", "kube-system"),
            other("Namespace", elsewhere),
            other("ConfigMap", "x", elsewhere),
            other("ConfigMap", "x", "argocd"),
        ):
            refused = f"{one['kind']} {one['metadata'].get('namespace', '')}/{one['metadata']['name']}"
            assert argocd.refused(project, made, [one]) == [refused]
        foreign = copy.deepcopy(made)
        foreign["spec"]["source"]["repoURL"] = "https://github.com/acme/orders-fork.git"
        foreign["spec"]["destination"]["namespace"] = elsewhere
        assert argocd.refused(project, foreign, []) == [
            "source https://github.com/acme/orders-fork.git",
            f"destination {elsewhere}",
        ]
    # A service that is called orders-pr has namespaces of its own.
    assert argocd.refused(project, made, [other("ConfigMap", "x", "orders-pr-staging")])


@pytest.mark.parametrize("service", ["none"], indirect=True)
def test_a_pull_request_becomes_the_application_of_its_branch(cluster_lab: Lab, service: Path) -> None:
    made = preview(service, 12)
    assert made["metadata"]["name"] == "orders-pr-12"
    assert made["metadata"]["finalizers"] == ["resources-finalizer.argocd.argoproj.io"]
    assert made["spec"]["source"]["targetRevision"] == "preview/pr-12"
    assert (
        made["spec"]["destination"]["namespace"] == made["spec"]["source"]["kustomize"]["namespace"] == "orders-pr-12"
    )
    kind = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"}
    cluster_lab.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}}])
    whole = {**kind, **{key: made[key] for key in ("metadata", "spec")}}
    whole["metadata"].pop("creationTimestamp", None)
    cluster_lab.apply([whole], "argocd", dry_run=True)
    broken = named(told(service), "ApplicationSet", "orders-previews")
    broken["spec"]["template"]["metadata"]["name"] = "{{ .nubmer }}"
    with pytest.raises(LabError, match='map has no entry for key "nubmer"'):
        argocd.application(broken, {"number": "12"})
