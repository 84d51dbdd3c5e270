"""The cluster lab: a control plane that accepts, schedules and rolls out as a real one does, on loopback."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.labs.cluster import client, cluster, places, prometheus, tools
from tests.labs.cluster.parts import PARTS
from tests.labs.cluster.places import lab_folder, run_folder
from tests.labs.cluster.prometheus import Prometheus
from tests.labs.errors import LabError
from tests.labs.places import alone
from tests.labs.started import StartedLab

Manifests = str | Path | Sequence[Mapping[str, Any]]


class Lab(StartedLab):
    """The cluster and its clients; a context manager that ends only what it started."""

    @property
    def kubeconfig(self) -> Path:
        """The file that says where the API server is and who the lab's user, an administrator, is."""
        return places.kubeconfig()

    @staticmethod
    def folder() -> Path:
        """Return the folder of all that outlives the lab's ``down``."""
        return lab_folder()

    def status(self) -> dict[str, str]:
        """Return of each part what runs, for example ``process 7``; empty where it does not run."""
        return {part.name: f"process {pid}" if (pid := part.daemon.pid) else "" for part in PARTS}

    def up(self) -> list[str]:
        """Start what does not run; build what is not built yet, which takes some ten minutes the first time.

        A part that was killed is started again and finds the cluster as it was; where nothing runs, the cluster is new.

        Returns:
            What it started.

        Raises:
            LabError: something is missing.
            MissingToolchainError: Go is missing.
        """
        with alone(lab_folder()):
            before = self.status()
            tools.build()
            try:
                cluster.start()
            except BaseException:
                cluster.stop([name for name, what in before.items() if not what])
                raise
            return [name for name, what in self.status().items() if what != before[name]]

    def down(self, names: Collection[str] | None = None) -> None:
        """End what runs; the cluster is gone then, and what was built stays.

        Args:
            names: what to end, as ``up`` returned it; everything by default.
        """
        with alone(lab_folder()):
            parts = set(self.status() if names is None else names)
            cluster.stop(parts)
            if parts >= set(self.status()):
                prometheus.stop_all()
                shutil.rmtree(run_folder(), ignore_errors=True)

    def environment(self) -> dict[str, str]:
        """Return the environment in which kubectl, its plugins, kustomize and promtool are the lab's.

        Raises:
            LabError: the lab is down.
        """
        if missing := [name for name, what in self.status().items() if not what]:
            raise LabError(f"no {missing[0]} runs: run python -m tests.labs.cluster up")
        return client.environment()

    def kubectl(self, *arguments: str | Path, input: str = "", timeout: float = 180) -> str:  # noqa: A002
        """Run kubectl, also ``argo rollouts`` and ``kustomize`` with it.

        Args:
            arguments: of it.
            input: its standard input.
            timeout: seconds.

        Returns:
            Its standard output.

        Raises:
            KubectlError: it failed; the message is what it printed.
            LabError: it is not built.
        """
        return client.kubectl(*arguments, input=input, timeout=timeout)

    def apply(self, manifests: Manifests, namespace: str = "default", dry_run: bool = False) -> str:
        """Apply manifests on the server, where an unknown field is an error; of a doubled one kubectl sends the last.

        Args:
            manifests: YAML, a file, a folder with a kustomization or of files, or the objects themselves.
            namespace: of those that name none.
            dry_run: let the server check and admit them, and keep nothing.

        Returns:
            What kubectl says of each, one a line.

        Raises:
            KubectlError: the server refuses one; the message names it and why.
        """
        options = ["apply", "--server-side", "--validate=strict", "--namespace", namespace]
        if dry_run:
            options.append("--dry-run=server")
        if isinstance(manifests, Path):
            kustomized = (manifests / "kustomization.yaml").exists()
            return self.kubectl(*options, "--kustomize" if kustomized else "--filename", manifests)
        if not isinstance(manifests, str):
            # Not as a List: then kubectl checks the fields itself, and the server does not.
            manifests = "\n---\n".join(json.dumps(manifest) for manifest in manifests)
        return self.kubectl(*options, "--filename", "-", input=manifests)

    @contextmanager
    def owned(self, manifest: Mapping[str, Any], wait: bool = True) -> Iterator[str]:
        """Create a namespace for a ``with`` statement that removes it with all that is in it; returns its name.

        Runs that share the lab have it one after the other. What one that was killed has left is removed first.

        Args:
            manifest: the Namespace.
            wait: until it is gone.

        Raises:
            KubectlError: it is there already, and not from here.
        """
        name = manifest["metadata"]["name"]
        mark = run_folder() / "namespaces" / name / "left"
        with alone(mark.parent):
            if mark.exists():
                self.kubectl("delete", "namespace", name, "--ignore-not-found")
            with self._created(manifest, wait):
                mark.touch()
                yield name
            if wait:
                mark.unlink()

    @contextmanager
    def _created(self, manifest: Mapping[str, Any], wait: bool) -> Iterator[None]:
        name = manifest["metadata"]["name"]
        self.kubectl("create", "--filename", "-", input=json.dumps(manifest))
        try:
            # Pods may be refused until their service account is there.
            self.kubectl("wait", "--for=create", "serviceaccount/default", "--namespace", name, "--timeout=120s")
            yield
        finally:
            self.kubectl("delete", "namespace", name, "--ignore-not-found", f"--wait={str(wait).lower()}")

    @contextmanager
    def namespace(self, labels: Mapping[str, str] | None = None) -> Iterator[str]:
        """Return a namespace that nothing else uses, for a ``with`` statement that removes it.

        Args:
            labels: of it, for example of its Pod Security.
        """
        name = f"test-{uuid.uuid4().hex[:8]}"
        metadata = {"name": name, "labels": dict(labels or {})}
        with self._created({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}, wait=False):
            yield name

    def prometheus(
        self, scrape: Sequence[Mapping[str, Any]] = (), rules: Iterable[Path] = (), interval: str = "1s"
    ) -> Prometheus:
        """Return a Prometheus, for a ``with`` statement.

        Args:
            scrape: its ``scrape_configs``.
            rules: its rule files.
            interval: how often it scrapes and evaluates rules.
        """
        return Prometheus(scrape, rules, interval)
