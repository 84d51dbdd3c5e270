"""A running service for the tests of docs/reference/service-contract.md: as `make run` does, and from its image."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.labs.built import Built, Image
from tests.labs.container import Container
from tests.labs.peers import Peer, item_answer
from tests.labs.service import Service
from tests.services.conformance.lives import Life, quiet_life, whole_life


@pytest.fixture(scope="session", params=["process", pytest.param("image", marks=pytest.mark.images)])
def start(built: Built, request: pytest.FixtureRequest) -> Callable[..., Service]:
    """Make a run of the service with variables of the test's own; use it with ``with``."""
    image: Image | None = request.getfixturevalue("image") if request.param == "image" else None

    def run(*, await_ready: bool = True, **env: str) -> Service:
        if image is None:
            return Service(built.folder, built.language, env, await_ready=await_ready)
        return Container(
            built.folder, built.language, env, await_ready=await_ready, image=image.name, docker_env=image.env
        )

    return run


@pytest.fixture(scope="package")
def peer() -> Iterator[Peer]:
    """The upstream of the run that the tests share."""
    with Peer(item_answer) as peer:
        yield peer


@pytest.fixture
def upstream(peer: Peer) -> Iterator[Peer]:
    """An upstream that has every item, unless the test lets it answer something else."""
    yield peer
    peer.answer = item_answer


@pytest.fixture(scope="package")
def service(start: Callable[..., Service], peer: Peer) -> Iterator[Service]:
    """One run that the tests share: a test leaves it running, and reads only what it did itself."""
    empty = dict.fromkeys(("LOG_LEVEL", "UPSTREAM_RETRIES", "OTEL_EXPORTER_OTLP_ENDPOINT"), "")
    # On a busy machine an answer of the peer can take longer than the default of a second.
    with start(UPSTREAM_URL=peer.url, UPSTREAM_TIMEOUT_MS="30000", **empty) as running:
        yield running


@pytest.fixture(scope="package")
def life(start: Callable[..., Service]) -> Life:
    """What a run showed from its start to its end, with a collector for its traces."""
    return whole_life(start)


@pytest.fixture(scope="package")
def quiet(start: Callable[..., Service]) -> Life:
    """What a run showed that writes errors only and is left with idle connections when it stops."""
    return quiet_life(start)
