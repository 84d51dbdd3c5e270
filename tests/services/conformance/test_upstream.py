"""The client of the upstream: time limit, retry, and what becomes of its failures."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import httpx
import pytest

from tests.labs.peers import Answer, Peer, Request, item_answer, problem_answer
from tests.labs.service import Service, free_port

REF = "0b7cf3a5-5f3b-4c8e-9a64-6f0f3d3f7b11"


def create(service: Service) -> httpx.Response:
    return service.http.post("/v1/items", json={"name": "x", "quantity": 1, "ref": REF})


def assert_bad_gateway(answer: httpx.Response) -> None:
    assert answer.status_code == 502
    assert answer.headers["content-type"].split(";")[0] == "application/problem+json"
    assert (answer.json()["title"], answer.json()["status"]) == ("Bad Gateway", 502)


def test_unknown_reference(start: Callable[..., Service]) -> None:
    with Peer(lambda _: problem_answer(404)) as peer, start(UPSTREAM_URL=peer.url) as service:
        answer = create(service)
        assert answer.status_code == 422
        assert answer.json()["errors"] == [{"field": "ref", "message": "no such item upstream"}]
        assert len(peer.requests) == 1


def test_path_of_the_base_url_is_kept(start: Callable[..., Service]) -> None:
    with Peer(item_answer) as peer, start(UPSTREAM_URL=f"{peer.url}/api/") as service:
        assert create(service).status_code == 201
        assert peer.requests[0].path == f"/api/v1/items/{REF}"


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_passing_failure_is_retried(start: Callable[..., Service], status: int) -> None:
    answers = itertools.chain([status, status], itertools.repeat(200))

    def flaky(request: Request) -> Answer:
        code = next(answers)
        return problem_answer(code) if code != 200 else item_answer(request)

    with Peer(flaky) as peer, start(UPSTREAM_URL=peer.url) as service:
        assert create(service).status_code == 201
        assert len(peer.requests) == 3


@pytest.mark.parametrize(("status", "attempts"), [(500, 1), (400, 1), (301, 1), (503, 3)])
def test_lasting_failure(start: Callable[..., Service], status: int, attempts: int) -> None:
    with Peer(lambda _: problem_answer(status)) as peer, start(UPSTREAM_URL=peer.url) as service:
        assert_bad_gateway(create(service))
        assert len(peer.requests) == attempts


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"id": "1"}'])
def test_answer_that_is_no_item(start: Callable[..., Service], body: bytes) -> None:
    """The contract names id, name and quantity; an upstream that breaks it is a failed upstream, not a found item."""
    with Peer(lambda _: Answer(body=body)) as peer, start(UPSTREAM_URL=peer.url) as service:
        assert_bad_gateway(create(service))
        assert len(peer.requests) == 1


def test_time_limit_of_an_attempt(start: Callable[..., Service]) -> None:
    env = {"UPSTREAM_TIMEOUT_MS": "200", "UPSTREAM_RETRIES": "1"}
    with Peer(lambda _: Answer(delay=5)) as peer, start(UPSTREAM_URL=peer.url, **env) as service:
        began = time.monotonic()
        assert_bad_gateway(create(service))
        assert 0.4 <= time.monotonic() - began < 3
        assert len(peer.requests) == 2


def test_nobody_listens(start: Callable[..., Service]) -> None:
    with start(UPSTREAM_URL=f"http://127.0.0.1:{free_port()}", UPSTREAM_RETRIES="0") as service:
        assert_bad_gateway(create(service))
