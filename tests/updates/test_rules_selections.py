"""What selects nothing in an environment, as Kustomize makes it, is found before it is deployed."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from golden_path.rules import environments, every  # noqa: F401 - every has all rules

Object = dict[str, Any]

SERVICE: Object = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "orders", "labels": {"app": "orders"}},
           "spec": {"selector": {"app": "orders"}}}  # fmt: skip
ROLLOUT: Object = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "orders"},
           "spec": {"template": {"metadata": {"labels": {"app": "orders", "team": "a"}}, "spec": {"containers": [
               {"name": "orders", "image": "a@sha256:1", "resources": {}}]}}}}  # fmt: skip
MONITOR: Object = {"apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor", "metadata": {"name": "orders"},
           "spec": {"selector": {"matchLabels": {"app": "orders"}}, "endpoints": [{"port": "http"}]}}  # fmt: skip
ANALYSIS: Object = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": "slo"},
            "spec": {"metrics": [{"provider": {"prometheus": {"query": 'x{job="orders", a="b"}'}}}]}}  # fmt: skip
RULES: Object = {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": {"name": "slo"},
         "spec": {"groups": [{"rules": [{"expr": 'x{job="orders"}'}, {"expr": "y"}]}]}}  # fmt: skip
DASHBOARD: Object = {"apiVersion": "v1", "kind": "ConfigMap",
                     "metadata": {"name": "slo", "labels": {"grafana_dashboard": "1"}},
                     "data": {"slo.json": '{"expr": "x{job=\\"orders\\"}"}'}}  # fmt: skip
ALL = (SERVICE, ROLLOUT, MONITOR, ANALYSIS, RULES, DASHBOARD)


def found(*objects: Object, **changes: str) -> list[str]:
    """Return what the two rules say of an environment, in whose text words were changed."""
    text = yaml.safe_dump_all(objects)
    for old, new in changes.items():
        text = text.replace(old, new)
    problems = environments.problems("staging", text)
    return [
        f"{one.rule.identifier} {one.found.message}" for one in problems if one.rule.identifier in ("GP405", "GP406")
    ]


def test_what_is_selected_and_scraped_passes() -> None:
    assert found(*ALL) == []


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "Job"])
def test_pods_of_every_kind_count(kind: str) -> None:
    assert found(SERVICE, {**ROLLOUT, "kind": kind}) == []


@pytest.mark.parametrize(
    "selector", [{"app": "orders", "new": "label"}, {"app": "others"}], ids=["one label more", "another name"]
)
def test_a_service_without_pods(selector: dict[str, str]) -> None:
    (said,) = found({**SERVICE, "spec": {"selector": selector}}, ROLLOUT)
    asked = ", ".join("=".join(one) for one in selector.items())
    assert said == f"GP405 the Service orders selects {asked}, which no pods have: give both the same labels"


@pytest.mark.parametrize("spec", [{}, {"selector": {}}, {"type": "ExternalName", "externalName": "a.example"}])
def test_a_service_that_selects_nothing_on_purpose(spec: Object) -> None:
    assert found({**SERVICE, "spec": spec}, ROLLOUT) == []


@pytest.mark.parametrize("one", [ANALYSIS, RULES, DASHBOARD], ids=["analysis", "alerts", "dashboard"])
def test_a_query_for_another_job(one: Object) -> None:
    """As with namePrefix: the Service has another name, and the queries do not."""
    service = {**SERVICE, "metadata": {"name": "pre-orders", "labels": {"app": "orders"}}}
    (said,) = found(service, ROLLOUT, MONITOR, one)
    assert said.startswith(
        f"GP406 {one['kind']} slo asks for the job orders, which nothing here is scraped as (pre-orders)"
    )


def test_a_monitor_that_finds_no_service_makes_no_job() -> None:
    spec = {"selector": {"matchLabels": {"app": "others"}}, "endpoints": [{"port": "http"}]}
    (said,) = found(SERVICE, ROLLOUT, {**MONITOR, "spec": spec}, ANALYSIS)
    assert "asks for the job orders, which nothing here is scraped as (none)" in said


def test_the_label_that_names_the_job_counts() -> None:
    spec = {**MONITOR["spec"], "jobLabel": "app"}
    service = {**SERVICE, "metadata": {"name": "pre-orders", "labels": {"app": "orders"}}}
    assert found(service, ROLLOUT, {**MONITOR, "spec": spec}, ANALYSIS) == []


def test_what_names_the_job_while_scraping_is_not_judged() -> None:
    spec = {**MONITOR["spec"], "endpoints": [{"relabelings": [{"targetLabel": "job", "replacement": "a"}]}]}
    assert found(SERVICE, ROLLOUT, {**MONITOR, "spec": spec}, ANALYSIS) == []


def test_without_a_monitor_it_is_scraped_by_other_means() -> None:
    assert found(SERVICE, ROLLOUT, ANALYSIS) == []


@pytest.mark.parametrize("query", ['x{job=~"a.*"}', 'x{job!="a"}', "x"])
def test_a_query_that_names_no_job(query: str) -> None:
    assert found(SERVICE, ROLLOUT, MONITOR, {**RULES, "spec": {"groups": [{"rules": [{"expr": query}]}]}}) == []
