"""The programs of the cluster: with which options each starts, and when it can be used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.labs.cluster import client, tools
from tests.labs.cluster.access import answers, certificate, ports, service_account_key, tokens, url
from tests.labs.cluster.places import kubeconfig, run_folder
from tests.labs.daemon import Daemon

# Those that a service's manifests meet; the node ones would find no kubelet.
CONTROLLERS = (
    "clusterrole-aggregation-controller", "cronjob-controller", "deployment-controller", "disruption-controller",
    "endpoints-controller", "endpointslice-controller", "garbage-collector-controller",
    "horizontal-pod-autoscaler-controller", "job-controller", "namespace-controller", "replicaset-controller",
    "resourcequota-controller", "root-ca-certificate-publisher-controller", "serviceaccount-controller",
    "statefulset-controller", "validatingadmissionpolicy-status-controller",
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    """One program of the cluster.

    Attributes:
        name: of the program.
        options: its arguments, when it starts.
        health: the address that answers 200 when it can be used.
    """

    name: str
    options: Callable[[], Sequence[str]]
    health: Callable[[], str]

    @property
    def daemon(self) -> Daemon:
        """Its process."""
        return Daemon(self.name, run_folder)

    def start(self) -> None:
        """Start it unless it runs, and wait until it can be used.

        Raises:
            LabError: it did not start.
        """
        if self.daemon.pid is None:
            command = [str(tools.program(self.name)), *self.options()]
            self.daemon.start(command, lambda: answers(self.health()), client.environment(), seconds=120)


def data() -> Path:
    """Return the folder of the cluster's data."""
    return run_folder() / "etcd"


def _etcd() -> list[str]:
    here, peer = url("etcd", scheme="http"), url("etcd-peer", scheme="http")
    return [
        "--data-dir", str(data()),
        "--listen-client-urls", here, "--advertise-client-urls", here,
        "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}",
        "--unsafe-no-fsync", "--log-level", "warn",
    ]  # fmt: skip


def _api_server() -> list[str]:
    return [
        "--etcd-servers", url("etcd", scheme="http"),
        "--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1",
        "--secure-port", str(ports()["kube-apiserver"]),
        "--endpoint-reconciler-type", "none",
        "--cert-dir", str(run_folder() / "pki"),
        "--token-auth-file", str(tokens()), "--authorization-mode", "RBAC",
        "--service-account-issuer", "https://kubernetes.default.svc",
        "--service-account-key-file", str(service_account_key()),
        "--service-account-signing-key-file", str(service_account_key()),
        "--service-cluster-ip-range", "10.96.0.0/16",
        # It taints new nodes until a controller that is not here finds them ready.
        "--disable-admission-plugins", "TaintNodesByCondition",
        "--enable-priority-and-fairness=false", "--profiling=false",
    ]  # fmt: skip


def _served_on(port: str) -> list[str]:
    return [
        "--kubeconfig", str(kubeconfig()), "--leader-elect=false", "--profiling=false",
        "--authentication-kubeconfig", str(kubeconfig()), "--authorization-kubeconfig", str(kubeconfig()),
        "--bind-address", "127.0.0.1", "--secure-port", str(ports()[port]),
        "--tls-cert-file", str(certificate()), "--tls-private-key-file", str(certificate().with_suffix(".key")),
    ]  # fmt: skip


def _controller_manager() -> list[str]:
    return [
        *_served_on("kube-controller-manager"), "--controllers", ",".join(CONTROLLERS),
        "--service-account-private-key-file", str(service_account_key()), "--root-ca-file", str(certificate()),
    ]  # fmt: skip


def _kwok() -> list[str]:
    return [
        "--kubeconfig", str(kubeconfig()), "--config", str(run_folder() / "stages.yaml"), "--manage-all-nodes=true",
        "--node-lease-duration-seconds", "40", "--server-address", f"127.0.0.1:{ports()['kwok']}",
    ]  # fmt: skip


def _rollouts() -> list[str]:
    return [
        "--kubeconfig", str(kubeconfig()), "--leader-elect=false",
        "--healthzPort", str(ports()["rollouts"]), "--metricsport", str(ports()["rollouts-metrics"]),
    ]  # fmt: skip


ETCD = Part("etcd", _etcd, lambda: url("etcd", "/health", "http"))
API_SERVER = Part("kube-apiserver", _api_server, lambda: url("kube-apiserver", "/readyz"))
OTHERS = (
    Part("kube-controller-manager", _controller_manager, lambda: url("kube-controller-manager", "/healthz")),
    Part("kube-scheduler", lambda: _served_on("kube-scheduler"), lambda: url("kube-scheduler", "/healthz")),
    Part("kwok", _kwok, lambda: url("kwok", "/healthz", "http")),
    Part("rollouts-controller", _rollouts, lambda: url("rollouts", "/healthz", "http")),
)
PARTS = (ETCD, API_SERVER, *OTHERS)
