"""Many requests at once."""

from __future__ import annotations

import concurrent.futures

from tests.labs.service import Service

REQUESTS, CONNECTIONS = 1000, 50


def test_burst_has_no_error(service: Service) -> None:
    def use(number: int) -> str:
        created = service.http.post("/v1/items", json={"name": f"n{number}", "quantity": number})
        assert created.status_code == 201, created.text
        assert service.http.get(created.headers["location"]).json()["quantity"] == number
        identifier: str = created.json()["id"]
        return identifier

    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        ids = list(pool.map(use, range(REQUESTS)))
    assert len(set(ids)) == REQUESTS
