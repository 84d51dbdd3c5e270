"""A service's own verbs for the cluster, with the lab's kubectl."""

from __future__ import annotations

import re
import subprocess
import sys
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from tests.labs.cluster import client

ENVIRONMENTS = ("preview", "production", "staging")
Object = dict[str, Any]


def script(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of the verbs in ``.golden-path`` of a service.

    Args:
        folder: the service.
        arguments: the verb and its arguments.
    """
    command = [sys.executable, ".golden-path", *arguments]
    return subprocess.run(
        command, cwd=folder, env=client.environment(), capture_output=True, text=True, check=False, timeout=120
    )


def rendered(folder: Path) -> dict[str, str]:
    """Return what ``make manifests`` of a service writes, by environment.

    Raises:
        RuntimeError: it fails.
    """
    done = script(folder, "manifests", "render")
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return {path.stem: path.read_text(encoding="utf-8") for path in (folder / "build/manifests").glob("*.yaml")}


COMPONENTS = ("node-local-dns", "pull-secret")
# Where the nodes answer DNS, in a file of the service's own; other addresses than any example has.
DNS = {"cache": "169.254.25.10", "service": "10.43.0.10"}
DNS_FILE = "node-local-dns.yaml"
_DNS: Object = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "node-local-dns", "annotations": {"config.kubernetes.io/local-config": "true"}},
    "data": {name: f"{address}/32" for name, address in DNS.items()},
}


def with_components(folder: Path) -> Path:
    """Add the components that only some clusters need to each environment of a service; return the service."""
    for overlay in (folder / "deploy/overlays").glob("*/kustomization.yaml"):
        text = overlay.read_text(encoding="utf-8")
        lines = "".join(f"  - ../../../.golden-path/components/{name}\n" for name in COMPONENTS)
        for field, more in (("components", lines), ("resources", f"  - {DNS_FILE}\n")):
            assert text.count(f"\n{field}:\n") == 1, overlay
            text = text.replace(f"\n{field}:\n", f"\n{field}:\n{more}")
        overlay.write_text(text, encoding="utf-8")
        (overlay.parent / DNS_FILE).write_text(yaml.safe_dump(_DNS), encoding="utf-8")
    return folder


def objects(manifests: str) -> list[Object]:
    """Return the objects in YAML."""
    return [document for document in yaml.load_all(manifests, Loader=yaml.CSafeLoader) if document]


def apart(manifests: str) -> str:
    """Return the manifests of an environment in a namespace of another name, which only this call has.

    The namespace of a service is called after it, and others may use the cluster at the same time.
    """
    name = only(objects(manifests), "Namespace")["metadata"]["name"]
    return re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", f"{name}-{uuid.uuid4().hex[:6]}", manifests)


def only(found: Iterable[Object], kind: str) -> Object:
    """Return the one object of a kind."""
    [one] = [item for item in found if item["kind"] == kind]
    return one
