"""Pods behind a Service are replaced under load, and no request is lost: the real endpoints, processes for the pods."""

from __future__ import annotations

import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.cluster.routed import Pods, Routes
from tests.cluster.services import objects, only, rendered
from tests.labs.built import Built
from tests.labs.clients import Client
from tests.labs.cluster import Lab, LabError, api
from tests.labs.service import Service

pytestmark = pytest.mark.cluster

CLIENTS = 8
# So long a node goes on sending connections where it did, after the endpoints have changed.
LATE_SECONDS = 1.5


def asks(client: Client, done: threading.Event) -> None:
    """Send requests through the Service, on a new connection after each that has ended."""
    while not client.lost and not done.is_set():
        connection = client.opened()
        client.told = False
        since = time.monotonic()
        while not client.told and not client.lost and not done.is_set():
            since = client.ask(connection, since)
            time.sleep(client.pause)
        connection.close()


def behind_a_service(lab: Lab, namespace: str, built: Built, stack: ExitStack, **more: str) -> tuple[Pods, Routes]:
    """Bring the Service of a service's staging environment into a namespace; return its pods, none yet, and its routes.

    Args:
        lab: the cluster lab, up.
        namespace: an empty one.
        built: the service.
        stack: ends them.
        more: variables that are other than in staging.
    """
    found = objects(rendered(built.folder)["staging"])
    [service] = [one for one in found if (one["kind"], one["metadata"]["name"]) == ("Service", built.folder.name)]
    service["metadata"]["namespace"] = namespace
    lab.apply([service], namespace)
    template = only(found, "Rollout")["spec"]["template"]
    template["spec"].pop("serviceAccountName")
    [config] = [one["data"] for one in found if one["kind"] == "ConfigMap" and "PORT" in one["data"]]
    env = {name: value for name, value in config.items() if name.startswith("SHUTDOWN_")} | more
    pods = Pods(lab, namespace, template, lambda: Service(built.folder, built.language, env))
    stack.enter_context(pods)
    return pods, stack.enter_context(Routes(namespace, service["metadata"]["name"], pods.ports, LATE_SECONDS))


def replaced(lab: Lab, namespace: str, built: Built, stops: int, **more: str) -> tuple[list[Client], set[str]]:
    """Replace one pod after the other under load; return the clients, who have ended, and the pods that were used."""
    done = threading.Event()
    with ExitStack() as stack:
        pods, routes = behind_a_service(lab, namespace, built, stack, **more)
        there = [pods.add(), pods.add()]
        routes.await_used(lambda used: set(there) <= used)
        clients = [Client(routes.port, "/v1/items", pause=0.02 * (number % 4)) for number in range(CLIENTS)]
        pool = stack.enter_context(ThreadPoolExecutor(CLIENTS + stops))
        stack.callback(done.set)
        runs = [pool.submit(asks, client, done) for client in clients]
        ends = []
        for _ in range(stops):
            there.append(pods.add())
            routes.await_used(lambda used: there[-1] in used)
            pods.delete(there[0])
            ends.append(pool.submit(pods.await_end, there.pop(0)))
            if any(client.lost for client in clients):
                break
        for end in ends:
            end.result(timeout=90)
        done.set()
        for run in runs:
            run.result(timeout=60)
        return clients, routes.taken


def test_no_request_is_lost(cluster_lab: Lab, namespace: str, runnable: Built, stops: int) -> None:
    clients, taken = replaced(cluster_lab, namespace, runnable, stops)
    lost = [one for client in clients for one in client.lost]
    answered = [client.answered for client in clients]
    assert not lost, f"{len(lost)} of {sum(answered)} requests: {lost}"
    assert len(taken) > stops, "each pod got connections"
    assert min(answered) > stops


@pytest.mark.one_language
def test_without_a_drain_some_are(cluster_lab: Lab, namespace: str, runnable: Built) -> None:
    """Else nothing was tried above: connections still come while the endpoints change."""
    clients, _ = replaced(cluster_lab, namespace, runnable, 3, SHUTDOWN_DRAIN_SECONDS="0")
    assert [one for client in clients for one in client.lost]


@pytest.mark.one_language
def test_an_endpoint_goes_while_its_pod_still_answers(cluster_lab: Lab, namespace: str, runnable: Built) -> None:
    """The order of the API server: the pod is deleted, its endpoint is not ready any more, the pod goes last."""
    with ExitStack() as stack:
        pods, routes = behind_a_service(cluster_lab, namespace, runnable, stack)
        name = pods.add()
        routes.await_used(lambda used: used == {name})
        pods.delete(name)
        routes.await_used(lambda used: used == frozenset())
        assert api.get(f"/api/v1/namespaces/{namespace}/pods/{name}")["metadata"]["deletionTimestamp"]
        assert routes.conditions(name) == {"ready": False, "serving": True, "terminating": True}
        answer = urllib.request.urlopen(f"http://127.0.0.1:{pods.ports[name]}/v1/items", timeout=10)
        assert (answer.status, answer.headers["Connection"]) == (200, "close")
        pods.await_end(name)
        with pytest.raises(LabError, match="404"):
            api.get(f"/api/v1/namespaces/{namespace}/pods/{name}")
