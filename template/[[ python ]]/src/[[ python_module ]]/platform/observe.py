"""The span, the duration and the log line of every request, and the answer to what nobody caught."""

import asyncio
from http import HTTPStatus
from time import perf_counter

import structlog
from opentelemetry.context import attach, detach
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .metrics import NOT_MEASURED, Metrics
from .problems import problem_response
from .tracing import PROPAGATOR, Tracing

_OF_TRACES = frozenset(name.encode() for name in PROPAGATOR.fields)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})

log = structlog.get_logger()


class ObserveRequests:
    def __init__(self, app: ASGIApp, tracing: Tracing, metrics: Metrics) -> None:
        self._app = app
        self._tracer = tracing.tracer
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in NOT_MEASURED:
            await self._app(scope, receive, send)
            return

        status = 0

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        started = perf_counter()
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in _OF_TRACES}
        span = self._tracer.start_span(
            method,
            PROPAGATOR.extract(headers),
            SpanKind.SERVER,
            {"http.request.method": method, "url.path": scope["path"], "url.scheme": scope["scheme"]},
        )
        # Not by the context manager that does the same, which costs as much as the span.
        token = attach(set_span_in_context(span))
        try:
            try:
                await self._app(scope, receive, send_noting_status)
            # Cancelled: the grace period is over. The client gets an answer as long as the connection is there.
            except (Exception, asyncio.CancelledError) as error:
                span.record_exception(error)
                log.error("unexpected error", exc_info=error)
                if not status:
                    await problem_response(500)(scope, receive, send_noting_status)

            # The router left it there. An APIRouter with a prefix of its own knows its whole path.
            route = getattr(scope.get("route"), "path", "unmatched")
            seconds = perf_counter() - started
            self._metrics.observe_request(method, route, status, seconds)
            span.set_attribute("http.response.status_code", status)
            if route != "unmatched":
                span.update_name(f"{method} {route}")
                span.set_attribute("http.route", route)
            failed = status >= HTTPStatus.INTERNAL_SERVER_ERROR
            if failed:
                span.set_status(Status(StatusCode.ERROR))
            (log.error if failed else log.info)(
                "request",
                http_request_method=method,
                http_route=route,
                http_response_status_code=status,
                duration_ms=round(seconds * 1000, 3),
            )
        finally:
            detach(token)
            span.end()
