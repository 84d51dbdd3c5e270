"""Write what follows from the objectives in slo.yaml: alerts, canary analysis and dashboard, into .golden-path/slo.

usage: slo write    write the files
       slo check    fail where they do not follow from slo.yaml

The windows and burn rates of the alerts are those of the Site Reliability Workbook, chapter 5, "Alerting on SLOs".
"""

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import yaml

# Relative, since the template loads this package by its path, under another name.
from . import drift

SOURCE = Path("slo.yaml")
TARGET = Path(".golden-path/slo")
DRIFT = "drift.yaml"  # of a service for a model
METRIC = "http_server_request_duration_seconds"
# Upper bounds of the histogram, in milliseconds: an objective between two of them could not be measured. From the
# advice of OpenTelemetry's HTTP semantic conventions.
BUCKETS_MS = (5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000)
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")
# What is left of the error budget, by service, namespace and objective: 1 is all of it, at 0 production is frozen.
REMAINING = "service:error_budget:remaining_ratio"
BUDGET_WINDOW = "30d"


class Alert(NamedTuple):
    """A burn rate over a long window, and over a short one, which ends the alert soon after the cause."""

    severity: str
    burn: float
    long: str
    short: str
    spent: str


ALERTS = (
    Alert("page", 14.4, "1h", "5m", "2 % of a month's budget in an hour"),
    Alert("page", 6, "6h", "30m", "5 % of a month's budget in six hours"),
    Alert("ticket", 3, "1d", "2h", "10 % of a month's budget in a day"),
    Alert("ticket", 1, "3d", "6h", "10 % of a month's budget in three days"),
)
# A canary is as bad as what would page; or clearly worse than the stable version at the same time.
CANARY_BURN = 14.4
CANARY_WORSE = {"availability": 0.01, "latency": 0.05}
# Below so many requests in its window a canary is not judged: one error would be several percent.
CANARY_REQUESTS = 50
CANARY_WINDOW = "2m"


class Objective(NamedTuple):
    """One objective.

    Attributes:
        name: ``availability`` or ``latency``.
        percent: of the requests that have to be good.
        threshold_ms: up to which a request is fast; 0 for availability.
    """

    name: str
    percent: float
    threshold_ms: int

    @property
    def budget(self) -> float:
        """The share of requests that may be bad."""
        return round(1 - self.percent / 100, 8)


class Slo(NamedTuple):
    service: str
    prometheus: str
    runbook: str
    objectives: tuple[Objective, Objective]
    drift: float | None  # of a model: how far its data may move


def read(text: str) -> Slo:
    """The objectives; raises ValueError with what is wrong, in one line."""
    try:
        given = yaml.safe_load(text)
        availability, latency = given["availability"], given["latency"]
        found = Slo(
            given["service"], given["prometheus"], given["runbook"],
            (Objective("availability", availability["objective"], 0),
             Objective("latency", latency["objective"], latency["threshold_ms"])),
            drift.limit_of(given.get("drift")),
        )  # fmt: skip
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise ValueError(
            f"it lacks {error}" if isinstance(error, KeyError) else "it is not the YAML that is expected"
        ) from None
    for one in found.objectives:
        if not isinstance(one.percent, int | float) or not 50 <= one.percent < 100:
            raise ValueError(f"{one.name}.objective must be a number from 50 to below 100, not {one.percent!r}")
    if found.objectives[1].threshold_ms not in BUCKETS_MS:
        known = ", ".join(map(str, BUCKETS_MS))
        raise ValueError(f"latency.threshold_ms must be a bucket of the histogram: {known}")
    return found


def selector(service: str, *more: str) -> str:
    """Labels of series; those of single pods on lines of their own, since they are long."""
    labels = [f'job="{service}"', *more]
    return "{" + ", ".join(labels) + "}" if len(labels) < 3 else "{\n  " + ",\n  ".join(labels) + "\n}"


def up_to(milliseconds: int) -> str:
    """The label of a bucket. Of a whole number of seconds, clients write 1 or 1.0; Prometheus 3 keeps 1.0 for all."""
    seconds = f"{milliseconds / 1000:g}"
    return f'le=~"{seconds}|{seconds}[.]0"' if milliseconds % 1000 == 0 else f'le="{seconds}"'


def bad_and_all(slo: Slo, one: Objective, window: str, *labels: str) -> tuple[str, str]:
    """Rates of the bad requests and of all of them: of the pods with these labels, without labels by namespace."""
    by = "" if labels else "by (namespace) "

    def rate(suffix: str, *more: str) -> str:
        return f"sum {by}(rate({METRIC}_{suffix}{selector(slo.service, *labels, *more)}[{window}]))"

    total = rate("count")
    if one.threshold_ms == 0:
        failed = rate("count", 'http_response_status_code=~"5.."')
        return f"(\n  {failed}\n  or\n  0 * {total}\n)", total  # where no request failed there is no such series
    fast = rate("bucket", up_to(one.threshold_ms))
    return f"(\n  {total}\n  -\n  {fast}\n)", total


def record(one: Objective, window: str) -> str:
    return f"service:{one.name}_bad:ratio_rate{window}"


def rules(slo: Slo) -> dict[str, Any]:
    """The PrometheusRule."""
    label = {"service": slo.service}
    recorded, alerts = [], []
    for one in slo.objectives:
        for window in WINDOWS:
            bad, total = bad_and_all(slo, one, window)
            recorded.append({"record": record(one, window), "expr": f"{bad}\n/\n{total}\n", "labels": label})
        spent = f'{record(one, BUDGET_WINDOW)}{{service="{slo.service}"}} / {one.budget:g}'
        recorded.append({"record": REMAINING, "expr": f"1 - {spent}\n", "labels": {**label, "objective": one.name}})
        for alert in ALERTS:
            ours = f'{{service="{slo.service}"}}'
            limit = f"{alert.burn:g} * {one.budget:g}"
            alerts.append({
                "alert": f"{one.name.capitalize()}BudgetBurn",
                "expr": f"{record(one, alert.long)}{ours} > {limit}\nand\n{record(one, alert.short)}{ours} > {limit}\n",
                "labels": {"severity": alert.severity, "window": alert.long, **label},
                "annotations": {
                    "summary": f"{slo.service} in {{{{ $labels.namespace }}}} spends its error budget of {one.name}: "
                    f"{alert.spent}",
                    "description": "{{ $value | humanizePercentage }} of the requests are bad; "
                    f"the objective allows {one.budget:.3%}.",
                    "runbook_url": f"{slo.runbook}#{one.name}",
                },
            })  # fmt: skip
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": f"{slo.service}-slo"},
        "spec": {"groups": [
            {"name": f"{slo.service}-slo-recording", "rules": recorded},
            {"name": f"{slo.service}-slo-alerts", "rules": alerts},
        ]},
    }  # fmt: skip


def pods(which: str) -> tuple[str, str]:
    """Labels of the pods of the canary or of the stable version."""
    return 'namespace="{{args.namespace}}"', f'rollouts_pod_template_hash="{{{{args.{which}-hash}}}}"'


def share(slo: Slo, one: Objective, which: str) -> str:
    """Share of bad requests of these pods, where they had enough requests."""
    bad, total = bad_and_all(slo, one, CANARY_WINDOW, *pods(which))
    seen = f"{METRIC}_count{selector(slo.service, *pods(which))}[{CANARY_WINDOW}]"
    return f"(\n{bad}\n/\n{total}\nand\nsum (increase({seen})) >= {CANARY_REQUESTS}\n)"


def scraped(slo: Slo) -> str:
    """0 where the canary's pods are scraped: too few requests are no reason to stop; no metrics at all are nothing."""
    return f"or\n0 * count (up{selector(slo.service, *pods('canary'))} == 1)\n"


def judged(slo: Slo, one: Objective) -> str:
    """Share of bad requests of the canary's own pods."""
    return f"{share(slo, one, 'canary')}\n{scraped(slo)}"


def compared(slo: Slo, one: Objective) -> str:
    """How much larger that share is than that of the stable version."""
    return f"{share(slo, one, 'canary')}\n-\n{share(slo, one, 'stable')}\n{scraped(slo)}"


def analysis(slo: Slo) -> dict[str, Any]:
    """The AnalysisTemplate of the canary."""
    metrics = []
    for one in slo.objectives:
        limits = {
            f"{one.name}-objective": (judged(slo, one), round(min(CANARY_BURN * one.budget, 0.5), 6)),
            f"{one.name}-than-stable": (compared(slo, one), CANARY_WORSE[one.name]),
        }
        for name, (query, limit) in limits.items():
            metrics.append({
                "name": name,
                "initialDelay": "60s",
                "interval": "30s",
                "count": 4,
                "failureLimit": 1,
                # Prometheus does not answer: no version goes out unjudged.
                "consecutiveErrorLimit": 3,
                # Nothing is scraped: neither good nor bad, so a person decides.
                "inconclusiveLimit": 2,
                "successCondition": f"len(result) > 0 && result[0] <= {limit:g}",
                "failureCondition": f"len(result) > 0 && result[0] > {limit:g}",
                "provider": {"prometheus": {"address": slo.prometheus, "query": query}},
            })  # fmt: skip
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        # Before the Rollout: one that names what is not there yet is invalid, and the environment degraded.
        "metadata": {"name": f"{slo.service}-slo", "annotations": {"argocd.argoproj.io/sync-wave": "-1"}},
        "spec": {
            "args": [{"name": name} for name in ("namespace", "canary-hash", "stable-hash")],
            "metrics": metrics,
        },
    }


def panel(number: int, title: str, unit: str, *queries: tuple[str, str]) -> dict[str, Any]:
    return {
        "id": number,
        "title": title,
        "type": "timeseries",
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "gridPos": {"h": 8, "w": 12, "x": 12 * ((number - 1) % 2), "y": 8 * ((number - 1) // 2)},
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "targets": [
            {"refId": chr(65 + index), "expr": query, "legendFormat": legend}
            for index, (query, legend) in enumerate(queries)
        ],
    }


def dashboard(slo: Slo) -> dict[str, Any]:
    """The Grafana dashboard, in a ConfigMap that Grafana's sidecar finds."""
    ours = f'{{service="{slo.service}", namespace="$namespace"}}'
    series = selector(slo.service, 'namespace="$namespace"')
    burn = [(f"{record(one, '1h')}{ours} / {one.budget:g}", one.name) for one in slo.objectives]
    quantiles = [
        (f"histogram_quantile({q}, sum by (le) (rate({METRIC}_bucket{series}[5m])))", f"p{round(q * 100)}")
        for q in (0.5, 0.95, 0.99)
    ]
    by_version = f"sum by (rollouts_pod_template_hash) (rate({METRIC}_count{series}[5m]))"
    model = {
        "title": f"{slo.service}: objectives",
        "uid": f"{slo.service}-slo"[:40],
        "schemaVersion": 41,
        "editable": False,
        "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": [
            {"name": "datasource", "type": "datasource", "query": "prometheus"},
            {"name": "namespace", "type": "query", "datasource": {"type": "prometheus", "uid": "${datasource}"},
             "query": f"label_values({METRIC}_count{selector(slo.service)}, namespace)", "refresh": 1},
        ]},
        "panels": [
            panel(1, "Error budget left, 30 days", "percentunit", (f"{REMAINING}{ours}", "{{objective}}")),
            panel(2, "Burn rate, 1 hour (1: spends just the budget)", "none", *burn),
            panel(3, "Requests by version", "reqps", (by_version, "{{rollouts_pod_template_hash}}")),
            panel(4, "Duration", "s", *quantiles),
        ],
    }  # fmt: skip
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"{slo.service}-dashboard", "labels": {"grafana_dashboard": "1"}},
        "data": {f"{slo.service}-slo.json": json.dumps(model, indent=2)},
    }


# libyaml writes the same, seven times as fast; not every PyYAML has it.
_SafeDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_SafeDumper):  # type: ignore[misc]
    """Queries as blocks and nothing by reference, which a person can read."""

    def ignore_aliases(self, _: Any) -> bool:
        return True


_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


def files(slo: Slo) -> dict[str, str]:
    """The files in .golden-path/slo by name."""
    made = {"rules.yaml": [rules(slo)], "analysis.yaml": [analysis(slo)], "dashboard.yaml": [dashboard(slo)]}
    if slo.drift is not None:
        made[DRIFT] = [
            drift.rules(slo.service, slo.runbook, slo.drift),
            drift.analysis(slo.service, slo.prometheus, slo.drift),
        ]
    head = "# From slo.yaml, by `make slo`.\n"
    return {
        name: head + yaml.dump_all(content, Dumper=_Dumper, sort_keys=False, width=100000)
        for name, content in made.items()
    }


def main(verb: str) -> int:
    try:
        made = files(read(SOURCE.read_text(encoding="utf-8")))
        if DRIFT not in made and (TARGET / DRIFT).exists():
            raise ValueError("it lacks drift, with psi: how far the model's data may move")
    except (OSError, ValueError) as error:
        sys.stderr.write(f"  FAIL  slo.yaml: {error}\n")
        return 2
    stale = [name for name, text in made.items() if not _is(TARGET / name, text)]
    if verb == "check":
        for name in stale:
            sys.stderr.write(f"  FAIL  {TARGET / name} does not follow from slo.yaml: run make slo and commit it\n")
        return 1 if stale else 0
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in stale:
        (TARGET / name).write_text(made[name], encoding="utf-8")
    return 0


def _is(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text
