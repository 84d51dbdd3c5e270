"""What a connection may do: how long a head may be, how long it may take, and how long an idle connection lives."""

from __future__ import annotations

import http.client
import selectors
import socket
import time
from collections.abc import Callable

import pytest

from tests.labs.service import Service
from tests.services.conformance.surface import surface_of

pytestmark = pytest.mark.models
# A head takes at most this long, with some seconds for a busy machine.
HEAD_SECONDS, BUSY = 10, 15
# The idle time of most load balancers: one that a service ends first, it ends under a request.
BALANCERS_SECONDS = 60


def head(service: Service) -> bytes:
    """Return the head of a request, without its end."""
    return f"GET {surface_of(service.language).ask} HTTP/1.1\r\nHost: service\r\n".encode()


def connect(service: Service) -> socket.socket:
    return socket.create_connection(("127.0.0.1", service.port), timeout=30)


def answer(connection: socket.socket) -> bytes:
    """Return what comes next; empty if the connection has ended."""
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""


def status(service: Service, connection: socket.socket) -> int:
    """Send a request, and return the status of its answer, which is read to its end."""
    connection.sendall(head(service) + b"\r\n")
    with http.client.HTTPResponse(connection, method="GET") as response:
        response.begin()
        response.read()
        return response.status


def ended(connections: dict[str, socket.socket], drip: str, seconds: float) -> dict[str, float]:
    """Wait until connections have ended, sending a byte a second on one of them.

    Returns:
        After how many seconds each one did; those that did not are left out.
    """
    start = time.monotonic()
    found: dict[str, float] = {}
    with selectors.DefaultSelector() as selector:
        for name, connection in connections.items():
            selector.register(connection, selectors.EVENT_READ, name)
        while (now := time.monotonic() - start) < seconds and len(found) < len(connections):
            for key, _ in selector.select(1):
                if not answer(connections[key.data]):
                    found[key.data] = now
                    selector.unregister(key.fileobj)
            if drip not in found:
                try:
                    connections[drip].send(b"x")
                except OSError:
                    found.setdefault(drip, now)
    return found


def test_a_head_of_32_kilobytes_is_read(service: Service) -> None:
    """A token of some size and some cookies."""
    headers = {f"x-{number}": "v" * 7000 for number in range(4)}
    sent = service.http.get(surface_of(service.language).ask, headers=headers)
    assert sent.status_code == 200


@pytest.mark.parametrize("part", [b"X: " + b"v" * 65000 + b"\r\n", b"X: v\r\n" * 10000], ids=["long", "many"])
def test_a_head_without_an_end_is_refused(service: Service, part: bytes) -> None:
    with connect(service) as connection:
        connection.sendall(head(service))
        sent = 0
        try:
            while sent < 1 << 25 and not selectable(connection):
                connection.sendall(part)
                sent += len(part)
        except OSError:
            pass  # it did not even read on
        assert sent < 1 << 22, "it reads on"
        first = answer(connection)
    assert first == b"" or first.split()[1] in {b"400", b"431"}, first
    assert service.http.get("/livez").status_code == 200


def selectable(connection: socket.socket) -> bool:
    """Return whether there is an answer, or the end."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        return bool(selector.select(0))


@pytest.mark.parametrize("start", ["process"], indirect=True)  # the image has the same program
def test_an_idle_connection_outlives_a_balancer_and_a_head_that_does_not_come_ends(
    start: Callable[..., Service],
) -> None:
    """All in one test, since it takes a minute: an answered connection, one that says nothing, two with half a head."""
    with start() as service, connect(service) as idle:
        assert status(service, idle) == 200
        began = time.monotonic()
        with connect(service) as silent, connect(service) as half, connect(service) as drip:
            half.sendall(head(service))
            drip.sendall(head(service) + b"X: ")
            gone = ended({"silent": silent, "half": half, "drip": drip}, "drip", HEAD_SECONDS + BUSY)
        # Tomcat limits the time from one part of a head to the next only.
        assert {"silent", "half", "drip"} - set(gone) == ({"drip"} if service.language == "java" else set()), gone
        time.sleep(BALANCERS_SECONDS + 3 - (time.monotonic() - began))
        assert status(service, idle) == 200
