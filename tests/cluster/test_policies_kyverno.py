"""Kyverno itself judges every case as the API server and `make policy` do, and what only it can judge."""

from __future__ import annotations

import copy
import datetime
import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cluster import policies
from tests.cluster.policy_cases import (
    BAD,
    CONTROLLED,
    DEBUGGED,
    GOOD,
    ISOLATION,
    PRIVILEGED,
    Case,
    Object,
    network,
)
from tests.cluster.services import ENVIRONMENTS, objects, rendered
from tests.cluster.test_manifests import ANSWERS
from tests.labs import template as lab
from tests.labs.cluster import kyverno
from tests.labs.cluster.kyverno import Verdict
from tests.selection.plugin import chosen

pytestmark = pytest.mark.cluster

NAMESPACE = "orders-staging"
LABELS = {NAMESPACE: {"environment": "staging"}}
CASES = [*GOOD, *BAD, *CONTROLLED, *DEBUGGED, PRIVILEGED]


@pytest.fixture(scope="module")
def service(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lab.render(template, tmp_path_factory.mktemp("kyverno") / "orders", {"service_name": "orders"})


@pytest.fixture(scope="module")
def rules(service: Path) -> list[Object]:
    """Its ValidatingPolicies."""
    return [one for one in policies.built(service / policies.KYVERNO) if one["kind"] == "ValidatingPolicy"]


def named(number: int, one: Object, namespace: str = NAMESPACE) -> Object:
    """Return an object under a name by which a verdict on it is known."""
    copied = copy.deepcopy(one)
    copied["metadata"] |= {"name": f"case-{number}", "namespace": namespace}
    return copied


def complaints(verdicts: Sequence[Verdict], number: int) -> list[tuple[str, str, str]]:
    return [
        (one.policy, one.result, one.message)
        for one in verdicts
        if one.object == f"case-{number}" and one.result not in ("pass", "skip")
    ]


def test_every_case(rules: list[Object], tmp_path: Path) -> None:
    beside = [named(len(CASES), network())]
    found = kyverno.apply(
        tmp_path, rules, [named(number, case.object) for number, case in enumerate(CASES)], LABELS, beside
    )
    for number, case in enumerate(CASES):
        judged = [one for one in found if one.object == f"case-{number}"]
        assert judged, case.name
        complained = complaints(found, number)
        if not case.policy:
            assert complained == [], case.name
        else:
            [(policy, result, message)] = complained
            assert (policy, result) == (case.policy, "fail"), case.name
            assert message.startswith(f"{case.policy}: "), case.name
            assert case.said in message, case.name


def test_pods_are_isolated_by_what_is_beside_them(rules: list[Object], tmp_path: Path) -> None:
    asked = [named(number, one, f"space-{number}") for number, (one, _, _) in enumerate(ISOLATION)]
    beside = [named(90, one, f"space-{number}") for number, (_, others, _) in enumerate(ISOLATION) for one in others]
    labels = {f"space-{number}": {"environment": "staging"} for number in range(len(ISOLATION))}
    found = kyverno.apply(tmp_path, rules, asked, labels, beside)
    for number, (one, _, passes) in enumerate(ISOLATION):
        complained = [policy for policy, *_ in complaints(found, number)]
        assert complained == ([] if passes else ["network-isolation"]), one


def test_what_the_template_writes_passes(
    rules: list[Object], template: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """All services at once: the program takes ten seconds to start. Each set of answers in one language."""
    found: list[Object] = []
    cases = list(zip(itertools.cycle(chosen(request.config)), ANSWERS, strict=False))
    for language, answers in cases:
        name = f"{language}-{answers}"
        given = {"language": language, "service_name": name, **ANSWERS[answers]}
        folder = lab.render(template, tmp_path / name, given)
        found += [one for text in rendered(folder).values() for one in objects(text)]
    spaces = {one["metadata"]["name"]: one["metadata"]["labels"] for one in found if one["kind"] == "Namespace"}
    assert len(spaces) == len(cases) * len(ENVIRONMENTS)
    beside = [one for one in found if one["kind"] == "NetworkPolicy"]
    said = kyverno.apply(tmp_path / "kyverno", rules, found, spaces, beside)
    assert [one for one in said if one.result not in ("pass", "skip")] == []
    isolated = Counter(one.object for one in said if (one.policy, one.result) == ("network-isolation", "pass"))
    assert isolated == {f"{language}-{answers}": len(ENVIRONMENTS) for language, answers in cases}


def test_namespaces_are_chosen_by_label(rules: list[Object], tmp_path: Path) -> None:
    bad = next(case for case in BAD if case.policy == "image-digest")
    asked = [named(0, bad.object), named(1, bad.object, "other")]
    found = kyverno.apply(tmp_path, rules, asked, {**LABELS, "other": {}}, [named(9, network())])
    assert [policy for policy, *_ in complaints(found, 0)] == ["image-digest"]
    assert [one for one in found if one.object == "case-1"] == []


def test_an_exception_takes_out_what_it_names(rules: list[Object], tmp_path: Path) -> None:
    """Its end is not asked: Kyverno's controllers look at it, its command line does not."""
    bad: Case = next(case for case in BAD if case.policy == "image-digest")
    exception = {
        "apiVersion": "policies.kyverno.io/v1",
        "kind": "PolicyException",
        "metadata": {"name": "until-then", "namespace": "kyverno"},
        "spec": {
            "policyRefs": [{"name": "image-digest", "kind": "ValidatingPolicy"}],
            "matchConditions": [{"name": "one", "expression": 'object.metadata.name == "case-0"'}],
            "expiresAt": f"{datetime.datetime.now(datetime.UTC) + datetime.timedelta(2):%Y-%m-%dT%H:%M:%SZ}",
        },
    }
    asked = [named(0, bad.object), named(1, bad.object)]
    found = kyverno.apply(tmp_path, rules, asked, LABELS, [named(9, network())], [exception])
    assert complaints(found, 0) == []
    assert [policy for policy, *_ in complaints(found, 1)] == ["image-digest"]


def test_the_sweep_takes_previews_that_argo_cd_has_forgotten(service: Path, tmp_path: Path) -> None:
    sweep = objects((service / "deploy/argocd/sweep.yaml").read_text(encoding="utf-8"))[0]
    wanted = {
        ("orders-pr-1", "orders", "preview"): "fail",
        ("orders-pr-2", "orders", "preview"): "pass",
        ("orders-pr-x", "orders", "preview"): "fail",
        ("orders-staging", "orders", "staging"): None,
        ("stock-pr-3", "stock", "preview"): None,
    }
    spaces = [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": {"app.kubernetes.io/name": owner, "environment": environment}},
        }
        for name, owner, environment in wanted
    ]
    known = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "orders-pr-1", "namespace": "argocd"},
        "spec": {},
    }
    found = {one.object: one.result for one in kyverno.apply(tmp_path, [sweep], spaces, {}, [known])}
    # What passes would be deleted.
    assert found == {name: result for (name, *_), result in wanted.items() if result}
