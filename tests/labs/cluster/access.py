"""How the parts of the cluster find and trust each other: ports, keys, the lab's user."""

from __future__ import annotations

import json
import secrets
import socket
import ssl
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.labs.cluster.places import kubeconfig, run_folder
from tests.labs.errors import LabError

PORTS = ("etcd", "etcd-peer", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok",
         "rollouts", "rollouts-metrics")  # fmt: skip


def ports() -> dict[str, int]:
    """Return the loopback ports of the running cluster.

    Raises:
        LabError: it has never been up.
    """
    try:
        found: dict[str, int] = json.loads((run_folder() / "ports.json").read_text(encoding="utf-8"))
    except OSError:
        raise LabError("the cluster lab is down: run python -m tests.labs.cluster up") from None
    return found


def url(port: str, path: str = "", scheme: str = "https") -> str:
    """Return an address of a part of the cluster."""
    return f"{scheme}://127.0.0.1:{ports()[port]}{path}"


def certificate() -> Path:
    """Return the certificate that the API server makes for itself, with its authority; the others use it too."""
    return run_folder() / "pki" / "apiserver.crt"


def tokens() -> Path:
    """Return the file of the API server's users, of whom there is one."""
    return run_folder() / "tokens.csv"


def token() -> str:
    """Return the token of the lab's user."""
    return tokens().read_text(encoding="utf-8").partition(",")[0]


def service_account_key() -> Path:
    """Return the key that tokens of service accounts are signed with."""
    return run_folder() / "service-accounts.key"


def answers(address: str) -> bool:
    """Return whether a part of the cluster says that it can be used."""
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    request = urllib.request.Request(address)
    try:
        if address.startswith("https:"):
            handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(certificate()))))
            request.add_header("Authorization", f"Bearer {token()}")
        with urllib.request.build_opener(*handlers).open(request, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def free_ports(count: int) -> list[int]:
    """Return ports that nothing listens on now; all are bound at once, so that no two are the same."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def prepare() -> None:
    """Write the ports, keys and the kubeconfig of a new cluster."""
    chosen = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    (run_folder() / "ports.json").write_text(json.dumps(chosen), encoding="utf-8")
    secret = secrets.token_hex(16)
    tokens().write_text(f"{secret},lab,lab,system:masters\n", encoding="utf-8")
    service_account_key().write_bytes(
        rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    cluster = {"server": url("kube-apiserver"), "certificate-authority": str(certificate())}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": cluster}],
        "users": [{"name": "lab", "user": {"token": secret}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
        "current-context": "lab",
    }
    kubeconfig().write_text(json.dumps(config), encoding="utf-8")
