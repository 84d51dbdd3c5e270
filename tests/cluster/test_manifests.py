"""Every environment of every language is accepted by a real API server, and a bad change is refused with its reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cluster.services import ENVIRONMENTS, apart, objects, only, rendered, script, with_components
from tests.labs import template as lab
from tests.labs.cluster import KubectlError, Lab, offline
from tests.labs.toolchains import answers_of

pytestmark = pytest.mark.cluster

ANSWERS: dict[str, dict[str, Any]] = {
    "default": {},
    "full": {
        "upstream": "inventory",
        "tier": "critical",
        "team": "payments.eu",
        "slo_latency_ms": 5,
        "secrets": "vault",
    },
    "aws": {"secrets": "aws"},
    "gcp": {"secrets": "gcp"},
    "blue-green": {"delivery": "blue-green"},
    "gateway": {"traffic": "gateway", "upstream": "inventory"},
    "model": {"language": "python", "kind": "model"},
    "model-volume": {"language": "python", "kind": "model", "model_delivery": "volume"},
}


@pytest.fixture
def service(template: Path, tmp_path: Path, language: str) -> Path:
    folder = lab.render(template, tmp_path / "orders", {"language": language, "service_name": f"{language}-orders"})
    lab.commit_all(folder)
    return folder


@pytest.mark.spread("answers", ANSWERS)
def test_every_environment_is_accepted(
    cluster_lab: Lab, template: Path, tmp_path: Path, language: str, answers: str
) -> None:
    accepted(cluster_lab, template, tmp_path, {"language": language}, language, answers)


@pytest.mark.models
@pytest.mark.only("model")
@pytest.mark.parametrize("answers", ["default", "aws", "blue-green"])
def test_every_environment_of_a_model_is_accepted(
    cluster_lab: Lab, template: Path, tmp_path: Path, language: str, answers: str
) -> None:
    accepted(cluster_lab, template, tmp_path, answers_of(language), language, answers)


def accepted(
    cluster_lab: Lab, template: Path, tmp_path: Path, kind: dict[str, str], language: str, answers: str
) -> None:
    """Try the manifests of all environments on the API server, offline and in the linter of Argo Rollouts."""
    given = {**kind, "service_name": f"{language}-{answers}", **ANSWERS[answers]}
    folder = lab.render(template, tmp_path / "service", given)
    manifests = rendered(with_components(folder) if answers == "full" else folder)
    assert sorted(manifests) == sorted(ENVIRONMENTS)
    for text in map(apart, manifests.values()):
        assert offline.problems(text) == []
        found = objects(text)
        # Nothing can be tried in a namespace that is not there.
        with cluster_lab.owned(only(found, "Namespace"), wait=False) as namespace:
            assert {item["metadata"].get("namespace") for item in found} == {None, namespace}
            said = cluster_lab.apply(text, namespace, dry_run=True)
            assert len(said.splitlines()) == len(found)
    for name, text in manifests.items():
        rollout = tmp_path / f"{name}.yaml"
        rollout.write_text(text)
        cluster_lab.kubectl("argo", "rollouts", "lint", "--filename", str(rollout))


@pytest.mark.one_language
def test_two_runs_may_try_the_same_service_at_once(cluster_lab: Lab, service: Path) -> None:
    first, second = (objects(apart(rendered(service)["staging"])) for _ in range(2))
    with (
        cluster_lab.owned(only(first, "Namespace"), wait=False) as one,
        cluster_lab.owned(only(second, "Namespace"), wait=False) as other,
    ):
        assert one != other
        for found, namespace in ((first, one), (second, other)):
            assert len(cluster_lab.apply(found, namespace, dry_run=True).splitlines()) == len(found)


@pytest.mark.one_language
def test_a_typo_is_refused_with_its_path(cluster_lab: Lab, service: Path, namespace: str) -> None:
    rollout = only(objects(rendered(service)["staging"]), "Rollout")
    rollout["metadata"]["namespace"] = namespace
    rollout["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    where = r'\.spec\.template\.spec\.containers\[name="[\w-]+"\]\.readinesProbe: field not declared in schema'
    with pytest.raises(KubectlError, match=where):
        cluster_lab.apply([rollout], namespace, dry_run=True)


@pytest.mark.one_language
def test_a_strategic_merge_patch_of_the_rollout_is_refused(service: Path) -> None:
    overlay = service / "deploy/overlays/staging/kustomization.yaml"
    name = only(objects(rendered(service)["staging"]), "Rollout")["metadata"]["name"]
    overlay.write_text(
        overlay.read_text()
        + "patches:\n  - patch: |\n      apiVersion: argoproj.io/v1alpha1\n      kind: Rollout\n"
        + f"      metadata:\n        name: {name}\n      spec:\n        template:\n          spec:\n"
        + f"            containers:\n              - name: {name}\n                tty: true\n"
    )
    done = script(service, "manifests", "render")
    assert done.returncode == 1
    assert done.stderr == (
        "  FAIL  render: staging: GP401 the Rollout has no image: patch it with JSON 6902 (op, path, value) only\n"
    )


@pytest.mark.one_language
def test_a_configuration_is_a_new_version_in_its_environment_only(service: Path) -> None:
    before = rendered(service)
    config = service / "deploy/overlays/staging/config.env"
    config.write_text(config.read_text() + "LOG_LEVEL=debug\n")
    after = rendered(service)
    assert {name for name in before if before[name] != after[name]} == {"staging"}
    names = [
        only(objects(text), "Rollout")["spec"]["template"]["spec"]["containers"][0]["envFrom"][0]["configMapRef"][
            "name"
        ]
        for text in (before["staging"], after["staging"])
    ]
    assert names[0] != names[1]
    [config] = [item["data"] for item in objects(after["staging"]) if item["metadata"]["name"] == names[1]]
    assert config["LOG_LEVEL"] == "debug"


@pytest.mark.one_language
def test_diff_shows_what_a_change_does_to_each_environment(service: Path) -> None:
    config = service / "deploy/overlays/production/config.env"
    config.write_text(config.read_text() + "LOG_LEVEL=warn\n")
    done = script(service, "manifests", "diff", "HEAD")
    assert done.returncode == 0, done.stderr
    assert "preview: no change\n" in done.stdout
    assert "staging: no change\n" in done.stdout
    assert "\n-  LOG_LEVEL: info\n+  LOG_LEVEL: warn\n" in done.stdout
    done = script(service, "manifests", "diff", "origin/nowhere")
    assert (done.returncode, done.stderr) == (
        1,
        "  FAIL  diff: origin/nowhere: Not a valid object name origin/nowhere; fetch it, or name another with BASE=\n",
    )


@pytest.mark.one_language
def test_the_service_has_time_to_stop(service: Path) -> None:
    """The pod's grace period covers what its own configuration allows: draining, requests in flight, telemetry."""
    for text in rendered(service).values():
        found = objects(text)
        [config] = [item["data"] for item in found if item["kind"] == "ConfigMap" and "PORT" in item["data"]]
        pod = only(found, "Rollout")["spec"]["template"]["spec"]
        needed = int(config["SHUTDOWN_DRAIN_SECONDS"]) + int(config["SHUTDOWN_GRACE_SECONDS"]) + 2
        assert pod["terminationGracePeriodSeconds"] > needed


@pytest.mark.one_language
def test_pods_are_admitted_by_pod_security_and_root_is_not(cluster_lab: Lab, service: Path) -> None:
    pod = only(objects(rendered(service)["staging"]), "Rollout")["spec"]["template"]
    pod |= {"apiVersion": "v1", "kind": "Pod"}
    pod["metadata"]["name"] = "one"
    with cluster_lab.namespace({"pod-security.kubernetes.io/enforce": "restricted"}) as namespace:
        pod["metadata"]["namespace"] = namespace
        pod["spec"]["serviceAccountName"] = "default"
        cluster_lab.apply([pod], namespace, dry_run=True)
        for change, reason in (
            ({"runAsUser": 0}, "runAsUser=0"),
            ({"seccompProfile": {"type": "Unconfined"}}, "seccompProfile"),
        ):
            bad = {**pod, "spec": {**pod["spec"], "securityContext": {**pod["spec"]["securityContext"], **change}}}
            with pytest.raises(KubectlError, match=f"violates PodSecurity.*{reason}"):
                cluster_lab.apply([bad], namespace, dry_run=True)
