"""A running service for the tests of docs/reference/service-contract.md: as `make run` does, and from its image."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.labs.built import Built, Image
from tests.labs.container import Container
from tests.labs.peers import Peer, item_answer
from tests.labs.service import Service


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
