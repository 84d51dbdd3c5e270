"""Traces over OTLP, and what happens without a collector."""

from __future__ import annotations

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.labs.built import Built
from tests.labs.peers import Peer
from tests.labs.service import Service
from tests.services.conformance.lives import PARENT, TRACE, TRACEPARENT, Life
from tests.services.conformance.surface import ITEMS, surface_of


def sampled(flags: str) -> bool:
    """The one bit of the flags that matters here; bit 2 (a random trace id) is set by some SDKs only."""
    return bool(int(flags, 16) & 1)


@pytest.mark.models
def test_spans_reach_the_collector(life: Life, built: Built) -> None:
    surface = surface_of(built.language)
    assert life.created == surface.sent
    for resource, _ in life.spans:
        assert resource["service.name"] == f"{built.language}-orders"
        assert resource["service.version"] == "v1.2.3"
    by_kind = {span.kind: span for _, span in life.spans}
    assert len([span for _, span in life.spans if span.kind == Span.SPAN_KIND_SERVER]) == 1
    server = by_kind[Span.SPAN_KIND_SERVER]
    assert server.name == f"POST {surface.path}"
    assert (server.trace_id.hex(), server.parent_span_id.hex()) == (TRACE, PARENT)
    if not surface.upstream:
        assert set(by_kind) == {Span.SPAN_KIND_SERVER}
        return
    client = by_kind[Span.SPAN_KIND_CLIENT]
    assert client.trace_id.hex() == TRACE
    _, trace, span, flags = life.sent.split("-")
    assert (trace, span, sampled(flags)) == (TRACE, client.span_id.hex(), True)


def test_trace_is_passed_on_without_a_collector(service: Service, upstream: Peer) -> None:
    service.http.post(ITEMS.path, json=ITEMS.referring, headers={"traceparent": TRACEPARENT})
    version, trace, span, flags = upstream.requests[-1].headers["traceparent"].split("-")
    assert (version, trace, sampled(flags)) == ("00", TRACE, True)
    assert span != PARENT

    service.http.post(ITEMS.path, json=ITEMS.referring)
    _, trace, _, flags = upstream.requests[-1].headers["traceparent"].split("-")
    assert trace != TRACE
    assert not sampled(flags)
    assert service.logged(message="request", trace_id=trace)


def test_malformed_parent_is_ignored(service: Service, upstream: Peer) -> None:
    answer = service.http.post(ITEMS.path, json=ITEMS.referring, headers={"traceparent": "00-xyz-1-01"})
    assert answer.status_code == 201
    assert len(upstream.requests[-1].headers["traceparent"].split("-")[1]) == 32
