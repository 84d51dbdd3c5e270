"""The standard variables of OpenTelemetry: what they set is set, and what an SDK does not know stops no service."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.labs.peers import Answer, Collector, Peer
from tests.labs.service import Service
from tests.services.conformance.lives import TRACE, TRACEPARENT
from tests.services.conformance.surface import surface_of

# Set for a whole cluster, often, and for programs of other languages.
ODD = {
    "OTEL_PROPAGATORS": "tracecontext,baggage,b3,xray",
    "OTEL_TRACES_SAMPLER": "parentbased_jaeger_remote",
    "OTEL_TRACES_SAMPLER_ARG": "abc",
    "OTEL_RESOURCE_ATTRIBUTES": "a=%zz,b",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "soon",
    "OTEL_EXPORTER_OTLP_COMPRESSION": "bogus",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "many",
    "OTEL_BSP_SCHEDULE_DELAY": "abc",
}


# The image has the same program.
pytestmark = [pytest.mark.models, pytest.mark.parametrize("start", ["process"], indirect=True)]


def traced(service: Service) -> None:
    """Send a request of the trace, and let the service end, which sends its span."""
    asked = service.http.get(surface_of(service.language).ask, headers={"traceparent": TRACEPARENT})
    assert asked.status_code == 200
    service.signal()
    service.wait(30)
    assert service.log[-1]["message"] == "stopped"


def test_what_is_not_known_is_ignored(start: Callable[..., Service]) -> None:
    """And only that: the header for the collector is still sent."""
    with Collector() as collector:
        env = {**ODD, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_EXPORTER_OTLP_HEADERS": "x-token=abc"}
        with start(**env) as service:
            traced(service)
    [(resource, span)] = collector.spans()
    assert resource["service.name"].endswith("-orders")
    assert span.trace_id.hex() == TRACE
    assert {request.headers["x-token"] for request in collector.requests} == {"abc"}


@pytest.mark.parametrize("name", ["OTEL_PROPAGATORS", "OTEL_TRACES_SAMPLER", "OTEL_RESOURCE_ATTRIBUTES"])
def test_without_a_collector_too(start: Callable[..., Service], name: str) -> None:
    with start(**{name: ODD[name]}) as service:
        traced(service)


def test_where_the_traces_go_and_as_whose(start: Callable[..., Service]) -> None:
    with Collector() as collector, Peer(lambda _: Answer()) as other:
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": other.url,
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{collector.url}/v1/traces",
            "OTEL_SERVICE_NAME": "orders-eu",
            "OTEL_RESOURCE_ATTRIBUTES": "service.name=less,deployment.environment.name=eu",
        }
        with start(**env) as service:
            traced(service)
    [(resource, _)] = collector.spans()
    assert (resource["service.name"], resource["deployment.environment.name"]) == ("orders-eu", "eu")
    assert resource["service.version"] == "v1.2.3"
    assert other.requests == []


def test_the_endpoint_of_traces_alone(start: Callable[..., Service]) -> None:
    with Collector() as collector:
        env = {
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{collector.url}/v1/traces",
            "OTEL_RESOURCE_ATTRIBUTES": "service.name=orders-eu",
        }
        with start(**env) as service:
            traced(service)
    [(resource, _)] = collector.spans()
    assert resource["service.name"] == "orders-eu"
