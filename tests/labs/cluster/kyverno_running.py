"""Kyverno in the cluster: its admission and cleanup controllers, with what its own release installs beside them.

Its webhooks have fixed names and are the whole cluster's, so there is one Kyverno at a time.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from tests.labs.cluster import access, api, kyverno
from tests.labs.cluster.client import KubectlError
from tests.labs.cluster.definitions import Module
from tests.labs.cluster.lab import Lab
from tests.labs.cluster.places import kubeconfig, lab_folder, run_folder
from tests.labs.daemon import Daemon
from tests.labs.errors import LabError
from tests.labs.places import locked

# The CRDs, accounts, roles and settings of a release, and with what arguments it starts its programs.
_RELEASE = Module(kyverno.MODULE, ("config/install-latest-testing.yaml",))
# Programs run beside the cluster, and are reached on loopback.
_LEFT_OUT = ("CustomResourceDefinition", "Deployment", "Service")
_WEBHOOKS = "validatingwebhookconfigurations,mutatingwebhookconfigurations"
_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_ADMISSION = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
Object = dict[str, Any]


@dataclass(frozen=True)
class _Controller:
    """One of its programs.

    Attributes:
        program: its name.
        deployment: what the release calls it.
        server: begins the flags of the server for its webhooks.
        webhooks: its first configuration of webhooks, there once it works.
        more: other flags than the release's.
    """

    program: str
    deployment: str
    server: str
    webhooks: str
    more: tuple[str, ...] = ()


_CONTROLLERS = (
    _Controller(
        kyverno.ADMISSION,
        "kyverno-admission-controller",
        "webhookServer",
        "kyverno-policy-validating-webhook-cfg",
        ("--controllerRuntimeMetricsAddress=0", "--enablePolicyException=true", "--exceptionNamespace=kyverno"),
    ),
    _Controller(
        kyverno.CLEANUP,
        "kyverno-cleanup-controller",
        "cleanupServer",
        "kyverno-cleanup-validating-webhook-cfg",
    ),
)  # fmt: skip


def _release() -> Iterator[Object]:
    for source in _RELEASE.sources():
        yield from filter(None, yaml.load_all(source.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))


class Kyverno:
    """One Kyverno; a context manager that removes it, but for its CRDs.

    Attributes:
        namespace: where it takes exceptions from.
    """

    namespace = "kyverno"

    def __init__(self, lab: Lab) -> None:
        """Prepare nothing yet.

        Args:
            lab: the cluster that it judges, up.
        """
        self._lab = lab
        self._folder = run_folder() / "kyverno"
        self._release = list(_release())
        self._beside = [one for one in self._release if one["kind"] not in _LEFT_OUT]
        self._daemons: list[Daemon] = []
        self._alone = ExitStack()

    def __enter__(self) -> Self:
        programs = [kyverno.program(one.program) for one in _CONTROLLERS]
        self._alone.enter_context(locked(lab_folder() / "kyverno-running.lock"))
        try:
            self._remove()
            self._install()
            for one, program in zip(_CONTROLLERS, programs, strict=True):
                self._start(one, program)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _install(self) -> None:
        there = {one["metadata"]["name"] for one in api.get(_CRDS)["items"]}
        crds = [one for one in self._release if one["kind"] == _LEFT_OUT[0] and one["metadata"]["name"] not in there]
        if crds:
            self._lab.apply(crds)
            names = (f"crd/{one['metadata']['name']}" for one in crds)
            self._lab.kubectl("wait", "--for=condition=Established", *names, "--timeout=120s")
        self._lab.apply(self._beside, self.namespace)

    def _remove(self) -> None:
        """Remove what this Kyverno, or one that was killed, has in the cluster: first what nobody answers any more."""
        self._lab.kubectl("delete", _WEBHOOKS, "--selector=webhook.kyverno.io/managed-by=kyverno")
        objects = "\n---\n".join(json.dumps(one) for one in self._beside)
        self._lab.kubectl("delete", "--ignore-not-found", "--filename", "-", input=objects)

    def _end(self) -> None:
        for daemon in self._daemons:
            daemon.stop(seconds=0)
            daemon.log.unlink(missing_ok=True)
        shutil.rmtree(self._folder, ignore_errors=True)
        with suppress(KubectlError):
            self._remove()
        self._alone.close()

    def _start(self, one: _Controller, program: Path) -> None:
        [deployment] = [
            found for found in self._release
            if (found["kind"], found["metadata"]["name"]) == ("Deployment", one.deployment)
        ]  # fmt: skip
        [container] = deployment["spec"]["template"]["spec"]["containers"]
        known = {pair["name"]: pair["value"] for pair in container["env"] if "value" in pair}
        (self._folder / "home").mkdir(parents=True, exist_ok=True)
        env = {
            **self._lab.environment(),
            **known,
            "HOME": str(self._folder / "home"),
            "TUF_ROOT": str(self._folder / "tuf"),
            "KYVERNO_NAMESPACE": self.namespace,
            "KYVERNO_POD_NAME": f"{one.deployment}-0",
        }
        server, metrics = access.free_ports(2)
        command: Sequence[str | Path] = [
            program, *container["args"], f"--kubeconfig={self._as(one.deployment)}", *one.more,
            f"--serverIP=127.0.0.1:{server}", f"--{one.server}Host=127.0.0.1", f"--{one.server}Port={server}",
            "--metricsHost=127.0.0.1", f"--metricsPort={metrics}",
        ]  # fmt: skip
        daemon = Daemon(one.deployment, run_folder, of_the_run=True)
        self._daemons.insert(0, daemon)
        daemon.start(command, lambda: _there(one.webhooks), env)

    def _as(self, account: str) -> Path:
        """Return a kubeconfig of one of its accounts: it may do what the roles say."""
        token = self._lab.kubectl("create", "token", account, "--namespace", self.namespace, "--duration=3h")
        config = json.loads(kubeconfig().read_text(encoding="utf-8"))
        config["users"][0]["user"] = {"token": token.strip()}
        file = self._folder / f"{account}.kubeconfig"
        file.write_text(json.dumps(config), encoding="utf-8")
        return file


def _there(configuration: str) -> bool:
    try:
        return bool(api.get(f"{_ADMISSION}/{configuration}").get("webhooks"))
    except LabError:
        return False
