"""Logs: one JSON object a line, the same fields in every language."""

from __future__ import annotations

import datetime as dt
import re
import signal
from collections.abc import Callable

from tests.labs import template as lab
from tests.labs.built import Built
from tests.labs.peers import Peer, problem_answer
from tests.labs.service import Service

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_every_line_of_a_life(start: Callable[..., Service], built: Built) -> None:
    with start(SHUTDOWN_DRAIN_SECONDS="0") as service:
        service.http.post("/v1/items", json={"name": "x", "quantity": 1})
        service.signal()
        service.wait(30)
        lines = service.log
        assert service.stdout.endswith("\n")
        assert service.stderr == ""
    now = dt.datetime.now(dt.UTC)
    for line in lines:
        assert {"timestamp", "level", "message", "service", "version"} <= set(line), line
        assert TIMESTAMP.fullmatch(line["timestamp"]), line
        assert abs(dt.datetime.fromisoformat(line["timestamp"]) - now) < dt.timedelta(minutes=5)
        assert line["level"] in {"debug", "info", "warn", "error"}
        assert (line["service"], line["version"]) == (f"{built.language}-orders", "v1.2.3")
    messages = [line["message"] for line in lines]
    assert [text for text in messages if text in {"started", "request", "draining", "stopped"}] == [
        "started",
        "request",
        "draining",
        "stopped",
    ]
    assert messages[-1] == "stopped"
    started = lines[messages.index("started")]
    assert (started["host"], started["port"]) == ("127.0.0.1", service.port)
    assert started["revision"] == lab.git(built.folder, "rev-parse", "HEAD")
    assert "trace_id" not in started


def test_request_line(start: Callable[..., Service]) -> None:
    with Peer(lambda _: problem_answer(500)) as broken, start(UPSTREAM_URL=broken.url) as service:
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
        created = service.http.post("/v1/items", json={"name": "x", "quantity": 1}, headers=headers)
        line = service.logged(message="request", http_response_status_code=201)
        assert line["trace_id"] == TRACE
        assert re.fullmatch(r"[0-9a-f]{16}", line["span_id"])
        assert line["span_id"] != PARENT
        assert (line["http_request_method"], line["http_route"]) == ("POST", "/v1/items")
        assert isinstance(line["duration_ms"], int | float)
        assert line["level"] == "info"

        service.http.get(created.headers["location"])
        line = service.logged(message="request", http_route="/v1/items/{id}")
        assert re.fullmatch(r"[0-9a-f]{32}", line["trace_id"])
        assert line["trace_id"] not in {TRACE, "0" * 32}

        service.http.get("/nothing")
        assert service.logged(message="request", http_route="unmatched")["http_response_status_code"] == 404

        body = {"name": "x", "quantity": 1, "ref": "0b7cf3a5-5f3b-4c8e-9a64-6f0f3d3f7b11"}
        assert service.http.post("/v1/items", json=body).status_code == 502
        assert service.logged(message="request", http_response_status_code=502)["level"] == "error"

        for path in ("/livez", "/readyz", "/metrics"):
            service.http.get(path)
        service.http.get("/v1/items")
        service.logged(message="request", http_route="/v1/items", http_response_status_code=200)
        assert len([line for line in service.log if line["message"] == "request"]) == 5


def test_level(start: Callable[..., Service]) -> None:
    with Peer(lambda _: problem_answer(500)) as broken, start(UPSTREAM_URL=broken.url, LOG_LEVEL="error") as service:
        service.http.get("/v1/items")
        body = {"name": "x", "quantity": 1, "ref": "0b7cf3a5-5f3b-4c8e-9a64-6f0f3d3f7b11"}
        service.http.post("/v1/items", json=body)
        service.logged(message="request", http_response_status_code=502)
        service.signal(signal.SIGTERM)
        service.wait(30)
        assert {line["level"] for line in service.log} == {"error"}
