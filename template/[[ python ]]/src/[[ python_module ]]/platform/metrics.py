"""Metrics in Prometheus' text format."""

from collections.abc import Sequence
from http import HTTPStatus

import prometheus_client
from fastapi import FastAPI, Response
from fastapi.routing import APIRoute, iter_route_contexts
from prometheus_client import CollectorRegistry, Gauge, Histogram, ProcessCollector
from starlette.routing import BaseRoute

from .build_info import BuildInfo

# Nor traced, nor logged as requests.
NOT_MEASURED = frozenset({"/livez", "/readyz", "/metrics"})
_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# The objectives of the service are measured with these buckets: the same ones in every service.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)


class Metrics:
    def __init__(self, build: BuildInfo) -> None:
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        Gauge("build_info", "What is running.", ("service", "version", "revision"), registry=self.registry).labels(
            build.service, build.version, build.revision
        ).set(1)
        self._duration = Histogram(
            "http_server_request_duration_seconds",
            "Duration of HTTP server requests.",
            ("http_request_method", "http_route", "http_response_status_code"),
            buckets=_BUCKETS,
            registry=self.registry,
        )

    def announce(self, routes: Sequence[BaseRoute]) -> None:
        """Publish the series of what each route answers, and of 500, at 0.

        Of a series that begins with its first errors, Prometheus would not see these.
        """
        for context in iter_route_contexts(routes):
            route = context.original_route
            if isinstance(route, APIRoute) and route.path not in NOT_MEASURED:
                statuses = {route.status_code or HTTPStatus.OK, *route.responses, HTTPStatus.INTERNAL_SERVER_ERROR}
                for method in route.methods or ():
                    for status in statuses:
                        self._duration.labels(method, route.path, str(int(status)))

    def observe_request(self, method: str, route: str, status: int, seconds: float) -> None:
        self._duration.labels(method, route, str(status)).observe(seconds)


def install_metrics(app: FastAPI, metrics: Metrics) -> None:
    @app.get("/metrics")
    async def expose() -> Response:
        return Response(prometheus_client.generate_latest(metrics.registry), media_type=_CONTENT_TYPE)
