"""Stops under load: clients that keep their connections alive lose no request."""

from __future__ import annotations

import http.client
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from tests.labs.built import Built
from tests.labs.service import Service
from tests.services.conformance.surface import surface_of

pytestmark = pytest.mark.models

CLIENTS = 8
BEFORE = 3  # answers that each client has had before the signal
# A client that takes longer from one request to the next may find its connection closed: nobody can prevent that.
LINGER_SECONDS = 0.4
# While a service drains, its clients learn that it goes: from then on they open no new connection to it.
LEARNED_SECONDS = 0.5


@dataclass
class Client:
    """A client that sends one request after the other, until an answer that ends its connection says that it must go.

    Attributes:
        port: of the service.
        path: to ask for.
        pause: seconds between an answer and the next request.
        answered: how many were.
        lost: what became of each request that was not answered well.
        told: whether the last answer ended the connection.
    """

    port: int
    path: str
    pause: float
    answered: int = 0
    lost: list[str] = field(default_factory=list)
    told: bool = False

    def run(self, moved: threading.Event) -> None:
        """Send requests, on a new connection where one has ended, until the clients have moved."""
        while not self.lost and not (self.told and moved.is_set()):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            connection.connect()
            connection.auto_open = 0  # a connection that has ended is not opened anew in silence
            if self.told and moved.is_set():
                break  # it took long to open
            self.told = False
            since = time.monotonic()
            while not self.told and not self.lost:
                since = self._ask(connection, since)
                time.sleep(self.pause)
            connection.close()

    def _ask(self, connection: http.client.HTTPConnection, since: float) -> float:
        """Send a request, after one that was sent at a time; returns when this one is sent."""
        sent = time.monotonic()
        try:
            connection.request("GET", self.path)
            answer = connection.getresponse()
            answer.read()
        except OSError as error:
            if sent - since < LINGER_SECONDS:
                self.lost.append(f"{error!r}, {sent - since:.3f} seconds after the request before it")
            self.told = True
            return sent
        self.answered += 1
        self.told = answer.getheader("Connection") == "close"
        if answer.status != 200:
            self.lost.append(f"{answer.status}")
        return sent


def stopped(built: Built, drain: int) -> list[Client]:
    """Stop a service under load.

    Args:
        built: the service.
        drain: seconds.

    Returns:
        Its clients, who have ended.
    """
    moved = threading.Event()
    with Service(built.folder, built.language, {"SHUTDOWN_DRAIN_SECONDS": str(drain)}) as service:
        path = surface_of(service.language).ask
        clients = [Client(service.port, path, pause=0.02 * (number % 4)) for number in range(CLIENTS)]
        with ThreadPoolExecutor(CLIENTS) as pool:
            runs = [pool.submit(client.run, moved) for client in clients]
            while any(client.answered < BEFORE and not client.lost for client in clients):
                time.sleep(0.05)
            if drain == 0:
                moved.set()
            service.signal()
            time.sleep(LEARNED_SECONDS)
            moved.set()
            for run in runs:
                run.result(timeout=30)
        service.wait(30)
        assert service.log[-1]["message"] == "stopped"
    return clients


@pytest.mark.parametrize("drain", [2, 0])
def test_a_stop_under_load_loses_no_request(built: Built, drain: int, stops: int) -> None:
    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(lambda _: stopped(built, drain), range((stops + 1) // 2)))
    lost = [one for clients in ended for client in clients for one in client.lost]
    answered = [client.answered for clients in ended for client in clients]
    assert not lost, f"{len(lost)} of {sum(answered)} requests: {lost}"
    assert all(client.told for clients in ended for client in clients)
