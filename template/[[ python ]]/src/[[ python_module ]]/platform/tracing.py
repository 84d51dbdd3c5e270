"""Traces: W3C trace context in and out, spans to an OTLP collector where there is one."""

import os
import threading
from typing import TYPE_CHECKING

import structlog
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from .build_info import BuildInfo

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

PROPAGATOR = TraceContextTextMapPropagator()

log = structlog.get_logger()


class Tracing:
    def __init__(self, build: BuildInfo, endpoint: str | None) -> None:
        self._provider = _tolerant_provider(build, endpoint)
        self.tracer = self._provider.get_tracer(build.service, build.version)

    def shutdown(self, seconds: float) -> None:
        """Send what is left, for so long at most: a collector that does not answer must not hold up the stop."""
        flush = threading.Thread(target=self._provider.shutdown, daemon=True)
        flush.start()
        flush.join(seconds)


def _tolerant_provider(build: BuildInfo, endpoint: str | None) -> "TracerProvider":
    """A provider as the OTEL_* variables say; those for which the SDK raises are named in a warning, and removed.

    They are often set for a whole cluster, and for other languages too: they must not stop a service.
    """
    try:
        return _new_provider(build, endpoint)
    except Exception:  # noqa: BLE001 - whatever the SDK makes of a bad value
        variables = {name: os.environ.pop(name) for name in sorted(os.environ) if name.startswith("OTEL_")}
    provider = _new_provider(build, endpoint)
    for name, value in variables.items():
        os.environ[name] = value
        try:
            with_it = _new_provider(build, endpoint)
        except Exception as error:  # noqa: BLE001 - as above
            del os.environ[name]
            log.warning("telemetry: a variable is ignored", variable=name, error=str(error))
        else:
            provider.shutdown()
            provider = with_it
    return provider


def _new_provider(build: BuildInfo, endpoint: str | None) -> "TracerProvider":
    # Imported here, since already the import raises for some variables.
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased  # noqa: PLC0415

    ours = Resource({"service.name": build.service, "service.version": build.version})
    # Merged again, since the SDK prefers what it is given to what the environment says.
    resource = Resource.create().merge(ours).merge(OTELResourceDetector().detect())
    if endpoint is None:
        # Ids are still made, for the logs and for the services that are called; nothing is recorded.
        return TracerProvider(ParentBased(ALWAYS_OFF), resource, shutdown_on_exit=False)
    # And this only here because it costs start-up time that a service without a collector need not pay.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    return provider
