"""Logs: one JSON object a line, the same fields in every language."""

from __future__ import annotations

import datetime as dt
import re
import secrets

import pytest

from tests.labs import template as lab
from tests.labs.built import Built
from tests.labs.peers import Peer, problem_answer
from tests.labs.service import Service
from tests.services.conformance.lives import PARENT, TRACE, TRACEPARENT, Life
from tests.services.conformance.surface import surface_of

pytestmark = pytest.mark.models

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_every_line_of_a_life(life: Life, built: Built) -> None:
    assert life.stdout.endswith("\n")
    assert life.stderr == ""
    now = dt.datetime.now(dt.UTC)
    for line in life.log:
        assert {"timestamp", "level", "message", "service", "version"} <= set(line), line
        assert TIMESTAMP.fullmatch(line["timestamp"]), line
        assert abs(dt.datetime.fromisoformat(line["timestamp"]) - now) < dt.timedelta(minutes=5)
        assert line["level"] in {"debug", "info", "warn", "error"}
        assert (line["service"], line["version"]) == (f"{built.language}-orders", "v1.2.3")
    messages = [line["message"] for line in life.log]
    assert [text for text in messages if text in {"started", "request", "draining", "stopped"}] == [
        "started",
        "request",
        "draining",
        "stopped",
    ]
    assert messages[-1] == "stopped"
    started = life.log[messages.index("started")]
    assert (started["host"], started["port"]) == ("127.0.0.1", life.port)
    assert started["revision"] == lab.git(built.folder, "rev-parse", "HEAD")
    assert "trace_id" not in started


def test_request_line(service: Service, upstream: Peer) -> None:
    surface, before = surface_of(service.language), traced(service)
    headers = {"traceparent": TRACEPARENT}
    created = service.http.post(surface.path, json=surface.body, headers=headers)
    line = service.logged(after=before, message="request", http_route=surface.path)
    assert line["http_response_status_code"] == surface.sent
    assert line["trace_id"] == TRACE
    assert re.fullmatch(r"[0-9a-f]{16}", line["span_id"])
    assert line["span_id"] != PARENT
    assert (line["http_request_method"], line["http_route"]) == ("POST", surface.path)
    assert isinstance(line["duration_ms"], int | float)
    assert line["level"] == "info"

    service.http.get(created.headers["location"] if surface.found else "/openapi.json")
    line = service.logged(after=before, message="request", http_route=surface.found or "/openapi.json")
    assert re.fullmatch(r"[0-9a-f]{32}", line["trace_id"])
    assert line["trace_id"] not in {TRACE, "0" * 32}

    service.http.get("/nothing")
    line = service.logged(after=before, message="request", http_route="unmatched")
    assert line["http_response_status_code"] == 404

    if surface.upstream:
        upstream.answer = lambda _: problem_answer(500)
        assert service.http.post(surface.path, json=surface.referring).status_code == 502
        assert service.logged(after=before, message="request", http_response_status_code=502)["level"] == "error"

    for path in ("/livez", "/readyz", "/metrics"):
        service.http.get(path)
    after = traced(service)
    assert len([line for line in service.log[before:after] if line["message"] == "request"]) == 4 + surface.upstream


def traced(service: Service) -> int:
    """Send a request of a trace of its own, and return how many lines are written when its line is there."""
    trace = secrets.token_hex(16)
    surface = surface_of(service.language)
    service.http.get(surface.ask, headers={"traceparent": f"00-{trace}-{PARENT}-01"})
    line = service.logged(message="request", http_route=surface.route, http_response_status_code=200, trace_id=trace)
    return service.log.index(line) + 1


def test_level(quiet: Life, built: Built) -> None:
    """A model has no upstream that could fail: nothing but errors is nothing there."""
    assert {line["level"] for line in quiet.log} == ({"error"} if surface_of(built.language).upstream else set())
