"""What the ServiceMonitor has scraped carries the labels by which the analysis, the rules and the dashboard select."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import policies
from tests.cluster.scraping import ALWAYS, target
from tests.cluster.services import Object, only
from tests.labs import template as lab

DELIVERIES: dict[str, dict[str, Any]] = {
    "canary": {},
    "blue-green": {"delivery": "blue-green"},
    "gateway": {"traffic": "gateway"},
}
# The label that Argo Rollouts puts on the pods; the tests of canaries see it there.
HASH = "rollouts-pod-template-hash"
# Of the metric itself, which the conformance tests of the languages look at.
OWN = {"http_response_status_code", "le"}


@pytest.fixture(params=DELIVERIES)
def found(template: Path, tmp_path: Path, request: pytest.FixtureRequest) -> list[Object]:
    """The objects of staging."""
    folder = lab.render(template, tmp_path / "orders", {"language": "go", **DELIVERIES[request.param]})
    return policies.built(folder / "deploy/overlays/staging")


def queries(found: list[Object]) -> Iterator[tuple[str, str]]:
    """Yield where each query is, and the query."""
    for metric in [one for item in found if item["kind"] == "AnalysisTemplate" for one in item["spec"]["metrics"]]:
        if prometheus := metric["provider"].get("prometheus"):
            yield "analysis", prometheus["query"]
    for group in only(found, "PrometheusRule")["spec"]["groups"]:
        for rule in group["rules"]:
            yield "rules" if "record" in rule else "alerts", rule["expr"]
    [board] = [item for item in found if item["metadata"].get("labels", {}).get("grafana_dashboard")]
    for text in board["data"].values():
        model = json.loads(text)
        yield "dashboard", model["templating"]["list"][1]["query"]
        for panel in model["panels"]:
            for one in panel["targets"]:
                yield "dashboard", one["expr"]


def selectors(query: str) -> list[dict[str, str]]:
    """Return the labels and values by which a query selects series of pods, not what the rules have recorded."""
    matched = re.findall(r"\b(?:up|http_server_request_duration_seconds_\w+)(?:\{([^}]*(?:\}\}[^}]*)*)\})?", query)
    return [dict(re.findall(r'(\w+)=~?"([^"]*)"', some)) for some in matched]


def test_every_query_selects_by_labels_that_the_series_have(found: list[Object]) -> None:
    scraped = target(found)
    assert len(scraped.services) == 1, "each pod once"
    has = ALWAYS | set(scraped.pod_labels) | OWN
    seen = set()
    for where, query in queries(found):
        chosen = selectors(query)
        assert where == "alerts" or chosen or "service:" in query, query
        for labels in chosen:
            seen.add(where)
            assert labels["job"] == scraped.job, where
            assert set(labels) <= has, where
        for names in re.findall(r"\bby \(([^)]*)\)", query):
            assert {name.strip() for name in names.split(",")} <= has, where
    assert seen == {"analysis", "rules", "dashboard"}


def test_the_analysis_tells_the_pods_of_the_two_versions_by_argos_label(found: list[Object]) -> None:
    [(name, _)] = [one for one in target(found).pod_labels.items() if one[1] == HASH]
    of_pods = [labels for where, query in queries(found) if where == "analysis" for labels in selectors(query)]
    assert {labels[name] for labels in of_pods} == {"{{args.canary-hash}}", "{{args.stable-hash}}"}
    assert {labels["namespace"] for labels in of_pods} == {"{{args.namespace}}"}
    steps = only(found, "Rollout")["spec"]["strategy"]
    given = json.dumps(steps)
    assert '{"fieldPath": "metadata.namespace"}' in given
    for version in ("Latest", "Stable"):
        assert f'{{"podTemplateHashValue": "{version}"}}' in given


def test_a_label_that_is_not_taken_over_is_seen(found: list[Object]) -> None:
    only(found, "ServiceMonitor")["spec"]["podTargetLabels"] = ["app.kubernetes.io/name"]
    with pytest.raises(AssertionError, match="analysis"):
        test_every_query_selects_by_labels_that_the_series_have(found)


def test_another_job_is_seen(found: list[Object]) -> None:
    only(found, "ServiceMonitor")["spec"]["jobLabel"] = "owner"
    with pytest.raises(AssertionError, match="analysis"):
        test_every_query_selects_by_labels_that_the_series_have(found)
