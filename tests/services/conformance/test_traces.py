"""Traces over OTLP, and what happens without a collector."""

from __future__ import annotations

import time
from collections.abc import Callable

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.labs.built import Built
from tests.labs.peers import Collector, Peer, item_answer
from tests.labs.service import Service, free_port

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
BODY = {"name": "x", "quantity": 1, "ref": "0b7cf3a5-5f3b-4c8e-9a64-6f0f3d3f7b11"}


def sampled(flags: str) -> bool:
    """The one bit of the flags that matters here; bit 2 (a random trace id) is set by some SDKs only."""
    return bool(int(flags, 16) & 1)


def test_spans_reach_the_collector(start: Callable[..., Service], built: Built) -> None:
    with (
        Collector() as collector,
        Peer(item_answer) as upstream,
        start(UPSTREAM_URL=upstream.url, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url) as service,
    ):
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
        assert service.http.post("/v1/items", json=BODY, headers=headers).status_code == 201
        for path in ("/livez", "/readyz", "/metrics"):
            service.http.get(path)
        _, trace, span, flags = upstream.requests[-1].headers["traceparent"].split("-")
        service.signal()
        service.wait(30)
        spans = collector.spans()
    for resource, _ in spans:
        assert resource["service.name"] == f"{built.language}-orders"
        assert resource["service.version"] == "v1.2.3"
    by_kind = {span.kind: span for _, span in spans}
    assert set(by_kind) >= {Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT}
    assert len([span for _, span in spans if span.kind == Span.SPAN_KIND_SERVER]) == 1
    server, client = by_kind[Span.SPAN_KIND_SERVER], by_kind[Span.SPAN_KIND_CLIENT]
    assert server.name == "POST /v1/items"
    assert (server.trace_id.hex(), server.parent_span_id.hex()) == (TRACE, PARENT)
    assert client.trace_id.hex() == TRACE
    assert (trace, span, sampled(flags)) == (TRACE, client.span_id.hex(), True)


def test_trace_is_passed_on_without_a_collector(start: Callable[..., Service]) -> None:
    with Peer(item_answer) as upstream, start(UPSTREAM_URL=upstream.url) as service:
        service.http.post("/v1/items", json=BODY, headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
        version, trace, span, flags = upstream.requests[-1].headers["traceparent"].split("-")
        assert (version, trace, sampled(flags)) == ("00", TRACE, True)
        assert span != PARENT

        service.http.post("/v1/items", json=BODY)
        _, trace, _, flags = upstream.requests[-1].headers["traceparent"].split("-")
        assert trace != TRACE
        assert not sampled(flags)
        assert service.logged(message="request", trace_id=trace)


def test_malformed_parent_is_ignored(start: Callable[..., Service]) -> None:
    with Peer(item_answer) as upstream, start(UPSTREAM_URL=upstream.url) as service:
        answer = service.http.post("/v1/items", json=BODY, headers={"traceparent": "00-xyz-1-01"})
        assert answer.status_code == 201
        assert len(upstream.requests[-1].headers["traceparent"].split("-")[1]) == 32


def test_unreachable_collector_delays_nothing(start: Callable[..., Service]) -> None:
    with start(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{free_port()}") as service:
        began = time.monotonic()
        for _ in range(20):
            assert service.http.get("/v1/items").status_code == 200
        assert time.monotonic() - began < 15, "each request waits for the collector"
        service.signal()
        assert service.wait(30) < 6  # at most 2 seconds for the flush, and the runtime's own end
        assert service.log[-1]["message"] == "stopped"
