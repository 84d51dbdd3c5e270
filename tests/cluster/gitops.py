"""What Argo CD is told by a service, and what it would apply, done here by its own code and by Kustomize."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.cluster.services import Object, objects
from tests.labs.cluster import argocd, client

FOLDER = Path(".golden-path/argocd")


def told(service: Path) -> list[Object]:
    """Return what ``kubectl apply --kustomize .golden-path/argocd`` applies."""
    return objects(client.kubectl("kustomize", service / FOLDER))


def named(found: list[Object], kind: str, name: str) -> Object:
    """Return the object of a kind and name."""
    [one] = [item for item in found if (item["kind"], item["metadata"]["name"]) == (kind, name)]
    return one


def preview(service: Path, number: int) -> Object:
    """Return the Application of a pull request's preview."""
    [made] = [item for item in told(service) if item["kind"] == "ApplicationSet"]
    parameters = {"number": str(number), "branch": "topic", "head_sha": "1" * 40, "labels": ["preview"]}
    return argocd.application(made, parameters)


def applied(service: Path, application: Object, work: Path) -> list[Object]:
    """Return what Argo CD applies: a checkout's folder, with its options set as Argo CD does, by ``kustomize edit``.

    Args:
        service: a checkout of the revision that the Application names.
        application: the Application.
        work: a folder for a copy.
    """
    source = application["spec"]["source"]
    copy = work / str(application["metadata"]["name"])
    shutil.copytree(service, copy, symlinks=True)  # the whole checkout: bases lie outside deploy/ too
    options = source.get("kustomize", {})
    assert options.keys() <= {"namespace"}, "an option that this does not know"
    if "namespace" in options:
        command = ["kustomize", "edit", "set", "namespace", options["namespace"]]
        subprocess.run(command, cwd=copy / source["path"], env=client.environment(), check=True, timeout=180)
    return objects(client.kubectl("kustomize", copy / source["path"]))
