"""Kyverno itself judges every case as the API server and `make policy` do, and what only it can judge."""

from __future__ import annotations

import copy
import datetime
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cluster import policies
from tests.cluster.policy_cases import BAD, CONTROLLED, DEBUGGED, GOOD, ISOLATION, Case, Object, network, pod
from tests.cluster.services import objects, rendered
from tests.cluster.test_manifests import ANSWERS
from tests.labs import template as lab
from tests.labs.cluster import kyverno
from tests.labs.cluster.kyverno import Verdict

pytestmark = pytest.mark.cluster

NAMESPACE = "orders-staging"
LABELS = {NAMESPACE: {"environment": "staging"}}
CASES = [*GOOD, *BAD, *CONTROLLED, *DEBUGGED]


@pytest.fixture(scope="module")
def service(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lab.render(template, tmp_path_factory.mktemp("kyverno") / "orders", {"service_name": "orders"})


@pytest.fixture(scope="module")
def rules(service: Path) -> list[Object]:
    """Its ValidatingPolicies."""
    return [one for one in policies.built(service / policies.KYVERNO) if one["kind"] == "ValidatingPolicy"]


def named(number: int, one: Object) -> Object:
    """Return an object under a name and in a namespace by which a verdict on it is known."""
    copied = copy.deepcopy(one)
    copied["metadata"] |= {"name": f"case-{number}", "namespace": NAMESPACE}
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
    for number, (one, others, passes) in enumerate(ISOLATION):
        beside = [named(90 + place, other) for place, other in enumerate(others)]
        found = kyverno.apply(tmp_path / str(number), rules, [named(number, one)], LABELS, beside)
        complained = complaints(found, number)
        assert [policy for policy, *_ in complained] == ([] if passes else ["network-isolation"])


@pytest.mark.parametrize("answers", ANSWERS)
def test_what_the_template_writes_passes(
    rules: list[Object], template: Path, tmp_path: Path, language: str, answers: str
) -> None:
    folder = lab.render(
        template, tmp_path / "orders", {"language": language, "service_name": "orders", **ANSWERS[answers]}
    )
    for environment, text in rendered(folder).items():
        found = objects(text)
        [namespace] = [one["metadata"] for one in found if one["kind"] == "Namespace"]
        labels = {namespace["name"]: namespace["labels"]}
        beside = [one for one in found if one["kind"] == "NetworkPolicy"]
        said = kyverno.apply(tmp_path / environment, rules, found, labels, beside)
        assert [one for one in said if one.result not in ("pass", "skip")] == []
        assert {one.policy for one in said if one.object == "orders"} >= {"image-digest", "network-isolation"}


def test_namespaces_are_chosen_by_label(rules: list[Object], tmp_path: Path) -> None:
    bad = next(case for case in BAD if case.policy == "image-digest")
    assert complaints(kyverno.apply(tmp_path, rules, [named(0, bad.object)], {NAMESPACE: {}}), 0) == []


@pytest.mark.parametrize(("days", "excepted"), [(2, True), (-2, False)])
def test_an_exception_counts_until_its_day(rules: list[Object], tmp_path: Path, days: int, excepted: bool) -> None:
    bad: Case = next(case for case in BAD if case.policy == "image-digest")
    ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days)
    exception = {
        "apiVersion": "policies.kyverno.io/v1",
        "kind": "PolicyException",
        "metadata": {"name": "until-then", "namespace": "kyverno"},
        "spec": {
            "policyRefs": [{"name": "image-digest", "kind": "ValidatingPolicy"}],
            "matchConditions": [{"name": "one", "expression": 'object.metadata.name == "case-0"'}],
            "expiresAt": f"{ends:%Y-%m-%dT%H:%M:%SZ}",
        },
    }
    asked = [named(0, bad.object), named(1, bad.object)]
    beside = [named(9, network())]
    found = kyverno.apply(tmp_path, rules, asked, LABELS, beside, [exception])
    assert bool(complaints(found, 0)) != excepted
    assert [policy for policy, *_ in complaints(found, 1)] == ["image-digest"]


def test_the_signatures_policy_is_read_and_looks_at_this_services_image_only(service: Path, tmp_path: Path) -> None:
    """No registry is asked: that it refuses what it cannot verify shows that it matched."""
    signature = [one for one in policies.built(service / policies.KYVERNO) if one["kind"] == "ImageValidatingPolicy"]
    other = pod()
    other["spec"]["containers"][0]["image"] = f"ghcr.io/acme/orders-cache@sha256:{'a' * 64}"
    found = kyverno.apply(tmp_path, signature, [named(0, pod()), named(1, other)], LABELS)
    assert [policy for policy, *_ in complaints(found, 0)] == ["orders-signature"]
    assert complaints(found, 1) == []
