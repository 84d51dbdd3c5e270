"""Which series Prometheus has of a service's pods, and under which labels, as its ServiceMonitor asks for it.

This is what the Prometheus operator's documentation says of ``jobLabel``, ``podTargetLabels`` and the selectors; the
operator itself is not run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tests.cluster.services import Object, only

# What every target of a ServiceMonitor has.
ALWAYS = {"instance", "job", "namespace", "service", "pod", "container", "endpoint"}


@dataclass(frozen=True)
class Target:
    """One pod as Prometheus finds it.

    Attributes:
        job: the value of the label ``job``.
        pod_labels: labels of the pod that its series have, by their name on the series.
        services: the Services through which it is found; each one doubles the series.
    """

    job: str
    pod_labels: dict[str, str]
    services: list[str]


def sanitised(label: str) -> str:
    """Return the name of a label of Kubernetes as one of Prometheus."""
    return re.sub(r"[^a-zA-Z0-9_]", "_", label)


def holds(selector: Object, labels: Object) -> bool:
    """Return whether labels have all that is asked for."""
    return selector.items() <= labels.items()


def target(found: Sequence[Object]) -> Target:
    """Return how the pods of the Rollout are found.

    Args:
        found: the objects of an environment.

    Raises:
        AssertionError: they are not found at all, or a port has no such name.
    """
    monitor, template = only(found, "ServiceMonitor")["spec"], only(found, "Rollout")["spec"]["template"]
    assert "namespaceSelector" not in monitor, "other namespaces than its own"
    services = [
        one
        for one in found
        if one["kind"] == "Service"
        and holds(monitor["selector"]["matchLabels"], one["metadata"].get("labels", {}))
        and holds(one["spec"]["selector"], template["metadata"]["labels"])
    ]
    assert services, "the ServiceMonitor selects no Service of the pods"
    [endpoint] = monitor["endpoints"]
    for service in services:
        [port] = [port for port in service["spec"]["ports"] if port["name"] == endpoint["port"]]
        named = [one["name"] for container in template["spec"]["containers"] for one in container["ports"]]
        assert port["targetPort"] in named
    metadata = services[0]["metadata"]
    job = metadata["labels"].get(monitor["jobLabel"]) if "jobLabel" in monitor else None
    return Target(
        job or metadata["name"],
        {sanitised(label): label for label in monitor["podTargetLabels"]},
        [service["metadata"]["name"] for service in services],
    )
