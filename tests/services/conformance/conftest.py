"""A running service for the tests of docs/reference/service-contract.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.labs.peers import Peer, item_answer
from tests.labs.service import Service
from tests.services.conftest import Built


@pytest.fixture(scope="session")
def start(built: Built) -> Callable[..., Service]:
    """Make a run of the service with variables of the test's own; use it with ``with``."""

    def run(*, await_ready: bool = True, **env: str) -> Service:
        return Service(built.folder, built.language, env, await_ready=await_ready)

    return run


@pytest.fixture(scope="module")
def upstream() -> Iterator[Peer]:
    """An upstream that has every item."""
    with Peer(item_answer) as peer:
        yield peer


@pytest.fixture(scope="module")
def service(start: Callable[..., Service], upstream: Peer) -> Iterator[Service]:
    """One run that the tests of a file share."""
    with start(UPSTREAM_URL=upstream.url) as running:
        yield running
