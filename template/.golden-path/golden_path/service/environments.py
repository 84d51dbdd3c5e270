"""What each environment gives the service's container, out of what Kustomize makes of its overlay."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from golden_path.rules import documents, objects
from golden_path.rules.documents import at, maps
from golden_path.service.errors import RefusedError
from golden_path.service.manifests import build, overlays


class Given(NamedTuple):
    """What an environment gives.

    Attributes:
        name: of the environment.
        variables: of its ConfigMaps and manifests; those of Secrets and of the running pod are in the cluster only.
        port: at which the cluster asks whether it is ready; None if it asks otherwise.
        seconds: which a pod has to stop.
    """

    name: str
    variables: dict[str, str]
    port: int | None
    seconds: int


def given(root: Path, service: str) -> list[Given]:
    """Return what the environments of a repository give.

    Args:
        root: of the repository.
        service: its name, which its container has.

    Raises:
        RefusedError: Kustomize is missing or fails, or an environment does not run the service.
    """
    return [_of(folder.name, build(folder), service) for folder in overlays(root)]


def _of(name: str, text: str, service: str) -> Given:
    found = list(objects.apart(documents.read(text)))
    configs = {one.name: at(one.data, "data") or {} for one in found if one.kind == "ConfigMap"}
    for one in found:
        for pod in one.pods() if at(one.data, "spec", "selector") else ():
            for container in maps(pod.get("containers")):
                if container.get("name") == service:
                    seconds = int(pod.get("terminationGracePeriodSeconds") or 30)
                    return Given(name, dict(_variables(container, configs)), _port(container), seconds)
    raise RefusedError(f"{name}: no workload has a container that is called {service}")


def _variables(container: dict[str, Any], configs: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """As a node sets them; later ones win."""
    known: dict[str, str] = {}
    for source in maps(container.get("envFrom")):
        data = configs.get(str(at(source, "configMapRef", "name")), {})
        known |= {f"{source.get('prefix') or ''}{key}": str(value) for key, value in data.items()}
    yield from known.items()
    for variable in maps(container.get("env")):
        reference = at(variable, "valueFrom", "configMapKeyRef") or {}
        value = configs.get(str(reference.get("name")), {}).get(str(reference.get("key")))
        if "valueFrom" not in variable:
            value = re.sub(r"\$\(([\w.-]+)\)", lambda one: known.get(one[1], one[0]), str(variable.get("value") or ""))
        if value is not None:
            known[str(variable["name"])] = str(value)
            yield str(variable["name"]), str(value)


def _port(container: dict[str, Any]) -> int | None:
    asked = at(container, "readinessProbe", "httpGet", "port")
    named = {one.get("name"): one.get("containerPort") for one in maps(container.get("ports"))}
    port = named.get(asked, asked)
    return port if isinstance(port, int) else None
