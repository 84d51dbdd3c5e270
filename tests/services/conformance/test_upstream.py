"""The client of the upstream: time limit, retry, and what becomes of its failures."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.labs.peers import Answer, Peer, Request, item_answer, problem_answer
from tests.labs.service import Service, free_port
from tests.services.conformance.surface import ITEMS, REF


@dataclass
class Pair:
    """A service and its upstream."""

    service: Service
    peer: Peer

    def create(self, answer: Callable[[Request], Answer]) -> tuple[httpx.Response, int]:
        """Create an item that refers to one of an upstream that answers so; also return how often it was asked."""
        self.peer.answer = answer
        before = len(self.peer.requests)
        return create(self.service), len(self.peer.requests) - before


@pytest.fixture
def pair(service: Service, upstream: Peer) -> Pair:
    """With the default number of retries."""
    return Pair(service, upstream)


@pytest.fixture(scope="module")
def limited(start: Callable[..., Service]) -> Iterator[Pair]:
    """With other limits, below a path."""
    env = {"UPSTREAM_TIMEOUT_MS": "400", "UPSTREAM_RETRIES": "1"}
    with Peer(item_answer) as peer, start(UPSTREAM_URL=f"{peer.url}/api/", **env) as service:
        # The first requests of a process take longer, so long that the limit ends before the upstream is asked.
        assert 201 in (create(service).status_code for _ in range(20))
        yield Pair(service, peer)


def create(service: Service) -> httpx.Response:
    return service.http.post(ITEMS.path, json=ITEMS.referring)


def assert_bad_gateway(answer: httpx.Response) -> None:
    assert answer.status_code == 502
    assert answer.headers["content-type"].split(";")[0] == "application/problem+json"
    assert (answer.json()["title"], answer.json()["status"]) == ("Bad Gateway", 502)


def test_unknown_reference(pair: Pair) -> None:
    answer, attempts = pair.create(lambda _: problem_answer(404))
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "ref", "message": "no such item upstream"}]
    assert attempts == 1


def test_path_of_the_base_url_is_kept(limited: Pair) -> None:
    assert {request.path for request in limited.peer.requests} == {f"/api/v1/items/{REF}"}


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_passing_failure_is_retried(pair: Pair, status: int) -> None:
    answers = itertools.chain([status, status], itertools.repeat(200))

    def flaky(request: Request) -> Answer:
        code = next(answers)
        return problem_answer(code) if code != 200 else item_answer(request)

    answer, attempts = pair.create(flaky)
    assert (answer.status_code, attempts) == (201, 3)


@pytest.mark.parametrize(("status", "attempts"), [(500, 1), (400, 1), (301, 1), (503, 3)])
def test_lasting_failure(pair: Pair, status: int, attempts: int) -> None:
    answer, asked = pair.create(lambda _: problem_answer(status))
    assert_bad_gateway(answer)
    assert asked == attempts


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"id": "1"}'])
def test_answer_that_is_no_item(pair: Pair, body: bytes) -> None:
    """The contract names id, name and quantity; an upstream that breaks it is a failed upstream, not a found item."""
    answer, attempts = pair.create(lambda _: Answer(body=body))
    assert_bad_gateway(answer)
    assert attempts == 1


def test_time_limit_of_an_attempt(limited: Pair) -> None:
    began = time.monotonic()
    answer, asked = limited.create(lambda _: Answer(delay=5))
    assert_bad_gateway(answer)
    assert 0.8 <= time.monotonic() - began < 5, "the upstream answers after 5 seconds"
    assert asked == 2


def test_nobody_around_it_listens(start: Callable[..., Service]) -> None:
    """Without its upstream a request fails, without its collector none is delayed."""
    nobody = f"http://127.0.0.1:{free_port()}"
    with start(UPSTREAM_URL=nobody, UPSTREAM_RETRIES="0", OTEL_EXPORTER_OTLP_ENDPOINT=nobody) as service:
        assert_bad_gateway(create(service))
        began = time.monotonic()
        for _ in range(20):
            assert service.http.get("/v1/items").status_code == 200
        assert time.monotonic() - began < 15, "each request waits for the collector"
        service.signal()
        assert service.wait(30) < 6  # at most 2 seconds for the flush, and the runtime's own end
        assert service.log[-1]["message"] == "stopped"
