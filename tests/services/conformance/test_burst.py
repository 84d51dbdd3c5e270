"""Many requests at once."""

from __future__ import annotations

import concurrent.futures

import httpx
import pytest

from tests.labs.service import NO_TLS, Service
from tests.services.conformance.surface import surface_of

pytestmark = pytest.mark.models

REQUESTS, CONNECTIONS = 1000, 50


def test_burst_has_no_error(service: Service) -> None:
    surface = surface_of(service.language)

    def use(http: httpx.Client, number: int) -> str:
        own = {"quantity": number} if surface.found else {}
        created = http.post(surface.path, json={**surface.body, **own})
        assert created.status_code == surface.sent, created.text
        if not surface.found:
            return str(number)
        assert http.get(created.headers["location"]).json()["quantity"] == number
        identifier: str = created.json()["id"]
        return identifier

    def work(first: int) -> list[str]:
        # A client of its own: one that threads share was seen to close a connection that another thread reads from.
        with httpx.Client(base_url=service.url, timeout=120, trust_env=False, verify=NO_TLS) as http:
            return [use(http, number) for number in range(first, REQUESTS, CONNECTIONS)]

    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        ids = [identifier for done in pool.map(work, range(CONNECTIONS)) for identifier in done]
    assert len(set(ids)) == REQUESTS
