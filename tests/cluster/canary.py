"""A service in the cluster lab whose pods' metrics come from real processes of it, under load.

Pods are simulated, so a process stands for the pods of each version: Prometheus scrapes it under the labels that it
would find on them. All else is the service's own: the Rollout, the analysis and its queries. Only their times are
shortened.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.cluster.services import Object, objects, only, rendered
from tests.labs.cluster import Lab
from tests.labs.cluster.prometheus import Prometheus
from tests.labs.service import Service

# What the service has, and what it is here: a run takes seconds instead of minutes.
TIMES = {"[2m]": "[10s]"}
INITIAL_DELAY, INTERVAL = "12s", "1s"
REFERENCE = "0b7cf3a5-5f3b-4c8e-9a64-6f0f3d3f7b11"


@contextmanager
def load(service: Service, rate: float) -> Iterator[list[int]]:
    """Send requests at a steady rate in the background.

    Args:
        service: where to.
        rate: requests a second.

    Yields:
        The statuses so far.
    """
    statuses: list[int] = []
    stop = threading.Event()

    def send() -> None:
        with httpx.Client(base_url=service.url, trust_env=False, timeout=10) as http:
            while not stop.is_set():
                started = time.monotonic()
                item = {"name": "x", "quantity": 1, "ref": REFERENCE}
                statuses.append(http.post("/v1/items", json=item).status_code)
                stop.wait(max(0.0, 4 / rate - (time.monotonic() - started)))

    threads = [threading.Thread(target=send, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=30)


class Deployment:
    """The staging environment of a service in the lab; a context manager that removes it.

    Attributes:
        namespace: where it is.
    """

    def __init__(self, lab: Lab, folder: Path, work: Path) -> None:
        """Render it.

        Args:
            lab: the cluster lab, up.
            folder: the service.
            work: a folder for Prometheus' list of targets.
        """
        self._lab = lab
        self._targets = work / "targets.json"
        self._targets.write_text("[]")
        files = {"files": [str(self._targets)], "refresh_interval": "1s"}
        self.prometheus = Prometheus([{"job_name": "pods", "file_sd_configs": [files]}])
        text = rendered(folder)["staging"]
        for old, new in TIMES.items():
            text = text.replace(old, new)
        self._objects = objects(text)
        self._rollout = only(self._objects, "Rollout")["metadata"]["name"]
        self.namespace = only(self._objects, "Namespace")["metadata"]["name"]
        for metric in only(self._objects, "AnalysisTemplate")["spec"]["metrics"]:
            metric |= {"initialDelay": INITIAL_DELAY, "interval": INTERVAL}
            metric["provider"]["prometheus"]["address"] = self.prometheus.url

    def __enter__(self) -> Self:
        self.prometheus.start()
        self._lab.apply([only(self._objects, "Namespace")])
        self._lab.apply(self._objects, self.namespace)
        self.wait(lambda status: status.get("phase") == "Healthy" and status.get("availableReplicas") == 2)
        self.stable = self.status()["stableRS"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lab.kubectl("delete", "namespace", self.namespace, timeout=120)
        self.prometheus.__exit__(kind, error, trace)

    def scrape(self, processes: dict[str, Service]) -> None:
        """Let Prometheus scrape these processes as the pods of these versions, by their hash."""
        labels = {"job": self._rollout, "namespace": self.namespace}
        targets = [
            {"targets": [f"127.0.0.1:{one.port}"], "labels": labels | {"rollouts_pod_template_hash": version}}
            for version, one in processes.items()
        ]
        partial = self._targets.with_suffix(".new")
        partial.write_text(json.dumps(targets))
        partial.rename(self._targets)

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

    def status(self) -> dict[str, Any]:
        """Return the status of the Rollout, empty before the controller has seen its newest version."""
        text = self._lab.kubectl("get", "rollout", self._rollout, "--namespace", self.namespace, "--output", "json")
        rollout: Object = json.loads(text)
        status: dict[str, Any] = rollout.get("status", {})
        return status if status.get("observedGeneration") == str(rollout["metadata"]["generation"]) else {}

    def wait(self, reached: Callable[[dict[str, Any]], bool], seconds: float = 150) -> dict[str, Any]:
        """Wait for a status of the Rollout.

        Raises:
            AssertionError: it was not reached in time; with the last one.
        """
        end = time.monotonic() + seconds
        while True:
            status = self.status()
            if status and reached(status):
                return status
            if time.monotonic() > end:
                raise AssertionError(f"not reached: {json.dumps(status, indent=2)}\n{json.dumps(self.measured())}")
            time.sleep(0.5)

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
        runs = json.loads(self._lab.kubectl("get", "analysisruns", "--namespace", self.namespace, "--output", "json"))
        found: dict[str, list[str]] = {}
        for run in runs["items"]:
            for metric in run.get("status", {}).get("metricResults", []):
                values = [
                    f"{one['phase']} {one.get('value', one.get('message', ''))}" for one in metric["measurements"]
                ]
                found.setdefault(metric["name"], []).extend(values)
        return found
