"""A bad variable stops the start with one line and exit code 2."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.labs.service import Service

INTEGER = "must be an integer from {} to {}"
URL = "must be an absolute http or https URL"
LEVEL = "must be one of debug, info, warn, error"


# The image has the same program: one bad value, below, is enough for it.
@pytest.mark.parametrize("start", ["process"], indirect=True)
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("HOST", "localhost", "must be an IP address"),
        ("HOST", "300.1.1.1", "must be an IP address"),
        ("PORT", "0", INTEGER.format(1, 65535)),
        ("PORT", "65536", INTEGER.format(1, 65535)),
        ("PORT", "http", INTEGER.format(1, 65535)),
        ("PORT", "80.5", INTEGER.format(1, 65535)),
        ("LOG_LEVEL", "verbose", LEVEL),
        ("LOG_LEVEL", "INFO", LEVEL),
        ("SHUTDOWN_DRAIN_SECONDS", "-1", INTEGER.format(0, 300)),
        ("SHUTDOWN_GRACE_SECONDS", "0", INTEGER.format(1, 300)),
        ("UPSTREAM_URL", "inventory:8080", URL),
        ("UPSTREAM_URL", "ftp://inventory", URL),
        ("UPSTREAM_URL", "http://", URL),
        ("UPSTREAM_URL", "http://inventory/?a=b", URL),
        ("UPSTREAM_URL", "http://user:secret@inventory", URL),
        ("UPSTREAM_TIMEOUT_MS", "60001", INTEGER.format(1, 60000)),
        ("UPSTREAM_RETRIES", "6", INTEGER.format(0, 5)),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector", URL),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:secret@collector", URL),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector/?tenant=a", URL),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector", URL),
    ],
)
def test_bad_value(start: Callable[..., Service], name: str, value: str, message: str) -> None:
    with start(await_ready=False, **{name: value}) as service:
        service.wait(180)
        assert service.stderr == f"config: {name}: {message}\n"
        assert service.stdout == ""
        assert service.process.returncode == 2


def test_the_first_bad_value_is_named(start: Callable[..., Service]) -> None:
    with start(await_ready=False, UPSTREAM_RETRIES="x", LOG_LEVEL="x") as service:
        service.wait(180)
        assert service.stderr == f"config: LOG_LEVEL: {LEVEL}\n"
        assert service.stdout == ""
        assert service.process.returncode == 2


def test_an_empty_value_counts_as_unset(service: Service) -> None:
    """The shared run was started with empty values."""
    assert service.http.get("/v1/items").status_code == 200
