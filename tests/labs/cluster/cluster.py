"""Starting and ending the cluster, and what a new one is given: CRDs and simulated nodes."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.labs.cluster import access, client, definitions, tools
from tests.labs.cluster.parts import API_SERVER, ETCD, OTHERS, PARTS, Part, data
from tests.labs.cluster.places import lab_folder, run_folder
from tests.labs.errors import LabError
from tests.labs.places import digest, once

NODES = ("a", "b", "c")
# A pod with this annotation stays Pending, as one whose readiness probe fails would stay unready.
NEVER_READY = "cluster-lab/never-ready"


def _prepare() -> None:
    """Write what a new cluster needs before its first program starts."""
    shutil.rmtree(run_folder(), ignore_errors=True)
    run_folder().mkdir(mode=0o700, parents=True)
    access.prepare()
    (run_folder() / "stages.yaml").write_text(_stages(), encoding="utf-8")


def _stages() -> str:
    """Return KWOK's own stages, but for pods that are never to be ready."""
    texts = []
    for file in sorted(definitions.stages().glob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        if file.name == "pod-ready.yaml":
            before, found, after = text.partition("    matchExpressions:\n")
            if not found:
                raise LabError(f"{file} has no matchExpressions: adapt _stages to this version of KWOK")
            key = f"""    - key: '.metadata.annotations["{NEVER_READY}"]'\n      operator: 'DoesNotExist'\n"""
            text = before + found + key + after
        texts.append(text)
    return "\n---\n".join(texts)


def _nodes() -> str:
    size = {"cpu": "64", "memory": "256Gi", "pods": "500"}
    nodes = [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": f"node-{zone}",
                "labels": {
                    "kubernetes.io/hostname": f"node-{zone}",
                    "kubernetes.io/os": "linux",
                    "topology.kubernetes.io/region": "lab",
                    "topology.kubernetes.io/zone": f"lab-{zone}",
                },
            },
            "status": {"allocatable": size, "capacity": size},
        }
        for zone in NODES
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": nodes})


def _seeded() -> Path:
    """Return the mark of a cluster that has its CRDs and nodes."""
    return run_folder() / "seeded"


def seed() -> Path:
    """Return the data of a cluster with CRDs and nodes, made unless it is there.

    To install the CRDs takes the API server four times as long as to start with them.

    Raises:
        LabError: something did not start, or was refused.
    """
    crds = definitions.crds()

    def make(target: Path) -> None:
        stop([part.name for part in PARTS])
        _prepare()
        try:
            ETCD.start()
            API_SERVER.start()
            client.kubectl("create", "--filename", crds)
            client.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=120s")
            client.kubectl("create", "--filename", "-", input=_nodes())
            API_SERVER.daemon.stop(seconds=0)
            ETCD.daemon.stop()
            shutil.copytree(data(), target)
        except client.KubectlError as error:
            raise LabError(f"the CRDs cannot be installed: {' '.join(str(error).split())}") from None
        finally:
            stop([ETCD.name, API_SERVER.name])

    return once(lab_folder() / f"seed-{digest(tools.folder().name, crds.name, _nodes())}", make)


def start() -> None:
    """Start what does not run; a new cluster where nothing runs, or what runs never became one.

    Raises:
        LabError: something did not start.
    """
    if all(part.daemon.pid is None for part in PARTS) or not _seeded().exists():
        stop([part.name for part in PARTS])
        first = seed()
        _prepare()
        shutil.copytree(first, data())
        _seeded().touch()
    if ETCD.daemon.pid is None:
        # Without it an API server may stay unready for minutes after it is back.
        API_SERVER.daemon.stop(seconds=0)
    ETCD.start()
    API_SERVER.start()
    with ThreadPoolExecutor(len(OTHERS)) as pool:
        list(pool.map(_start, OTHERS))
    _await_nodes()


def _start(part: Part) -> None:
    """Start a client of the API server: one that has just started may drop a connection, and some end then.

    Raises:
        LabError: it did not start, three times.
    """
    for _ in range(2):
        try:
            part.start()
            return
        except LabError:
            time.sleep(1)
    part.start()


def _await_nodes() -> None:
    """Wait until every node is ready; an API server that has just started may drop a connection.

    Raises:
        LabError: they are not within two minutes.
    """
    end = time.monotonic() + 120
    while True:
        try:
            client.kubectl("wait", "--for=condition=Ready", "node", "--all", "--timeout=120s")
            return
        except client.KubectlError as error:
            if time.monotonic() > end:
                raise LabError(f"the cluster does not work: {' '.join(str(error).split())}") from None
        time.sleep(0.5)


def stop(names: Collection[str]) -> None:
    """End programs at once: a control plane that is asked to end takes its time, and its data is not kept.

    Args:
        names: of the programs.
    """
    for part in reversed(PARTS):
        if part.name in names:
            part.daemon.stop(seconds=0)
