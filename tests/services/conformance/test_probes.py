"""Health: what a kubelet and a load balancer see."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx

from tests.labs.service import Service


def test_alive_and_ready(service: Service) -> None:
    assert (service.http.get("/livez").status_code, service.http.get("/livez").json()) == (200, {"status": "ok"})
    assert (service.http.get("/readyz").status_code, service.http.get("/readyz").json()) == (200, {"status": "ready"})


def test_starting_comes_before_ready_and_never_after(start: Callable[..., Service]) -> None:
    """Until it is ready, a service refuses connections or says that it is starting; from then on it is ready."""
    with start(await_ready=False) as service:
        seen: list[int] = []
        while len([code for code in seen if code == 200]) < 20:
            assert time.monotonic() - service.started < 90, service.stderr
            try:
                answer = service.http.get("/readyz")
            except httpx.TransportError:
                seen.append(0)
                time.sleep(0.005)
                continue
            seen.append(answer.status_code)
            if answer.status_code == 503:
                assert answer.json() == {"status": "starting"}
        assert set(seen) <= {0, 503, 200}
        assert set(seen[seen.index(200) :]) == {200}
