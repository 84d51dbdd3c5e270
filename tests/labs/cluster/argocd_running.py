"""Argo CD for the tests of one file: its controllers, repository server and Redis, in a namespace of its own."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.labs.cluster import access, argocd, redis
from tests.labs.cluster.client import KubectlError
from tests.labs.cluster.lab import Lab
from tests.labs.cluster.places import run_folder
from tests.labs.daemon import Daemon

PREFIX = "argocd-"
_PORTS = ("redis", "repo-server", "repo-server-metrics", "controller-metrics", "sets-metrics", "sets-webhook")
# There are no metrics in the lab, of which Argo CD makes an autoscaler that is degraded.
_SETTINGS = {
    "resource.customizations.health.autoscaling_HorizontalPodAutoscaler": 'return {status = "Healthy"}',
}
Object = Mapping[str, Any]


class ArgoCD:
    """One Argo CD; a context manager that removes every trace of it.

    Attributes:
        namespace: where its Applications are.
    """

    def __init__(self, lab: Lab) -> None:
        """Choose its name and ports.

        Args:
            lab: the cluster that it runs in and deploys to, up.
        """
        self._lab = lab
        name = f"{PREFIX}{uuid.uuid4().hex[:8]}"
        self.namespace = name
        self._folder = run_folder() / name
        self._port = dict(zip(_PORTS, access.free_ports(len(_PORTS)), strict=True))
        self._daemons: list[Daemon] = []

    def __enter__(self) -> Self:
        program = argocd.program()
        try:
            # What it cannot start without; all else has a default.
            self._create({"kind": "Namespace", "metadata": {"name": self.namespace}})
            self._create({"kind": "ConfigMap", "metadata": self._named("argocd-cm"), "data": _SETTINGS})
            self._create({"kind": "Secret", "metadata": self._named("argocd-secret")})
            self._start_all(program.parent)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        kinds = "applicationsets.argoproj.io,applications.argoproj.io"
        with suppress(KubectlError):
            self._lab.kubectl("delete", kinds, "--all", "--namespace", self.namespace, "--timeout=60s")
        for daemon in self._daemons:
            daemon.stop(seconds=0)
            daemon.log.unlink(missing_ok=True)
        shutil.rmtree(self._folder, ignore_errors=True)
        self._lab.kubectl("delete", "namespace", self.namespace, "--ignore-not-found", "--wait=false")

    def _named(self, name: str) -> Object:
        labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "argocd"}
        return {"name": name, "namespace": self.namespace, "labels": labels}

    def _create(self, manifest: Object) -> None:
        self._lab.kubectl("create", "--filename", "-", input=json.dumps({"apiVersion": "v1", **manifest}))

    def _start_all(self, programs: Path) -> None:
        here = {name: f"127.0.0.1:{port}" for name, port in self._port.items()}
        env = self._environment(programs)
        cached = ["--redis", here["redis"]]
        watches = ["--kubeconfig", env["KUBECONFIG"], "--namespace", self.namespace, "--loglevel", "info"]
        self._start("redis", [
            *redis.command(), "--bind", "127.0.0.1", "--port", str(self._port["redis"]), "--save", "",
            "--appendonly", "no", "--dir", self._folder,
        ], lambda: redis.answers(self._port["redis"]), env)  # fmt: skip
        self._start("repo-server", [
            programs / argocd.REPO_SERVER, "--address", "127.0.0.1", "--port", str(self._port["repo-server"]),
            "--metrics-address", "127.0.0.1", "--metrics-port", str(self._port["repo-server-metrics"]),
            *cached,
        ], lambda: access.answers(f"http://{here['repo-server-metrics']}/healthz?full=true"), env)  # fmt: skip
        self._start("controller", [
            programs / argocd.CONTROLLER, *watches, *cached, "--repo-server", here["repo-server"],
            "--metrics-port", str(self._port["controller-metrics"]),
        ], lambda: access.answers(f"http://{here['controller-metrics']}/healthz"), env)  # fmt: skip
        self._start("sets", [
            programs / argocd.SETS, *watches, "--argocd-repo-server", here["repo-server"],
            # It has a port for probes and answers none there.
            "--metrics-addr", here["sets-metrics"], "--probe-addr", "0", "--webhook-addr", here["sets-webhook"],
        ], lambda: access.answers(f"http://{here['sets-metrics']}/metrics"), env)  # fmt: skip

    def _environment(self, programs: Path) -> dict[str, str]:
        """Return the environment of its parts: nothing of the user's, no keyring, no socket that others may have."""
        home = self._folder / "home"
        for folder in ("home", "tmp", "certificates"):
            (self._folder / folder).mkdir(parents=True, exist_ok=True)
        known = self._lab.environment()
        return {
            **known,
            "PATH": os.pathsep.join([str(programs), known["PATH"]]),
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "TMPDIR": str(self._folder / "tmp"),
            "GIT_CONFIG_NOSYSTEM": "1",
            # The kubeconfig's cluster is the one that it runs in.
            "ARGOCD_FAKE_IN_CLUSTER": "true",
            "ARGOCD_GPG_ENABLED": "false",
            "ARGOCD_ASK_PASS_SOCK": str(self._folder / "ask-pass.sock"),
            "ARGOCD_TLS_DATA_PATH": str(self._folder / "certificates"),
            "ARGOCD_SSH_DATA_PATH": str(self._folder / "certificates"),
        }

    def _start(self, name: str, command: list[str | Path], ready: Callable[[], bool], env: Mapping[str, str]) -> None:
        daemon = Daemon(f"{self.namespace}-{name}", run_folder, of_the_run=True)
        self._daemons.insert(0, daemon)
        daemon.start(command, ready, env)
