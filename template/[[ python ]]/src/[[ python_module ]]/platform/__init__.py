"""What every service has: configuration, logs, telemetry, health, errors, start and stop. Managed by the template."""
