"""Processes that stand for pods behind a Service: real ones, reached as the EndpointSlices of the API server say.

Pods of the lab are simulated and lead nowhere. Here each has a process of the service. What a node would do for it is
done here: `Routes` is its proxy, which sends a connection to a ready endpoint of the Service and learns of changes some
time later; `Pods` is its kubelet, which starts a process with the pod and signals it once the pod is deleted. When an
endpoint is ready, and when no longer, the API server and its EndpointSlice controller say.
"""

from __future__ import annotations

import itertools
import json
import random
import selectors
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Any, Self

from tests.cluster.services import Object
from tests.labs.cluster import Lab, api
from tests.labs.service import Service

FINALIZER = "golden-path.test/process"  # keeps a pod that is deleted until its process has ended
_LOOK_SECONDS = 0.05


class Routes:
    """A proxy on loopback; a context manager that ends it.

    Attributes:
        port: on which it listens.
        taken: to which pods it has sent a connection, by name.
    """

    def __init__(self, namespace: str, service: str, ports: Mapping[str, int], late: float) -> None:
        """Listen.

        Args:
            namespace: of the Service.
            service: its name.
            ports: where the process of each pod listens, by name; it may change.
            late: seconds from a change of the endpoints until connections follow it.
        """
        label = f"kubernetes.io/service-name%3D{service}"
        self._slices = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices?labelSelector={label}"
        self._ports = ports
        self._late = late
        self._seen: list[tuple[float, frozenset[str]]] = []
        self._ended = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.taken: set[str] = set()

    def ready(self) -> frozenset[str]:
        """Return the pods whose endpoints are ready, as the API server says now."""
        return frozenset(name for name, conditions in self._endpoints() if conditions.get("ready"))

    def conditions(self, pod: str) -> dict[str, bool]:
        """Return what the API server says of the endpoint of a pod now; nothing if there is none."""
        return next((conditions for name, conditions in self._endpoints() if name == pod), {})

    def _endpoints(self) -> Iterator[tuple[str, dict[str, bool]]]:
        for one in api.get(self._slices)["items"]:
            for endpoint in one.get("endpoints") or ():
                yield endpoint["targetRef"]["name"], endpoint["conditions"]

    def used(self) -> frozenset[str]:
        """Return the pods that a new connection may reach: those that were ready some time ago."""
        before = time.monotonic() - self._late
        known = [pods for since, pods in self._seen if since <= before]
        return known[-1] if known else frozenset()

    def await_used(self, holds: Callable[[frozenset[str]], bool]) -> None:
        """Wait until the pods that are used are as wanted."""
        for _ in range(2000):
            if holds(self.used()):
                return
            time.sleep(_LOOK_SECONDS)
        raise AssertionError(f"still used: {sorted(self.used())}")

    def _look(self) -> None:
        while not self._ended.is_set():
            pods = self.ready()
            if not self._seen or self._seen[-1][1] != pods:
                self._seen.append((time.monotonic(), pods))
            self._ended.wait(_LOOK_SECONDS)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=[client], daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        """As by iptables: an endpoint is chosen once a connection, and if that one refuses it, no other is tried."""
        with client:
            pods = sorted(self.used())
            if not pods:
                return
            pod = random.choice(pods)
            self.taken.add(pod)
            with suppress(OSError), socket.create_connection(("127.0.0.1", self._ports[pod])) as server:
                _carry(client, server)

    def __enter__(self) -> Self:
        for run in (self._look, self._accept):
            threading.Thread(target=run, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


def _carry(client: socket.socket, server: socket.socket) -> None:
    """Carry bytes both ways until both sides have said that they send no more, or one is gone."""
    other = {client: server, server: client}
    with selectors.DefaultSelector() as selector:
        for one in other:
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(one, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                ready: Any = key.fileobj
                if data := ready.recv(65536):
                    other[ready].sendall(data)
                else:
                    selector.unregister(ready)
                    other[ready].shutdown(socket.SHUT_WR)


class Pods:
    """Pods of a service with their processes; a context manager that ends the processes.

    Attributes:
        ports: where the process of each pod listens, by the pod's name.
    """

    def __init__(self, lab: Lab, namespace: str, template: Object, start: Callable[[], Service]) -> None:
        """Have none yet.

        Args:
            lab: the cluster lab, up.
            namespace: where they are.
            template: metadata and spec.
            start: makes a process, which is not started yet.
        """
        self._lab = lab
        self._namespace = namespace
        self._template = template
        self._start = start
        self._numbers = itertools.count()
        self._mark = uuid.uuid4().hex[:6]
        self._running: dict[str, Service] = {}
        self._processes = ExitStack()
        self.ports: dict[str, int] = {}

    def add(self) -> str:
        """Add a pod whose process is ready; return its name."""
        name = f"{self._mark}-{next(self._numbers)}"
        process = self._processes.enter_context(self._start())
        self._running[name], self.ports[name] = process, process.port
        metadata = {"name": name, "namespace": self._namespace, "finalizers": [FINALIZER]}
        labels = self._template["metadata"]["labels"]
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {**metadata, "labels": labels}}
        self._lab.apply([{**pod, "spec": self._template["spec"]}], self._namespace)
        return name

    def delete(self, name: str) -> None:
        """Delete a pod, and signal its process as soon as the API server has taken that; do not wait for its end."""
        self._lab.kubectl("delete", "pod", name, "--namespace", self._namespace, "--wait=false")
        self._running[name].signal()

    def await_end(self, name: str) -> None:
        """Wait until the process of a pod that is deleted has ended by itself, and let the pod go."""
        process = self._running.pop(name)
        process.wait(60)
        assert process.log[-1]["message"] == "stopped", process.stdout[-2000:]
        self._let_go(name)

    def _let_go(self, name: str) -> None:
        change = json.dumps({"metadata": {"finalizers": None}})
        self._lab.kubectl("patch", "pod", name, "--namespace", self._namespace, "--type=merge", "--patch", change)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._processes.close()
        for name in self._running:
            with suppress(Exception):
                self._let_go(name)
