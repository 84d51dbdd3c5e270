"""What follows from `drift` in slo.yaml: rules that record how far a model's data have moved, and a canary's analysis.

Both compute the population stability index (PSI) of each feature and of the prediction from the counts that the service
exports; src/MODULE/model/drift.py is the same of two lists.
"""

from typing import Any

# The share that an empty bin counts as, as in src/MODULE/model/drift.py.
FLOOR = 0.001
# Of fewer sampled values there is no index: chance alone would move it.
VALUES = 200
# Of all pods with one model, for a person and an alert; of those of one version, for the canary, since they are there.
SERVICE, VERSION = ("service", "namespace, model", "1h"), ("version", "namespace, rollouts_pod_template_hash", "10m")
SEEN, TRAINED = "model_sampled_values_total", "model_reference_ratio"


def limit_of(given: Any) -> float | None:
    """Return the limit in slo.yaml, None where it has none; raises ValueError if it makes no sense."""
    if given is None:
        return None
    limit = given.get("psi") if isinstance(given, dict) else None
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 < limit <= 10:
        raise ValueError(f"drift.psi must be a number above 0, up to 10, not {limit!r}")
    return limit


def _index(level: tuple[str, str, str]) -> str:
    """The name of an index."""
    return f"{level[0]}:model_psi:{level[2]}"


def _recorded(service: str, level: tuple[str, str, str]) -> dict[str, str]:
    """The queries whose results are recorded, by name, each made of those before it."""
    name, by, window = level
    ours, recorded = f'{{job="{service}"}}', f'{{service="{service}"}}'
    counts, share = f"{name}:model_sampled_values:increase{window}", f"{name}:model_sampled:ratio{window}"
    reference = f"{name}:model_reference:ratio"
    return {
        counts: f"sum by ({by}, feature, bin) (increase({SEEN}{ours}[{window}]))\n",
        share: f"clamp_min(\n  {counts}{recorded}\n  / ignoring (bin) group_left ()\n"
        f"  sum without (bin) ({counts}{recorded}),\n  {FLOOR}\n)\n",
        reference: f"clamp_min(max by ({by}, feature, bin) ({TRAINED}{ours}), {FLOOR})\n",
        _index(level): f"sum without (bin) (\n  ({share}{recorded} - {reference}{recorded})\n"
        f"  * ln({share}{recorded} / {reference}{recorded})\n)\nand\n"
        f"sum without (bin) ({counts}{recorded}) >= {VALUES}\n",
    }


def rules(service: str, runbook: str, limit: float) -> dict[str, Any]:
    """The PrometheusRule."""
    label = {"service": service}
    alert = {
        "alert": "ModelDrift",
        "expr": f'{_index(SERVICE)}{{service="{service}"}} > {limit:g}\n',
        "for": "30m",
        "labels": {"severity": "ticket", **label},
        "annotations": {
            "summary": f"{service} in {{{{ $labels.namespace }}}}: {{{{ $labels.feature }}}} is not distributed as in "
            "the training data",
            "description": "The population stability index is {{ $value | humanize }}; "
            f"slo.yaml allows {limit:g}.",
            "runbook_url": f"{runbook}#drift",
        },
    }  # fmt: skip
    written = {**_recorded(service, SERVICE), **_recorded(service, VERSION)}
    recorded = [{"record": name, "expr": query, "labels": label} for name, query in written.items()]
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": f"{service}-drift"},
        "spec": {"groups": [{"name": f"{service}-drift", "rules": [*recorded, alert]}]},
    }


def analysis(service: str, prometheus: str, limit: float) -> dict[str, Any]:
    """The AnalysisTemplate: fails a canary whose own pods are beyond the limit in what the stable ones are not.

    Where both are, the world has changed, and going back would not help. Too few values are neither good nor bad: the
    measurement is the argument `few`, NaN unless an overlay says otherwise, and of NaN both conditions are false.
    """
    pods = {
        one: f'namespace="{{{{args.namespace}}}}", rollouts_pod_template_hash="{{{{args.{one}-hash}}}}"'
        for one in ("canary", "stable")
    }
    canary, stable = (f'{_index(VERSION)}{{service="{service}", {labels}}}' for labels in pods.values())
    query = (
        f"max(\n  (\n    {canary}\n    unless on (feature)\n    ({stable} > {limit:g})\n  )\n"
        f"  or\n  0 * {canary}\n)\n"
        f'or\n{{{{args.few}}}} * count(up{{job="{service}", {pods["canary"]}}} == 1)\n'
    )
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": f"{service}-drift"},
        "spec": {
            "args": [
                *({"name": name} for name in ("namespace", "canary-hash", "stable-hash")),
                {"name": "few", "value": "NaN"},
            ],
            "metrics": [
                {
                    "name": "drift",
                    "initialDelay": "60s",
                    "interval": "30s",
                    "count": 4,
                    "failureLimit": 1,
                    # Prometheus does not answer: no version goes out unjudged.
                    "consecutiveErrorLimit": 3,
                    # No measurement had enough values, or nothing is scraped: a person decides.
                    "inconclusiveLimit": 3,
                    "successCondition": f"len(result) > 0 && result[0] <= {limit:g}",
                    "failureCondition": f"len(result) > 0 && result[0] > {limit:g}",
                    "provider": {"prometheus": {"address": prometheus, "query": query}},
                }
            ],
        },
    }
