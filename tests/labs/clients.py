"""Clients that keep their connections alive, and notice each request that is not answered well."""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass, field

# A client that takes longer from one request to the next may find its connection closed: nobody can prevent that.
LINGER_SECONDS = 0.4


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
            connection = self.opened()
            if self.told and moved.is_set():
                break  # it took long to open
            self.told = False
            since = time.monotonic()
            while not self.told and not self.lost:
                since = self.ask(connection, since)
                time.sleep(self.pause)
            connection.close()

    def opened(self) -> http.client.HTTPConnection:
        """Return a new connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.connect()
        connection.auto_open = 0  # one that has ended is not opened anew in silence
        return connection

    def ask(self, connection: http.client.HTTPConnection, since: float) -> float:
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
