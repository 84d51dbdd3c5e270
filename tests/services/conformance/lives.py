"""Runs that tests of several files look back on, since to start and to stop is what costs most."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.labs.peers import Collector, Peer, item_answer, problem_answer
from tests.labs.service import START_SECONDS, Service
from tests.services.conformance.surface import surface_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


@dataclass(frozen=True)
class Life:
    """What a run showed that has ended.

    Attributes:
        port: on which it listened.
        seconds: from the signal to the end.
        stdout: all of it.
        stderr: all of it.
        log: the lines of standard output.
        starting: what ``/readyz`` answered until it had said 20 times that it is ready; (0, None) for no answer.
        created: the status of the answer to something sent within a trace.
        sent: the ``traceparent`` with which the upstream was then asked; empty where there is none.
        spans: what the collector got, each with the attributes of its resource.
    """

    port: int
    seconds: float
    stdout: str
    stderr: str
    log: list[dict[str, Any]]
    starting: list[tuple[int, object]] = field(default_factory=list)
    created: int = 0
    sent: str = ""
    spans: list[tuple[dict[str, str], Span]] = field(default_factory=list)


def whole_life(start: Callable[..., Service]) -> Life:
    """Start a service, ask ``/readyz`` until it is ready, send something, ask what is not traced, and stop it."""
    with Collector() as collector, Peer(item_answer) as upstream:
        env = {
            "UPSTREAM_URL": upstream.url,
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "SHUTDOWN_DRAIN_SECONDS": "1",
        }
        with start(await_ready=False, **env) as service:
            starting = list(_readiness(service))
            surface = surface_of(service.language)
            created = service.http.post(surface.path, json=surface.referring, headers={"traceparent": TRACEPARENT})
            for path in ("/livez", "/readyz", "/metrics"):
                service.http.get(path)
            service.signal()
            seconds = service.wait(30)
            return Life(
                service.port, seconds, service.stdout, service.stderr, service.log, starting, created.status_code,
                upstream.requests[-1].headers["traceparent"] if surface.upstream else "", collector.spans(),
            )  # fmt: skip


def _readiness(service: Service) -> list[tuple[int, object]]:
    seen: list[tuple[int, object]] = []
    while sum(code == 200 for code, _ in seen) < 20:
        assert time.monotonic() - service.started < START_SECONDS, service.stderr
        try:
            answer = service.http.get("/readyz")
        except httpx.TransportError:
            seen.append((0, None))
            time.sleep(0.02)
            continue
        seen.append((answer.status_code, answer.json()))
    return seen


def quiet_life(start: Callable[..., Service]) -> Life:
    """Start a service that writes errors only, let it succeed and fail, and stop it while connections are idle."""
    with Peer(lambda _: problem_answer(500)) as broken, start(UPSTREAM_URL=broken.url, LOG_LEVEL="error") as service:
        surface = surface_of(service.language)
        service.http.get(surface.ask)
        service.http.post(surface.path, json=surface.referring)  # both leave a kept-alive connection in the pool
        if surface.upstream:
            service.logged(message="request", http_response_status_code=502)
        with socket.create_connection(("127.0.0.1", service.port)):  # and one that never sends anything
            service.signal()
            seconds = service.wait(30)
        return Life(service.port, seconds, service.stdout, service.stderr, service.log)
