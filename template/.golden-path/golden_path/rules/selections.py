"""Rules on what selects what in an environment: a selector or a query that finds nothing fails nowhere by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from golden_path.rules.book import ERROR, RENDERED, Found, rule
from golden_path.rules.documents import at, items, maps
from golden_path.rules.environments import Environment
from golden_path.rules.objects import Object, templates

# In a query, also one inside the JSON of a dashboard; a pattern or an inequality asks for something else.
_JOB = re.compile(r"""\bjob\s*=\s*\\?["']([^"'\\]*)\\?["']""")
_ASK = ("AnalysisTemplate", "ClusterAnalysisTemplate", "PrometheusRule")
_DASHBOARD = "grafana_dashboard"


@rule(
    "GP405", ERROR, "Every Service selects pods.", "a Service without pods refuses requests, and nothing is scraped",
    scope=RENDERED,
)  # fmt: skip
def served(environment: Environment) -> Iterator[Found]:
    """Services whose selector the labels of no pod template have."""
    pods = [
        at(template, "metadata", "labels") or {}
        for one in environment.objects
        for template in templates(one.kind, one.data)
    ]
    for one in environment.objects:
        selector = at(one.data, "spec", "selector")
        if not _core(one, "Service") or not isinstance(selector, dict) or not selector:
            continue
        if not any(_selects(selector, labels) for labels in pods):
            asked = ", ".join(f"{key}={value}" for key, value in selector.items())
            said = f"the Service {one.name} selects {asked}, which no pods have: give both the same labels"
            yield Found(environment.name, 0, said)


@rule(
    "GP406", ERROR, "Every query asks for a job that is scraped.", "a query without data looks like a healthy service",
    scope=RENDERED,
)  # fmt: skip
def scraped(environment: Environment) -> Iterator[Found]:
    """Queries of alerts, analyses and dashboards for a job that no ServiceMonitor of the environment makes."""
    monitors = [one for one in environment.objects if one.kind in ("ServiceMonitor", "PodMonitor")]
    jobs = {job for one in monitors for job in _jobs(one, environment)}
    if not monitors or None in jobs:  # scraped by other means, or under a name that is made while scraping
        return
    for one in environment.objects:
        for job in dict.fromkeys(_asked(one)):
            if job not in jobs:
                there = ", ".join(sorted(map(str, jobs))) or "none"
                said = (
                    f"{one.kind} {one.name} asks for the job {job}, which nothing here is scraped as ({there}): leave "
                    "the Service its name, or change the queries with it"
                )
                yield Found(environment.name, 0, said)


def _jobs(monitor: Object, environment: Environment) -> Iterator[str | None]:
    """The jobs that Prometheus's operator makes of a monitor; None where its endpoints choose another."""
    spec = monitor.data.get("spec")
    endpoints = [*maps(at(spec, "endpoints")), *maps(at(spec, "podMetricsEndpoints"))]
    if any(
        change.get("targetLabel") == "job" for endpoint in endpoints for change in maps(endpoint.get("relabelings"))
    ):
        yield None
        return
    if monitor.kind == "PodMonitor":
        yield None if at(spec, "jobLabel") else f"{at(monitor.data, 'metadata', 'namespace')}/{monitor.name}"
        return
    wanted, label = at(spec, "selector", "matchLabels") or {}, at(spec, "jobLabel")
    for one in environment.objects:
        labels = at(one.data, "metadata", "labels") or {}
        if _core(one, "Service") and _selects(wanted, labels):
            yield str(labels.get(label, one.name)) if label else one.name


def _asked(one: Object) -> Iterator[str]:
    dashboard = one.kind == "ConfigMap" and _DASHBOARD in (at(one.data, "metadata", "labels") or {})
    for text in _texts(one.data.get("spec")) if one.kind in _ASK else _texts(one.data.get("data")) if dashboard else ():
        yield from _JOB.findall(text)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, dict) else items(value):
        yield from _texts(one)


def _core(one: Object, kind: str) -> bool:
    return one.kind == kind and one.data.get("apiVersion") == "v1"


def _selects(selector: Any, labels: Any) -> bool:
    return isinstance(selector, dict) and isinstance(labels, dict) and selector.items() <= labels.items()
