"""What `make manifests` says of an object is what Argo CD's own code says, and a kustomization can permit more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from golden_path.rules import environments, every  # noqa: F401 - every has all rules
from tests.cluster.gitops import named, told
from tests.cluster.services import ENVIRONMENTS, Object, objects, rendered, script
from tests.labs import template as lab
from tests.labs.cluster import argocd
from tests.labs.toolchains import ROOT

pytestmark = [pytest.mark.cluster, pytest.mark.one_language]

PAGE = ROOT / "docs/reference/policy.md"
OVERLAY = "deploy/overlays/staging"
JOB = """apiVersion: batch/v1
kind: CronJob
metadata:
  name: nightly
spec:
  schedule: "0 3 * * *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: "ghcr.io/acme/a:1"}]}}}}
"""
KINDS = [
    ("v1", "ConfigMap"), ("v1", "Secret"), ("v1", "Service"), ("v1", "PersistentVolumeClaim"), ("v1", "ResourceQuota"),
    ("v1", "Namespace"),
    ("apps/v1", "Deployment"), ("batch/v1", "CronJob"), ("networking.k8s.io/v1", "Ingress"),
    ("policy/v1", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io/v1", "Role"), ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("gateway.networking.k8s.io/v1", "HTTPRoute"), ("external-secrets.io/v1", "ExternalSecret"),
    ("argoproj.io/v1alpha1", "Rollout"), ("argoproj.io/v1alpha1", "Application"),
]  # fmt: skip
OF_THE_CLUSTER = ("Namespace", "ClusterRole")
ANSWERS = {"default": {}, "vault": {"secrets": "vault"}, "gateway": {"traffic": "gateway"}}


@pytest.fixture
def service(template: Path, tmp_path: Path) -> Path:
    return lab.render(template, tmp_path / "orders", {"language": "go", "service_name": "orders"})


@pytest.mark.parametrize("answers", ANSWERS)
def test_argo_cd_says_the_same(template: Path, tmp_path: Path, answers: str) -> None:
    given = {"language": "go", "service_name": "orders", **ANSWERS[answers]}
    found = told(lab.render(template, tmp_path / "orders", given))
    for name, namespace in (
        ("staging", "orders-staging"),
        ("production", "orders-production"),
        ("preview", "orders-pr-7"),
    ):
        project = named(found, "AppProject", "orders-previews" if name == "preview" else "orders")
        made = argocd.application(named(found, "ApplicationSet", "orders-previews"), PULL_REQUEST)
        asked = made if name == "preview" else named(found, "Application", f"orders-{name}")
        ones = [one(version, kind, namespace) for version, kind in KINDS]
        refused = {said.partition(" ")[0] for said in argocd.refused(project, asked, ones)}
        assert refused
        said = environments.problems(name, yaml.safe_dump_all(ones), yaml.safe_dump_all(found))
        lines = [one.found.message for one in said if one.rule.identifier == "GP408"]
        assert {re.findall(r"the kind (\w+) of", line)[0] for line in lines} == refused
        assert len(lines) == len(refused)


def refusals(project: Object, asked: Object, found: Object) -> tuple[bool, bool]:
    """Return whether Argo CD refuses an object, and whether `make manifests` does."""
    theirs = [said for said in argocd.refused(project, asked, [found]) if not said.startswith("destination ")]
    said = environments.problems("staging", yaml.safe_dump(found), yaml.safe_dump_all([project, asked]))
    return bool(theirs), any(one.rule.identifier == "GP408" for one in said)


SERVER = "https://kubernetes.default.svc"
SPACES = ("orders-staging", "orders-production", "orders", "billing")
ANYWHERE: list[Object] = [{"server": "*", "namespace": "*"}]
DESTINATIONS: list[list[Object]] = [
    ANYWHERE,
    *([{"server": SERVER, "namespace": name}] for name in ("orders-*", "orders-s????ng", "[a-o]*", "[!o]*")),
    *([{"server": server, "namespace": "*"}] for server in (f"!{SERVER}", "https://example.com")),
    [{"server": "*", "namespace": "!billing"}],
    [*ANYWHERE, {"server": SERVER, "namespace": "!b*"}],
]
NAMES = ("*", "", "orders-*", "[^o]*", "[!o]*", "orders-stagin?", "billing")


def test_argo_cd_says_the_same_of_namespaces(service: Path) -> None:
    found = told(service)
    asked, project = named(found, "Application", "orders-staging"), named(found, "AppProject", "orders")
    # Where the Application itself deploys to is another question.
    asked["spec"]["destination"] = {"server": SERVER}
    seen = set()
    for destinations in [project["spec"]["destinations"], *DESTINATIONS]:
        project["spec"]["destinations"] = destinations
        for namespace in SPACES:
            theirs, ours = refusals(project, asked, one("v1", "ConfigMap", namespace))
            assert theirs == ours, (namespace, destinations)
            seen.add(ours)
    assert seen == {True, False}


@pytest.mark.parametrize("which", ["White", "Black"])
def test_argo_cd_says_the_same_of_names(service: Path, which: str) -> None:
    found = told(service)
    asked, project = named(found, "Application", "orders-staging"), named(found, "AppProject", "orders")
    seen = set()
    listed = [[{"group": "", "kind": "Namespace", "name": name}] for name in NAMES]
    for names in [project["spec"]["clusterResourceWhitelist"], *listed]:
        project["spec"][f"clusterResource{which}list"] = names
        for namespace in SPACES:
            theirs, ours = refusals(project, asked, one("v1", "Namespace", namespace))
            assert theirs == ours, (namespace, names)
            seen.add(ours)
    assert seen == {True, False}


PULL_REQUEST = {"number": "7", "branch": "topic", "head_sha": "1" * 40, "labels": ["preview"]}


def one(version: str, kind: str, namespace: str) -> Object:
    metadata = {"name": namespace} if kind in OF_THE_CLUSTER else {"name": "x", "namespace": namespace}
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


def test_the_verb_refuses_it_until_the_service_permits_it(service: Path) -> None:
    lab.commit_all(service)
    (service / OVERLAY / "nightly.yaml").write_text(JOB)
    kustomization = service / OVERLAY / "kustomization.yaml"
    kustomization.write_text(
        kustomization.read_text().replace("  - namespace.yaml\n", "  - namespace.yaml\n  - nightly.yaml\n")
    )
    done = script(service, "manifests", "render")
    assert (done.returncode, done.stderr) == (
        1,
        "  FAIL  render: staging: GP408 Argo CD's project orders does not list the kind CronJob of batch: add it to "
        "the project in deploy/argocd/kustomization.yaml, and apply that\n",
    )
    [text] = re.findall(r"^```yaml\n# deploy/argocd/kustomization.yaml\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    (service / "deploy/argocd").mkdir()
    (service / "deploy/argocd/kustomization.yaml").write_text(text)
    found = rendered(service)
    assert sorted(found) == sorted(ENVIRONMENTS)
    assert "CronJob" in {item["kind"] for item in objects(found["staging"])}
    done = script(service, "manifests", "diff", "HEAD")
    assert done.returncode == 0, done.stderr
    assert "\n+kind: CronJob\n" in done.stdout
    lab.commit_all(service)
    assert script(service, "manifests", "diff", "HEAD").stdout.count("no change") == len(ENVIRONMENTS)
