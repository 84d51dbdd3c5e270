"""The graceful stop: no request is lost, and the process ends within its grace period."""

from __future__ import annotations

import concurrent.futures
import signal
import time
from collections.abc import Callable

import httpx
import pytest

from tests.labs.peers import Answer, Peer, Request, item_answer
from tests.labs.service import NO_TLS, Service
from tests.services.conformance.lives import Life
from tests.services.conformance.surface import ITEMS, surface_of


def slow(seconds: float) -> Peer:
    def answer(request: Request) -> Answer:
        good = item_answer(request)
        good.delay = seconds
        return good

    return Peer(answer)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_request_in_flight_survives(start: Callable[..., Service], number: signal.Signals) -> None:
    with slow(2) as upstream, start(UPSTREAM_URL=upstream.url, UPSTREAM_TIMEOUT_MS="10000") as service:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            answer = pool.submit(service.http.post, ITEMS.path, json=ITEMS.referring)
            while not upstream.requests:
                time.sleep(0.01)
            service.signal(number)
            assert answer.result(timeout=180).status_code == 201
            assert answer.result().headers["connection"] == "close"
        assert service.wait(10) < 5
        assert [line["message"] for line in service.log][-1] == "stopped"
        assert service.process.returncode in {0, 128 + number}


@pytest.mark.models
def test_draining_ends_by_itself(life: Life) -> None:
    """It takes as long as is asked for, here a second, and what was in the middle of nothing does not hold it up."""
    assert 0.8 < life.seconds < 15


@pytest.mark.models
def test_draining_still_serves_and_a_second_signal_ends_it(start: Callable[..., Service]) -> None:
    with start(SHUTDOWN_DRAIN_SECONDS="60") as service:
        surface = surface_of(service.language)
        service.signal()
        service.logged(message="draining")
        answer = service.http.get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"status": "draining"})
        assert answer.headers["connection"] == "close"
        # New connections, as a load balancer that has not noticed yet would open, for longer than a stop takes.
        for _ in range(5):
            time.sleep(0.2)
            with httpx.Client(base_url=service.url, trust_env=False, verify=NO_TLS) as fresh:
                assert fresh.get("/livez").status_code == 200
                created = fresh.post(surface.path, json=surface.body)
                assert (created.status_code, created.headers["connection"]) == (surface.sent, "close")
                for path in ("/nothing", created.headers.get("location", surface.route)):
                    assert fresh.delete(path).headers["connection"] == "close"
        assert service.process.poll() is None
        service.signal()
        assert service.wait(30) < 20  # it would drain for 60
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{service.url}/livez", trust_env=False)


@pytest.mark.models
def test_idle_connection_does_not_hold_it_up(quiet: Life) -> None:
    assert quiet.seconds < 12  # the grace period is 20


def test_grace_period_is_a_limit(start: Callable[..., Service]) -> None:
    env = {"UPSTREAM_TIMEOUT_MS": "30000", "UPSTREAM_RETRIES": "0", "SHUTDOWN_GRACE_SECONDS": "1"}
    with (
        slow(25) as upstream,
        start(UPSTREAM_URL=upstream.url, **env) as service,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        answer = pool.submit(service.http.post, ITEMS.path, json=ITEMS.referring)
        while not upstream.requests:
            time.sleep(0.01)
        service.signal()
        assert 0.8 < service.wait(20) < 8
        # Cut off, or told so with a 5xx: what may not happen is that it seems to have worked.
        with pytest.raises(httpx.HTTPError):
            answer.result(timeout=180).raise_for_status()
