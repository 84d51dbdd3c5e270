"""A bad variable stops the start with one line and exit code 2."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.labs.service import Service
from tests.services.conformance.surface import surface_of

INTEGER = "must be an integer from {} to {}"
URL = "must be an absolute http or https URL"
LEVEL = "must be one of debug, info, warn, error"


# The image has the same program: one bad value, below, is enough for it.
@pytest.mark.models
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
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector", URL),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:secret@collector", URL),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector/?tenant=a", URL),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "collector", URL),
    ],
)
def test_bad_value(start: Callable[..., Service], name: str, value: str, message: str) -> None:
    assert_refused(start, name, message, **{name: value})


@pytest.mark.parametrize("start", ["process"], indirect=True)
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("UPSTREAM_URL", "inventory:8080", URL),
        ("UPSTREAM_URL", "ftp://inventory", URL),
        ("UPSTREAM_URL", "http://", URL),
        ("UPSTREAM_URL", "http://inventory/?a=b", URL),
        ("UPSTREAM_URL", "http://user:secret@inventory", URL),
        ("UPSTREAM_TIMEOUT_MS", "60001", INTEGER.format(1, 60000)),
        ("UPSTREAM_RETRIES", "6", INTEGER.format(0, 5)),
    ],
)
def test_bad_value_of_the_upstream(start: Callable[..., Service], name: str, value: str, message: str) -> None:
    assert_refused(start, name, message, **{name: value})


def assert_refused(start: Callable[..., Service], name: str, message: str, **env: str) -> None:
    with start(await_ready=False, **env) as service:
        service.wait(180)
        assert service.stderr == f"config: {name}: {message}\n"
        assert service.stdout == ""
        assert service.process.returncode == 2


@pytest.mark.models
def test_the_first_bad_value_is_named(start: Callable[..., Service]) -> None:
    bad = dict.fromkeys(("OTEL_EXPORTER_OTLP_ENDPOINT", "SHUTDOWN_GRACE_SECONDS", "LOG_LEVEL"), "x")
    assert_refused(start, "LOG_LEVEL", LEVEL, **bad)


@pytest.mark.models
def test_an_empty_value_counts_as_unset(service: Service) -> None:
    """The shared run was started with empty values."""
    assert service.http.get(surface_of(service.language).ask).status_code == 200
