"""An environment that Argo CD deploys from a service's repository, and what both say of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from tests.cluster.gitops import named, told
from tests.cluster.services import Object
from tests.labs import template as template_lab
from tests.labs.cluster import Lab, api
from tests.labs.cluster.argocd_running import ArgoCD
from tests.labs.cluster.parts import PARTS
from tests.labs.waiting import until

ARGO = "/apis/argoproj.io/v1alpha1"
REFRESH = "argocd.argoproj.io/refresh=normal"
# What a person, or an analysis, decides about is decided by the test here.
_BY_HAND = {
    "canary": [
        {"op": "replace", "path": "/spec/strategy/canary/steps", "value": [{"setWeight": 50}, {"pause": {}}]},
    ],
    "blue-green": [
        {"op": "remove", "path": "/spec/strategy/blueGreen/prePromotionAnalysis"},
        {"op": "remove", "path": "/spec/strategy/blueGreen/postPromotionAnalysis"},
        {"op": "add", "path": "/spec/strategy/blueGreen/autoPromotionEnabled", "value": False},
    ],
}


def by_hand(folder: Path, delivery: str) -> None:
    """Let a new version of staging wait for a person instead of being judged."""
    file = folder / "deploy/overlays/staging/kustomization.yaml"
    overlay = yaml.safe_load(file.read_text(encoding="utf-8"))
    patch = {"target": {"kind": "Rollout"}, "patch": json.dumps(_BY_HAND[delivery])}
    overlay["patches"] = [*overlay.get("patches", ()), patch]
    file.write_text(yaml.safe_dump(overlay), encoding="utf-8")


def here(argo: ArgoCD, folder: Path) -> list[Object]:
    """Return what a service tells Argo CD, with its repository where it is and this Argo CD's namespace."""
    text = json.dumps(told(folder)).replace(f"https://github.com/acme/{folder.name}.git", f"file://{folder}")
    found: list[Object] = json.loads(text)
    for one in found:
        one["metadata"]["namespace"] = argo.namespace
    return found


class Synced:
    """One environment; a context manager that removes it.

    Attributes:
        folder: the service, whose repository is there too.
        namespace: of the environment.
    """

    def __init__(self, lab: Lab, argo: ArgoCD, folder: Path, environment: str = "staging") -> None:
        """Choose it.

        Args:
            lab: the cluster lab, up.
            argo: the Argo CD, up.
            folder: the service, in a folder of its name.
            environment: staging or production.
        """
        self._lab, self._argo, self._environment = lab, argo, environment
        self.folder, self._name = folder, folder.name
        self.namespace = self._application = f"{folder.name}-{environment}"

    def __enter__(self) -> Self:
        template_lab.commit_all(self.folder)
        application = named(here(self._argo, self.folder), "Application", self._application)
        project = named(here(self._argo, self.folder), "AppProject", self._name)
        self._lab.apply([project, application], self._argo.namespace)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lab.kubectl("delete", "application", self._application, "--namespace", self._argo.namespace)
        self._lab.kubectl("delete", "namespace", self.namespace, "--ignore-not-found", "--wait=false")

    def commit(self, subject: str) -> str:
        """Commit what was changed, and tell Argo CD, as a webhook does; returns the commit."""
        template_lab.commit_all(self.folder, subject)
        self._lab.kubectl(
            "annotate", "--overwrite", "application", self._application, "--namespace", self._argo.namespace, REFRESH
        )
        return template_lab.git(self.folder, "rev-parse", "HEAD")

    def configure(self, level: str) -> str:
        """Commit another configuration of the environment; returns the commit."""
        file = self.folder / f"deploy/overlays/{self._environment}/config.env"
        file.write_text(f"LOG_LEVEL={level}\n", encoding="utf-8")
        return self.commit(f"LOG_LEVEL={level}")

    def decide(self, *verb: str) -> None:
        """Say ``promote``, ``abort`` or ``undo`` of the Rollout, as a person does."""
        self._lab.kubectl("argo", "rollouts", *verb, self._name, "--namespace", self.namespace)

    def patch(self, change: Object) -> None:
        """Change the Application, as a person does."""
        self._lab.kubectl(
            "patch", "application", self._application, "--namespace", self._argo.namespace,
            "--type=merge", "--patch", json.dumps(change),
        )  # fmt: skip

    def said(self) -> Object:
        """Return what Argo CD says of it; empty before it has looked."""
        path = f"{ARGO}/namespaces/{self._argo.namespace}/applications/{self._application}"
        found: Object = api.get(path).get("status", {})
        return found

    def wait(self, reached: Callable[[Object], bool], seconds: float = 180) -> Object:
        """Wait for what Argo CD says; returns it.

        Raises:
            AssertionError: it was not reached in time; with the last one.
        """

        def otherwise(said: Object) -> str:
            rollout = self.rollout().get("status", {})
            return f"not reached: {json.dumps(said, indent=2)}\n{json.dumps(rollout, indent=2)}"

        return until(self.said, lambda said: said and reached(said), otherwise, seconds=seconds, pause=0.3)

    def synced(self, revision: str = "", health: str = "Healthy") -> Object:
        """Wait until a commit, the newest by default, is deployed and nothing is left to do."""
        wanted = revision or template_lab.git(self.folder, "rev-parse", "HEAD")

        def reached(said: Object) -> bool:
            if said.get("operationState", {}).get("phase") != "Succeeded":
                return False
            found = said["sync"]["status"], said["sync"].get("revision"), said["health"]["status"]
            return found == ("Synced", wanted, health)

        return self.wait(reached)

    def rollout(self) -> Object:
        """Return the Rollout; empty before it is there."""
        found = self._all(f"{ARGO}/namespaces/{self.namespace}/rollouts")
        return next(iter(found), {})

    def refusals(self) -> list[str]:
        """Return what Argo Rollouts has said against the Rollout since it is there: what it names was missing."""
        [controller] = [part for part in PARTS if part.name == "rollouts-controller"]
        said = controller.daemon.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in said if f'Rollout \\"{self._name}\\" is invalid' in line]

    def waits(self, configuration: str = "") -> Object:
        """Wait until a new version waits for a person; returns the Rollout.

        Args:
            configuration: that it has to name.
        """

        def reached(_: Object) -> bool:
            rollout = self.rollout()
            status = rollout.get("status", {})
            seen = status.get("observedGeneration") == str(rollout.get("metadata", {}).get("generation"))
            return seen and status.get("phase") == "Paused" and configuration in json.dumps(rollout["spec"])

        self.wait(reached)
        return self.rollout()

    def configuration(self) -> set[str]:
        """Return the names of the ConfigMaps that Kustomize generated for the service."""
        names = (one["metadata"]["name"] for one in self._all(f"/api/v1/namespaces/{self.namespace}/configmaps"))
        return {name for name in names if name.startswith(f"{self._name}-") and name != f"{self._name}-dashboard"}

    def pods(self) -> dict[str, str]:
        """Return by name of the pods the version that they are of, by its hash."""
        found = self._all(f"/api/v1/namespaces/{self.namespace}/pods")
        return {one["metadata"]["name"]: one["metadata"]["labels"]["rollouts-pod-template-hash"] for one in found}

    def missing(self) -> set[str]:
        """Return what the versions that have pods name, and what is not there: a pod of them could not start."""
        sets = self._all(f"/apis/apps/v1/namespaces/{self.namespace}/replicasets")
        running = [one["spec"]["template"]["spec"] for one in sets if one["spec"]["replicas"]]
        assert running, "no version runs"
        there = {
            f"{kind}/{one['metadata']['name']}"
            for kind in ("configmaps", "secrets", "serviceaccounts")
            for one in self._all(f"/api/v1/namespaces/{self.namespace}/{kind}")
        }
        return {name for spec in running for name in _names(spec)} - there

    @staticmethod
    def _all(path: str) -> list[Object]:
        found: list[Object] = api.get(path)["items"]
        return found


def _names(spec: dict[str, Any]) -> Iterator[str]:
    """Yield what a pod names that has to be there before it starts."""
    yield f"serviceaccounts/{spec['serviceAccountName']}"
    for container in spec["containers"]:
        for source in container.get("envFrom", ()):
            for kind, key in (("configmaps", "configMapRef"), ("secrets", "secretRef")):
                if key in source:
                    yield f"{kind}/{source[key]['name']}"
    for volume in spec.get("volumes", ()):
        if "configMap" in volume:
            yield f"configmaps/{volume['configMap']['name']}"
        if "secret" in volume:
            yield f"secrets/{volume['secret']['secretName']}"
