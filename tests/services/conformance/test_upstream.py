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

REF = "0b7cf3a5-5f3b-4c8e-9a64-6f0f3d3f7b11"


@dataclass
class Pair:
    """A service with the default limits, and its upstream."""

    service: Service
    peer: Peer

    def create(self, answer: Callable[[Request], Answer]) -> tuple[httpx.Response, int]:
        """Create an item that refers to one of an upstream that answers so; also return how often it was asked."""
        self.peer.answer = answer
        before = len(self.peer.requests)
        return create(self.service), len(self.peer.requests) - before


@pytest.fixture(scope="module")
def pair(start: Callable[..., Service]) -> Iterator[Pair]:
    with Peer(item_answer) as peer, start(UPSTREAM_URL=peer.url) as service:
        yield Pair(service, peer)


def create(service: Service) -> httpx.Response:
    return service.http.post("/v1/items", json={"name": "x", "quantity": 1, "ref": REF})


def assert_bad_gateway(answer: httpx.Response) -> None:
    assert answer.status_code == 502
    assert answer.headers["content-type"].split(";")[0] == "application/problem+json"
    assert (answer.json()["title"], answer.json()["status"]) == ("Bad Gateway", 502)


def test_unknown_reference(pair: Pair) -> None:
    answer, attempts = pair.create(lambda _: problem_answer(404))
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "ref", "message": "no such item upstream"}]
    assert attempts == 1


def test_path_of_the_base_url_is_kept(start: Callable[..., Service]) -> None:
    with Peer(item_answer) as peer, start(UPSTREAM_URL=f"{peer.url}/api/") as service:
        assert create(service).status_code == 201
        assert peer.requests[0].path == f"/api/v1/items/{REF}"


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


def test_time_limit_of_an_attempt(start: Callable[..., Service]) -> None:
    env = {"UPSTREAM_TIMEOUT_MS": "400", "UPSTREAM_RETRIES": "1"}
    with Peer(item_answer) as peer, start(UPSTREAM_URL=peer.url, **env) as service:
        # The first requests of a process take longer, so long that the limit ends before the upstream is asked.
        assert 201 in (create(service).status_code for _ in range(20))
        before = len(peer.requests)
        peer.answer = lambda _: Answer(delay=5)
        began = time.monotonic()
        assert_bad_gateway(create(service))
        assert 0.8 <= time.monotonic() - began < 5, "the upstream answers after 5 seconds"
        assert len(peer.requests) - before == 2


def test_nobody_listens(start: Callable[..., Service]) -> None:
    with start(UPSTREAM_URL=f"http://127.0.0.1:{free_port()}", UPSTREAM_RETRIES="0") as service:
        assert_bad_gateway(create(service))
