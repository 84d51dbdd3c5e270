"""Requests to a service on this machine, from one thread and with as little work of their own as possible.

A client that takes as long as the service would hide half of what a change does to it.
"""

import json
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import Any

from golden_path.service.errors import NoAnswerError

_PATIENCE_SECONDS = 30
_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"


def request(path: str, document: Any) -> bytes:
    """Return the bytes of a POST."""
    body = json.dumps(document).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: baseline\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + _END + body


class Connection:
    """One connection, which is kept for all its requests."""

    def __init__(self, name: str, port: int) -> None:
        """Connect to a port of this machine; the service there is called so in messages."""
        self._name = name
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._got = b""

    def close(self) -> None:
        self.socket.close()

    def ask(self, sent: bytes) -> bytes:
        """Send a request; returns the body of its answer."""
        self.socket.sendall(sent)
        while (body := self.read()) is None:
            pass
        return body

    def read(self) -> bytes | None:
        """Return the body of the answer as soon as all of it is there.

        Raises:
            NoAnswerError: it is no success, or the connection ended.
        """
        try:
            part = self.socket.recv(1 << 20)
        except TimeoutError:
            raise NoAnswerError(f"{self._name} does not answer within {_PATIENCE_SECONDS} seconds") from None
        if not part:
            raise NoAnswerError(f"{self._name} ends a connection instead of answering")
        self._got += part
        head, found, body = self._got.partition(_END)
        if not found:
            return None
        length = int(head.lower().partition(_LENGTH)[2].partition(b"\r")[0])
        if len(body) < length:
            return None
        self._got = b""
        if not head.startswith(b"HTTP/1.1 200 "):
            raise NoAnswerError(f"{self._name} answers {head[9:12].decode()}: {body[:300].decode(errors='replace')}")
        return body


@contextmanager
def connected(name: str, port: int, number: int = 1) -> Iterator[list[Connection]]:
    """Yield so many connections; a service ends one that says nothing at first, so they are for use at once."""
    with ExitStack() as stack:
        yield [stack.enter_context(closing(Connection(name, port))) for _ in range(number)]


def latencies(connection: Connection, requests: Iterator[bytes], number: int) -> list[float]:
    """Return how many seconds each of so many requests took, one after the other."""
    found = []
    for _ in range(number):
        sent = next(requests)
        started = time.perf_counter()
        connection.ask(sent)
        found.append(time.perf_counter() - started)
    return found


def rate(connections: Sequence[Connection], requests: Iterator[bytes], seconds: float) -> float:
    """Return how many requests a second are answered, where each connection sends the next after an answer."""
    answered = 0
    with selectors.DefaultSelector() as waiting:
        started = time.perf_counter()
        for connection in connections:
            waiting.register(connection.socket, selectors.EVENT_READ, connection)
            connection.socket.sendall(next(requests))
        while waiting.get_map():
            # After the patience of all: one that reads then says who does not answer.
            for key, _ in waiting.select(_PATIENCE_SECONDS) or [(next(iter(waiting.get_map().values())), 0)]:
                if key.data.read() is None:
                    continue
                answered += 1
                if time.perf_counter() - started < seconds:
                    key.data.socket.sendall(next(requests))
                else:
                    waiting.unregister(key.fileobj)
        return answered / (time.perf_counter() - started)
