"""Stops under load: clients that keep their connections alive lose no request."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.labs.built import Built
from tests.labs.clients import Client
from tests.labs.service import Service
from tests.services.conformance.surface import surface_of

pytestmark = pytest.mark.models

CLIENTS = 8
BEFORE = 3  # answers that each client has had before the signal
# While a service drains, its clients learn that it goes: from then on they open no new connection to it.
LEARNED_SECONDS = 0.5


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
