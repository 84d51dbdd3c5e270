"""What every service has: configuration, logs, telemetry, health, errors, start and stop. Managed by the template."""

import os

# Only W3C trace context is spoken here; for a propagator that is not installed, the import of FastAPI fails.
os.environ["OTEL_PROPAGATORS"] = "tracecontext"
