"""What `make policy` finds in manifests: the engine over every case, and the verb in a service."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import policies
from tests.cluster.policy_cases import (
    BAD,
    BY_CONTROLLERS,
    CONTROLLED,
    DEBUGGED,
    GOOD,
    ISOLATION,
    PREVIEWS,
    PRIVILEGED,
    Case,
    Object,
    fetching,
    made_by,
    network,
    pod,
    preview,
)
from tests.cluster.services import with_components
from tests.cluster.test_manifests import ANSWERS
from tests.labs import template as lab
from tests.labs.service import make

CASES = [*GOOD, *BAD, *CONTROLLED, *DEBUGGED, PRIVILEGED]
OVERLAY = "deploy/overlays/production/kustomization.yaml"


@pytest.fixture(scope="module")
def service(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service as it is written; a test that changes one takes ``changed``."""
    return lab.render(template, tmp_path_factory.mktemp("policies") / "orders", {"service_name": "orders"})


@pytest.fixture
def changed(service: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(service, tmp_path / "orders"))


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run what `make policy` runs of this in a service."""
    return subprocess.run(
        [sys.executable, ".golden-path", "admission"], cwd=folder, env=policies.path(), capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip


def patch(folder: Path, kind: str, *operations: Object) -> None:
    """Patch production, as its developer would."""
    with (folder / OVERLAY).open("a", encoding="utf-8") as file:
        file.write(f"  - {json.dumps({'target': {'kind': kind}, 'patch': json.dumps(operations)})}\n")


def test_every_case(service: Path) -> None:
    found = policies.local(service, [[case.object, network()] for case in CASES])
    for case, said in zip(CASES, found, strict=True):
        kind = case.object["kind"]
        if not case.policy:
            assert said == [], case.name
        else:
            [line] = said
            assert line.startswith(f"{kind} orders: {case.policy}: "), case.name
            assert case.said in line, case.name


def wrapped(kind: str, one: Object) -> Object:
    """Return what Argo Rollouts makes such a pod of later, or a list of what makes it."""
    template = {key: one[key] for key in ("metadata", "spec")}
    named = {"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": {"name": "orders"}}
    if kind == "Experiment":
        return {**named, "spec": {"templates": [{"name": "a", "template": template}]}}
    if kind == "AnalysisTemplate":
        job = {"provider": {"job": {"spec": {"template": template}}}}
        return {**named, "spec": {"metrics": [{"name": "first", "provider": {"web": {}}}, {"name": "second", **job}]}}
    return {"apiVersion": "v1", "kind": "List", "items": [made_by("Deployment", one)]}


@pytest.mark.parametrize(("kind", "what"), [
    ("Experiment", "Experiment orders: its ReplicaSet"), ("AnalysisTemplate", "AnalysisTemplate orders: its Job"),
    ("List", "Deployment orders"),
])  # fmt: skip
def test_what_makes_pods_later_is_judged_now(service: Path, kind: str, what: str) -> None:
    """In the cluster, the job and the replica set are, when a controller makes them."""
    cases = dict(BY_CONTROLLERS)
    environments = [[wrapped(kind, one()), network()] for one in (pod, *cases.values())]
    good, *bad = policies.local(service, environments)
    assert good == []
    for policy, said in zip(cases, bad, strict=True):
        [line] = said
        assert line.startswith(f"{what}: {policy}: "), line


def test_every_rule_is_broken_by_a_case(service: Path) -> None:
    rules = {
        one["metadata"]["name"] for one in policies.built(service / policies.RULES) if one["kind"] == "ValidatingPolicy"
    }
    assert rules == {case.policy for case in BAD} | {"network-isolation"}


def test_pods_are_isolated_by_what_is_beside_them(service: Path) -> None:
    found = policies.local(service, [[one, *others] for one, others, _ in ISOLATION])
    for (one, _, passes), said in zip(ISOLATION, found, strict=True):
        assert bool(said) != passes, one
        assert all(f"{one['kind']} orders: network-isolation: no NetworkPolicy" in line for line in said)


def test_a_model_is_named_where_the_policies_see_it(service: Path) -> None:
    """What a ConfigMap names, nobody has reviewed as the model of this pod."""
    [said] = policies.local(service, [[fetching(valueFrom={"configMapKeyRef": {"name": "x", "key": "y"}}), network()]])
    assert [line.partition(": ")[2].partition(":")[0] for line in said] == ["image-digest", "image-registry"]


def test_an_image_of_a_preview_is_for_previews(service: Path) -> None:
    ones = [preview(namespace) for namespace in PREVIEWS]
    beside = [{**network(), "metadata": {"name": "orders", "namespace": one["metadata"]["namespace"]}} for one in ones]
    found = policies.local(service, [[one, other] for one, other in zip(ones, beside, strict=True)])
    for (namespace, passes), said in zip(PREVIEWS.items(), found, strict=True):
        assert (said == []) == passes, (namespace, said)
        assert passes or "image-registry: images of the name orders only" in said[0]


def test_a_namespace_that_no_policy_would_look_at_is_found(service: Path) -> None:
    namespace: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "orders"}}
    labels = {"owner": "a", "cost-center": "b"}
    good, unmarked, unowned = (
        {**namespace, "metadata": {"name": "orders", "labels": some}}
        for some in ({**labels, "environment": "staging"}, labels, {"environment": "staging"})
    )
    found = policies.local(service, [[good], [unmarked], [unowned]])
    assert found[0] == []
    assert any("the policy pod-security would not be applied to it" in line for line in found[1])
    assert found[2] == [
        "Namespace orders: owner-labels: namespaces and pods have the labels owner and cost-center, "
        "but not owner, cost-center"
    ]


@pytest.mark.spread("answers", ANSWERS)
def test_what_the_template_writes_passes(template: Path, tmp_path: Path, language: str, answers: str) -> None:
    given = {"language": language, "service_name": "orders", **ANSWERS[answers]}
    folder = lab.render(template, tmp_path / "orders", given)
    done = check(with_components(folder) if answers == "full" else folder)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_a_registry_with_a_port_is_allowed_where_it_is_the_answer(template: Path, tmp_path: Path) -> None:
    given = {"service_name": "orders", "registry": "registry.example.com:5000/shop"}
    folder = lab.render(template, tmp_path / "orders", given)
    assert (done := check(folder)).returncode == 0, done.stdout
    bare = "/spec/template/spec/containers/0/image"
    patch(folder, "Rollout", {"op": "replace", "path": bare, "value": "registry.example.com:5000/shop/other"})
    assert check(folder).stdout == (
        "production: Rollout orders: image-digest: name every image by its digest (name@sha256:...), "
        "not registry.example.com:5000/shop/other\n"
    )


BREAKS: dict[str, tuple[str, Any, str]] = {
    "planted secret": (
        "/spec/template/spec/containers/0/env",
        [{"name": "DB_PASSWORD", "value": "hunter2"}],
        "production: GP404 Rollout orders holds a value for DB_PASSWORD: "
        "keep it in the environment's store, for an ExternalSecret to read",
    ),
    "tag": (
        "/spec/template/spec/containers/0/image",
        "ghcr.io/acme/other:1.2.3",
        "production: Rollout orders: image-digest: name every image by its digest (name@sha256:...), "
        "not ghcr.io/acme/other:1.2.3",
    ),
    "limits": (
        "/spec/template/spec/containers/0/resources/limits",
        {},
        "production: Rollout orders: pod-resources: every container has requests and limits for cpu and memory, "
        "but not orders (limits.cpu, limits.memory)",
    ),
}


@pytest.mark.parametrize("broken", BREAKS)
def test_a_break_is_one_line(changed: Path, broken: str) -> None:
    path, value, line = BREAKS[broken]
    patch(changed, "Rollout", {"op": "add", "path": path, "value": value})
    done = check(changed)
    assert (done.returncode, done.stdout) == (1, f"{line}\n"), done.stderr


def test_the_verb_passes_fails_with_the_reason_and_needs_kustomize(changed: Path) -> None:
    lab.commit_all(changed)
    done = make(changed, "go", "policy", env={"CI": "true"})
    assert done.returncode == 0, done.stdout
    assert "  ok    manifests" in done.stdout
    # Neither it nor kubectl is on this PATH.
    bare = changed.parent / "bin"
    bare.mkdir()
    for name in ("bash", "cat", "date", "env", "git", "make", "mktemp", "python3", "rm", "sh", "touch"):
        place = sys.executable if name == "python3" else shutil.which(name) or name  # no shim, which needs more
        (bare / name).symlink_to(Path(place).resolve())
    env = {"PATH": str(bare), "HOME": os.environ["HOME"]}
    command = ["make", "policy"]
    without = subprocess.run(
        command, cwd=changed, env={**env, "CI": "true"}, capture_output=True, text=True, check=False
    )
    assert without.returncode != 0
    assert "\nkustomize is missing: install kustomize 5, or kubectl\n" in without.stdout, without
    laptop = subprocess.run(command, cwd=changed, env=env, capture_output=True, text=True, check=False)
    assert laptop.returncode == 0, laptop
    assert "  skip  manifests: kustomize is missing (install kustomize 5 or kubectl)" in laptop.stdout
    path, value, line = BREAKS["tag"]
    patch(changed, "Rollout", {"op": "add", "path": path, "value": value})
    done = make(changed, "go", "policy", env={"CI": "true"})
    assert done.returncode != 0
    assert line in done.stdout.splitlines()


def test_no_policy_is_no_pass(changed: Path) -> None:
    kustomization = changed / "policy/kustomization.yaml"
    kustomization.write_text("resources: [signature.yaml]\n")
    done = check(changed)
    assert (done.returncode, done.stdout) == (
        1,
        "policy has no ValidatingPolicy: nothing would be checked\n",
    )


def test_an_expression_that_cannot_be_evaluated_refuses(changed: Path) -> None:
    rules = changed / policies.RULES / "pods.yaml"
    rules.write_text(
        rules.read_text().replace("expression: variables.unlimited.size()", "expression: variables.x.size()")
    )
    done = check(changed)
    assert done.returncode == 1
    assert "production: Rollout orders: pod-resources: " in done.stdout


def exception(ends: str | None, policy: str = "image-digest") -> Object:
    spec: Object = {
        "policyRefs": [{"name": policy, "kind": "ValidatingPolicy"}],
        "matchConditions": [{"name": "one", "expression": 'object.metadata.name == "orders"'}],
    }
    if ends is not None:
        spec["expiresAt"] = ends
    return {
        "apiVersion": "policies.kyverno.io/v1",
        "kind": "PolicyException",
        "metadata": {"name": "until-then", "namespace": "kyverno"},
        "spec": spec,
    }


def day(days: int) -> str:
    return f"{datetime.datetime.now(datetime.UTC) + datetime.timedelta(days):%Y-%m-%dT00:00:00Z}"


@pytest.mark.parametrize(
    ("ends", "policy", "said"),
    [
        (day(2), "image-digest", ""),
        (day(2), "pod-security", "production: Rollout orders: image-digest: "),
        (day(-2), "image-digest", "policy/exceptions.yaml: until-then has ended on "),
        (None, "image-digest", "policy/exceptions.yaml: until-then must say when it ends, spec.expiresAt: "),
        ("soon", "image-digest", "policy/exceptions.yaml: until-then must say when it ends, spec.expiresAt: "),
    ],
)
def test_an_exception_counts_until_its_day(changed: Path, ends: str | None, policy: str, said: str) -> None:
    path, value, _ = BREAKS["tag"]
    patch(changed, "Rollout", {"op": "add", "path": path, "value": value})
    (changed / "policy/exceptions.yaml").write_text(yaml.safe_dump(exception(ends, policy)), encoding="utf-8")
    done = check(changed)
    assert done.returncode == (1 if said else 0), done.stdout
    assert len(done.stdout.splitlines()) == (1 if said else 0)
    assert done.stdout.startswith(said)


def test_an_exception_is_for_what_it_names(service: Path) -> None:
    bad = next(case for case in BAD if case.policy == "image-digest")
    other: Case = Case("", {**bad.object, "metadata": {**bad.object["metadata"], "name": "other"}})
    found = policies.local(service, [[bad.object, network()], [other.object, network()]], [exception(day(2))])
    assert found[0] == []
    assert len(found[1]) == 1
