"""Health: what a kubelet and a load balancer see."""

from __future__ import annotations

import pytest

from tests.labs.service import Service
from tests.services.conformance.lives import Life

pytestmark = pytest.mark.models


def test_alive_and_ready(service: Service) -> None:
    assert (service.http.get("/livez").status_code, service.http.get("/livez").json()) == (200, {"status": "ok"})
    assert (service.http.get("/readyz").status_code, service.http.get("/readyz").json()) == (200, {"status": "ready"})


def test_starting_comes_before_ready_and_never_after(life: Life) -> None:
    """Until it is ready, a service refuses connections or says that it is starting; from then on it is ready."""
    codes = [code for code, _ in life.starting]
    assert set(codes) <= {0, 503, 200}
    assert set(codes[codes.index(200) :]) == {200}
    assert all(body == {"status": "starting"} for code, body in life.starting if code == 503)
