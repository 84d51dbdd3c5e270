"""Traces: W3C trace context in and out, spans to an OTLP collector where there is one."""

import threading

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from .build_info import BuildInfo

PROPAGATOR = TraceContextTextMapPropagator()


class Tracing:
    def __init__(self, build: BuildInfo, otlp_endpoint: str | None) -> None:
        resource = Resource.create({"service.name": build.service, "service.version": build.version})
        if otlp_endpoint:
            self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
            self._export_to(f"{otlp_endpoint}/v1/traces")
        else:
            # Ids are still made, for the logs and for the services that are called; nothing is recorded.
            self._provider = TracerProvider(ParentBased(ALWAYS_OFF), resource, shutdown_on_exit=False)
        self.tracer = self._provider.get_tracer(build.service, build.version)

    def _export_to(self, url: str) -> None:
        # Imported here because it costs start-up time that a service without a collector need not pay.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)))

    def shutdown(self, seconds: float) -> None:
        """Send what is left, for so long at most: a collector that does not answer must not hold up the stop."""
        flush = threading.Thread(target=self._provider.shutdown, daemon=True)
        flush.start()
        flush.join(seconds)
