"""Reading manifests of Kubernetes: objects, also in lists, and the pods that they make, each with its lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from golden_path.rules.documents import at, items, maps
from golden_path.rules.files import Files

FILES = ("*.yaml", "*.yml", "!/.github/**")
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


class Object(NamedTuple):
    """An object.

    Attributes:
        path: of the file; empty if it is none's.
        kind: of the object.
        name: of it.
        data: what it says.
    """

    path: str
    kind: str
    name: str
    data: dict[str, Any]

    def pods(self) -> Iterator[dict[str, Any]]:
        """Yield the specs of the pods that it is, or that are made from it."""
        for template in templates(self.kind, self.data):
            if isinstance(pod := template.get("spec"), dict) and containers(pod):
                yield pod


def objects(files: Files) -> list[Object]:
    """Return the objects in the files of a repository, as they stand there."""
    return files.once(_objects)


def _objects(files: Files) -> list[Object]:
    return [
        one
        for path in files.own(*FILES)
        if "kind:" in (files.text(path) or "")
        for one in apart(files.documents(path), path)
    ]


def apart(documents: list[Any], path: str = "") -> Iterator[Object]:
    """Yield the objects of documents, those of lists one by one.

    Args:
        documents: of a file, or what Kustomize made.
        path: of the file.
    """
    for one in maps(documents):
        kind = str(one.get("kind", ""))
        if kind.endswith("List") and "items" in one:
            yield from apart(items(one["items"]), path)
        elif kind:
            yield Object(path, kind, str(at(one, "metadata", "name") or ""), one)


def templates(kind: str, data: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the templates of the pods that an object makes, or the pod that it is.

    Args:
        kind: of the object.
        data: what it says.
    """
    spec = data.get("spec")
    found: list[Any]
    if kind == "Pod":
        found = [data]
    elif kind == "PodTemplate":
        found = [data.get("template")]
    elif kind == "CronJob":
        found = [at(spec, "jobTemplate", "spec", "template")]
    elif kind == "Experiment":
        found = [one.get("template") for one in maps(at(spec, "templates"))]
    elif kind in ("AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun"):
        found = [at(one, "provider", "job", "spec", "template") for one in maps(at(spec, "metrics"))]
    else:
        found = [at(spec, "template")]
    return maps(found)


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the containers of a pod's spec, of all kinds."""
    return [one for field in ("initContainers", "containers", "ephemeralContainers") for one in maps(pod.get(field))]
