"""Processes of a real service that stand for the pods of its versions, under load and with faults."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.labs.built import Built
from tests.labs.peers import Answer, Peer, Request, item_answer
from tests.labs.service import Service

REFERENCE = "0b7cf3a5-5f3b-4c8e-9a64-6f0f3d3f7b11"
ITEM = {"name": "x", "quantity": 1, "ref": REFERENCE}


class Answered(NamedTuple):
    """What a caller saw of one request."""

    status: int
    seconds: float


@contextmanager
def load(
    service: Service, rate: float, path: str = "/v1/items", document: Callable[[], object] = lambda: ITEM
) -> Iterator[list[Answered]]:
    """Send requests at a steady rate in the background.

    Args:
        service: where to.
        rate: requests a second.
        path: to send them to.
        document: makes what each of them holds.

    Yields:
        What was answered so far.
    """
    answered: list[Answered] = []
    stop = threading.Event()

    def send() -> None:
        # The plain client: with httpx the load costs more than the service that is under it.
        with closing(HTTPConnection(urlsplit(service.url).netloc, timeout=180)) as connection:
            while not stop.is_set():
                started = time.monotonic()
                connection.request("POST", path, json.dumps(document()), {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                answered.append(Answered(answer.status, time.monotonic() - started))
                stop.wait(max(0.0, 4 / rate - (time.monotonic() - started)))

    threads = [threading.Thread(target=send, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield answered
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=180)


def burst(service: Service, number: int) -> list[int]:
    """Send so many requests at once.

    Returns:
        What was answered.
    """

    def send(_: int) -> int:
        with closing(HTTPConnection(urlsplit(service.url).netloc, timeout=10)) as connection:
            connection.request("POST", "/v1/items", json.dumps(ITEM), {"Content-Type": "application/json"})
            return connection.getresponse().status

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(send, range(number)))


class Versions:
    """Processes of the stable version and of the canary, each with an upstream of its own."""

    def __init__(self, stack: ExitStack, built: Built) -> None:
        self._stack, self._built = stack, built

    def start(self, answer: Callable[[Request], Answer], rate: float) -> tuple[Service, list[Answered]]:
        """Start one under load.

        Args:
            answer: what its upstream does.
            rate: requests a second; 0 for none.

        Returns:
            It, and what it answers.
        """
        peer = self._stack.enter_context(Peer(answer))
        env = {"UPSTREAM_URL": peer.url, "UPSTREAM_RETRIES": "0", "UPSTREAM_TIMEOUT_MS": "5000"}
        service = self._stack.enter_context(Service(self._built.folder, self._built.language, env))
        return service, self._stack.enter_context(load(service, rate)) if rate else []


def every(number: int, answer: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
    """Answer every so many requests as told, the others well."""
    count = itertools.count(1)
    return lambda request: answer(request) if next(count) % number == 0 else item_answer(request)


def slow(request: Request) -> Answer:
    answer = item_answer(request)
    answer.delay = 0.7
    return answer
