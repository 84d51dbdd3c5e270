"""A service in the cluster lab whose pods' metrics come from real processes of it, under load.

Pods are simulated, so a process stands for the pods of each version: Prometheus scrapes it under the labels that the
ServiceMonitor asks for (scraping.py). All else is the service's own: the Rollout, the analysis and its queries. Only
their times are shortened.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from tests.cluster.scraping import target
from tests.cluster.services import Object, apart, objects, only, rendered
from tests.labs.cluster import Lab, api
from tests.labs.cluster.prometheus import Prometheus
from tests.labs.peers import Peer
from tests.labs.service import Service
from tests.labs.waiting import until

ARGO = "/apis/argoproj.io/v1alpha1"
# What the service has, and what it is here: a run takes seconds instead of minutes.
TIMES = {"[2m]": "[10s]"}
INITIAL_DELAY, INTERVAL, SMOKE_INTERVAL = "12s", "1s", "100ms"


class Deployment:
    """An environment of a service in the lab; a context manager that removes it.

    Attributes:
        namespace: where it is.
    """

    def __init__(self, lab: Lab, folder: Path, work: Path, environment: str = "staging") -> None:
        """Render it.

        Args:
            lab: the cluster lab, up.
            folder: the service.
            work: a folder for what Prometheus reads.
            environment: which of the service's it is.
        """
        self._lab = lab
        self._targets = work / "targets.json"
        self._targets.write_text("[]")
        files = {"files": [str(self._targets)], "refresh_interval": "1s"}
        text = apart(rendered(folder)[environment])
        for old, new in TIMES.items():
            text = text.replace(old, new)
        self._objects = objects(text)
        rules = work / "rules.yaml"
        groups = [one for item in self._objects if item["kind"] == "PrometheusRule" for one in item["spec"]["groups"]]
        rules.write_text(json.dumps({"groups": groups}))
        self.prometheus = Prometheus([{"job_name": "pods", "file_sd_configs": [files]}], [rules])
        self._rollout = only(self._objects, "Rollout")["metadata"]["name"]
        self.namespace = only(self._objects, "Namespace")["metadata"]["name"]
        for metric in self._metrics("prometheus"):
            metric |= {"initialDelay": INITIAL_DELAY, "interval": INTERVAL}
            metric["provider"]["prometheus"]["address"] = self.prometheus.url
        for metric in self._metrics("web"):
            metric["interval"] = SMOKE_INTERVAL

    def _metrics(self, provider: str) -> list[Object]:
        templates = [item for item in self._objects if item["kind"] == "AnalysisTemplate"]
        return [one for item in templates for one in item["spec"]["metrics"] if provider in one["provider"]]

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.prometheus)
            stack.enter_context(self._lab.owned(only(self._objects, "Namespace")))
            self._lab.apply(self._objects, self.namespace)
            self.wait(lambda status: status.get("phase") == "Healthy" and status.get("availableReplicas") == 2)
            self.stable = self.status()["stableRS"]
            self._ends = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.close()

    def scrape(self, processes: dict[str, Service]) -> None:
        """Let Prometheus scrape these processes as the pods of these versions, by their hash."""
        found = target(self._objects)
        targets = []
        for version, one in processes.items():
            pod = {"rollouts-pod-template-hash": version}
            taken = {name: pod[label] for name, label in found.pod_labels.items()}
            labels = {"job": found.job, "namespace": self.namespace, **taken}
            targets.append({"targets": [f"127.0.0.1:{one.port}"], "labels": labels})
        partial = self._targets.with_suffix(".new")
        partial.write_text(json.dumps(targets))
        partial.rename(self._targets)

    def preview(self, process: Service | Peer) -> None:
        """Let this process answer what the analyses ask of the preview Service, which leads nowhere here."""
        for metric in self._metrics("web"):
            web = metric["provider"]["web"]
            web["url"] = re.sub("^http://[^/]+", process.url, web["url"])
        self._lab.apply([item for item in self._objects if item["kind"] == "AnalysisTemplate"], self.namespace)

    def selected(self, suffix: str = "") -> str:
        """Return the version that a Service selects, by its hash; empty where it is one for all versions.

        Args:
            suffix: of the Service's name, after that of the service.
        """
        service = api.get(f"/api/v1/namespaces/{self.namespace}/services/{self._rollout}{suffix}")
        return str(service["spec"]["selector"].get("rollouts-pod-template-hash", ""))

    def endpoints(self, suffix: str = "") -> dict[str, int]:
        """Return how many pods of each version, by its hash, a Service leads to.

        Args:
            suffix: of the Service's name, after that of the service.
        """
        label = quote(f"kubernetes.io/service-name={self._rollout}{suffix}")
        slices = f"/apis/discovery.k8s.io/v1/namespaces/{self.namespace}/endpointslices?labelSelector={label}"
        pods = [one["targetRef"]["name"] for item in api.get(slices)["items"] for one in item["endpoints"] or ()]
        return dict(Counter(name.removeprefix(f"{self._rollout}-").rpartition("-")[0] for name in pods))

    def release(self) -> str:
        """Put another image into the Rollout; returns the hash of the new version."""
        change = [
            {
                "op": "replace",
                "path": "/spec/template/spec/containers/0/image",
                "value": f"ghcr.io/acme/{self._rollout}@sha256:{'1' * 64}",
            }
        ]
        self._lab.kubectl(
            "patch", "rollout", self._rollout, "--namespace", self.namespace, "--type=json", "-p", json.dumps(change)
        )
        return str(self.wait(lambda status: status.get("currentPodHash") != self.stable)["currentPodHash"])

    def decide(self, *verb: str) -> None:
        """Say ``promote``, ``abort``, ``undo`` or ``retry rollout`` of the Rollout, as a person does."""
        self._lab.kubectl("argo", "rollouts", *verb, self._rollout, "--namespace", self.namespace)

    def status(self) -> dict[str, Any]:
        """Return the status of the Rollout, empty before the controller has seen its newest version."""
        rollout = api.get(f"{ARGO}/namespaces/{self.namespace}/rollouts/{self._rollout}")
        status: dict[str, Any] = rollout.get("status", {})
        return status if status.get("observedGeneration") == str(rollout["metadata"]["generation"]) else {}

    def wait(self, reached: Callable[[dict[str, Any]], bool], seconds: float = 150) -> dict[str, Any]:
        """Wait for a status of the Rollout.

        Raises:
            AssertionError: it was not reached in time; with the last one.
        """

        def otherwise(status: dict[str, Any]) -> str:
            return f"not reached: {json.dumps(status, indent=2)}\n{json.dumps(self.measured())}"

        return until(self.status, lambda status: status and reached(status), otherwise, seconds=seconds, pause=0.5)

    def judged(self) -> None:
        """Wait until the new version is being judged, which begins with ``INITIAL_DELAY``."""
        runs = f"{ARGO}/namespaces/{self.namespace}/analysisruns"
        self.wait(lambda _: bool(api.get(runs)["items"]))

    def ended(self) -> dict[str, Any]:
        """Wait until the release is promoted, aborted, or paused for a person; returns the status."""
        return self.wait(
            lambda status: bool(
                status.get("abort")
                or status.get("controllerPause")
                or (
                    status.get("phase") == "Healthy"
                    and status.get("stableRS") == status.get("currentPodHash") != self.stable
                )
            )
        )

    def measured(self) -> dict[str, list[str]]:
        """Return by metric what the analyses measured, and how each was judged."""
        runs = api.get(f"{ARGO}/namespaces/{self.namespace}/analysisruns")
        found: dict[str, list[str]] = {}
        for run in runs["items"]:
            for metric in run.get("status", {}).get("metricResults", []):
                values = [
                    f"{one['phase']} {one.get('value', one.get('message', ''))}" for one in metric["measurements"]
                ]
                found.setdefault(metric["name"], []).extend(values)
        return found
