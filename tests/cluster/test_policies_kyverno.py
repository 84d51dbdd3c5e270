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
    PREVIEWS,
    PRIVILEGED,
    Object,
    network,
    preview,
)
from tests.cluster.services import ENVIRONMENTS, objects, rendered, with_components
from tests.cluster.test_manifests import ANSWERS
from tests.labs import template as lab
from tests.labs.cluster import kyverno
from tests.labs.cluster.kyverno import Verdict
from tests.selection.plugin import chosen

pytestmark = pytest.mark.cluster

NAMESPACE = "orders-staging"
LABELS = {NAMESPACE: {"environment": "staging"}}
OWNER = "app.kubernetes.io/name"
CASES = [*GOOD, *BAD, *CONTROLLED, *DEBUGGED, PRIVILEGED]


@pytest.fixture(scope="module")
def service(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lab.render(template, tmp_path_factory.mktemp("kyverno") / "orders", {"service_name": "orders"})


@pytest.fixture(scope="module")
def platform(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return policies.platform(template, tmp_path_factory.mktemp("platform") / "policies")


@pytest.fixture(scope="module")
def rules(platform: Path) -> list[Object]:
    """Its ValidatingPolicies."""
    return [one for one in policies.built(platform / policies.KYVERNO) if one["kind"] == "ValidatingPolicy"]


def named(name: str, one: Object, namespace: str = NAMESPACE) -> Object:
    """Return an object under a name by which a verdict on it is known."""
    copied = copy.deepcopy(one)
    copied["metadata"] |= {"name": name, "namespace": namespace}
    return copied


def complaints(verdicts: Sequence[Verdict], name: str) -> list[tuple[str, str, str]]:
    return [
        (one.policy, one.result, one.message)
        for one in verdicts
        if one.object == name and one.result not in ("pass", "skip")
    ]


# An exception is for this case alone, a namespace that no policy looks at is called so, and others are one a case.
EXCEPTED, ELSEWHERE = "excepted", "elsewhere"
DIGEST = next(case for case in BAD if case.policy == "image-digest")
EXCEPTION: Object = {
    "apiVersion": "policies.kyverno.io/v1",
    "kind": "PolicyException",
    "metadata": {"name": "until-then", "namespace": "kyverno"},
    "spec": {
        "policyRefs": [{"name": "image-digest", "kind": "ValidatingPolicy"}],
        "matchConditions": [{"name": "one", "expression": f'object.metadata.name == "{EXCEPTED}"'}],
        "expiresAt": f"{datetime.datetime.now(datetime.UTC) + datetime.timedelta(2):%Y-%m-%dT%H:%M:%SZ}",
    },
}


@pytest.fixture(scope="module")
def written(template: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> list[Object]:
    """What services deploy everywhere; each set of answers in one language."""
    found: list[Object] = []
    for language, answers in zip(itertools.cycle(chosen(request.config)), ANSWERS, strict=False):
        name = f"{language}-{answers}"
        given = {"language": language, "service_name": name, **ANSWERS[answers]}
        folder = lab.render(template, tmp_path_factory.mktemp("written") / name, given)
        if answers == "full":
            with_components(folder)
        found += [one for text in rendered(folder).values() for one in objects(text)]
    return found


@pytest.fixture(scope="module")
def judged(rules: list[Object], written: list[Object], tmp_path_factory: pytest.TempPathFactory) -> list[Verdict]:
    """What Kyverno says of all that is here, at once: the program takes ten seconds to start."""
    asked = [named(f"case-{number}", case.object) for number, case in enumerate(CASES)]
    asked += [named(EXCEPTED, DIGEST.object), named(ELSEWHERE, DIGEST.object, ELSEWHERE)]
    beside = [named("network", network())]
    labels: dict[str, dict[str, str]] = {**LABELS, ELSEWHERE: {}}
    for number, (one, others, _) in enumerate(ISOLATION):
        space = f"space-{number}"
        labels[space] = {"environment": "staging"}
        asked.append(named(f"isolated-{number}", one, space))
        beside += [named("beside", other, space) for other in others]
    for number, namespace in enumerate(PREVIEWS):
        one = preview(namespace)
        space = one["metadata"]["namespace"]
        labels[space] = {"environment": "preview"}
        asked.append(named(f"preview-{number}", one, space))
        beside.append(named("beside", network(), space))
    labels |= {one["metadata"]["name"]: one["metadata"]["labels"] for one in written if one["kind"] == "Namespace"}
    beside += [one for one in written if one["kind"] == "NetworkPolicy"]
    work = tmp_path_factory.mktemp("kyverno")
    return kyverno.apply(work, rules, [*asked, *written], labels, beside, [EXCEPTION])


def test_every_case(judged: list[Verdict]) -> None:
    for number, case in enumerate(CASES):
        name = f"case-{number}"
        assert [one for one in judged if one.object == name], case.name
        complained = complaints(judged, name)
        if not case.policy:
            assert complained == [], case.name
        else:
            [(policy, result, message)] = complained
            assert (policy, result) == (case.policy, "fail"), case.name
            assert message.startswith(f"{case.policy}: "), case.name
            assert case.said in message, case.name


def test_pods_are_isolated_by_what_is_beside_them(judged: list[Verdict]) -> None:
    for number, (one, _, passes) in enumerate(ISOLATION):
        complained = [policy for policy, *_ in complaints(judged, f"isolated-{number}")]
        assert complained == ([] if passes else ["network-isolation"]), one


def test_an_image_of_a_preview_is_for_previews(judged: list[Verdict]) -> None:
    for number, (namespace, passes) in enumerate(PREVIEWS.items()):
        complained = [policy for policy, *_ in complaints(judged, f"preview-{number}")]
        assert complained == ([] if passes else ["image-registry"]), namespace


def test_what_the_template_writes_passes(judged: list[Verdict], written: list[Object]) -> None:
    spaces = {one["metadata"]["name"] for one in written if one["kind"] == "Namespace"}
    assert len(spaces) == len(ANSWERS) * len(ENVIRONMENTS)
    names = {one["metadata"]["name"] for one in written}
    said = [one for one in judged if one.object in names]
    assert [one for one in said if one.result not in ("pass", "skip")] == []
    isolated = Counter(one.object for one in said if (one.policy, one.result) == ("network-isolation", "pass"))
    rollouts = {one["metadata"]["name"] for one in written if one["kind"] == "Rollout"}
    assert len(rollouts) == len(ANSWERS)
    assert isolated == {name: len(ENVIRONMENTS) for name in rollouts}


def test_namespaces_are_chosen_by_label(judged: list[Verdict]) -> None:
    number = next(number for number, case in enumerate(CASES) if case is DIGEST)
    assert [policy for policy, *_ in complaints(judged, f"case-{number}")] == ["image-digest"]
    assert [one for one in judged if one.object == ELSEWHERE] == []


def test_an_exception_takes_out_what_it_names(judged: list[Verdict]) -> None:
    """Its end is not asked: Kyverno's controllers look at it, its command line does not."""
    assert [one for one in judged if one.object == EXCEPTED]
    assert complaints(judged, EXCEPTED) == []
    number = next(number for number, case in enumerate(CASES) if case is DIGEST)
    assert [policy for policy, *_ in complaints(judged, f"case-{number}")] == ["image-digest"]


def test_the_sweep_takes_previews_that_argo_cd_has_forgotten(platform: Path, tmp_path: Path) -> None:
    sweep = objects((platform / "kyverno/sweep.yaml").read_text(encoding="utf-8"))[0]
    wanted = {
        ("orders-pr-1", "orders", "preview"): "fail",
        ("orders-pr-2", "orders", "preview"): "pass",
        ("orders-pr-x", "orders", "preview"): "fail",
        ("orders-staging", "orders", "staging"): None,
        ("stock-pr-3", "stock", "preview"): "pass",
        ("orders-pr-4", "stock", "preview"): "fail",
        ("other-pr-5", "", "preview"): None,
    }
    spaces = [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": name,
                "labels": {"environment": environment} | ({OWNER: owner} if owner else {}),
            },
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
