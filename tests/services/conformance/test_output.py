"""Standard output that nobody reads: it holds up neither the requests nor the stop."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.labs.built import Built
from tests.labs.service import Service
from tests.services.conformance.surface import surface_of

pytestmark = pytest.mark.models

PAGE = 4096
# More lines than wait to be written: about 250 bytes each, up to 1 MiB.
MANY = 6000
AT_ONCE = 50


@contextmanager
def piped(built: Built) -> Iterator[tuple[Service, int]]:
    """Run a service whose output goes into a pipe; also yields the end to read from, closed at the end."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, PAGE)
    try:
        with Service(built.folder, built.language, {"UPSTREAM_RETRIES": "0"}, output=writing) as service:
            os.close(writing)
            yield service, reading
    finally:
        os.close(reading)


def ask(service: Service, times: int) -> None:
    """Ask on a connection of its own, several at once, which costs little; each answer has to come soon."""
    surface = surface_of(service.language)
    request = f"GET {surface.ask} HTTP/1.1\r\nHost: service\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as connection:
        for _ in range(times // AT_ONCE):
            connection.sendall(request * AT_ONCE)
            answers = b""
            while answers.count(surface.tail) < AT_ONCE:
                more = connection.recv(1 << 16)
                assert more, answers
                answers += more
            assert answers.count(b"HTTP/1.1 200") == AT_ONCE


def assert_stops(service: Service) -> None:
    service.signal()
    assert service.wait(30) < 12
    assert service.process.returncode in {0, 143}
    assert service.stderr == ""


def test_a_reader_that_is_gone(built: Built) -> None:
    with piped(built) as (service, reading):
        gone = os.open(os.devnull, os.O_RDONLY)
        os.dup2(gone, reading)  # closes the only end to read from
        os.close(gone)
        ask(service, 50)
        assert_stops(service)


def test_a_reader_that_has_stopped(built: Built) -> None:
    with piped(built) as (service, _):
        ask(service, 200)
        assert service.http.get("/livez", timeout=10).status_code == 200
        assert_stops(service)


def test_lines_that_are_lost_are_counted(built: Built) -> None:
    """The lines that waited, then one that says how many were lost, and later ones, all whole."""
    with piped(built) as (service, reading):
        ask(service, MANY)
        text = bytearray()

        def read() -> None:
            while part := os.read(reading, 1 << 16):
                text.extend(part)

        reader = threading.Thread(target=read)
        reader.start()
        end = time.monotonic() + 30
        while b"log lines were lost" not in text and time.monotonic() < end:
            time.sleep(0.05)
        assert_stops(service)
        reader.join(30)
    lines = [json.loads(line) for line in text.decode().splitlines()]
    lost = [line for line in lines if line["message"] == "log lines were lost"]
    requests = [line for line in lines if line["message"] == "request"]
    assert sum(line["lost"] for line in lost) == MANY - len(requests)
    assert 1000 < len(requests) < MANY
    assert {line["level"] for line in lost} == {"warn"}
    assert [line["message"] for line in lines][-1] == "stopped"


def test_output_is_whole_when_it_is_read_slowly(built: Built) -> None:
    """A pipe that is full for a moment loses nothing."""
    with piped(built) as (service, reading):
        ask(service, 300)
        service.signal()
        text = bytearray()
        while part := os.read(reading, 512):
            text.extend(part)
        service.wait(30)
    messages = [json.loads(line)["message"] for line in text.decode().splitlines()]
    assert messages == ["started", *["request"] * 300, "draining", "stopped"]


def test_output_that_cannot_be_written(built: Built) -> None:
    """As on a full disk: each write fails, which is no request's fault."""
    with (
        Path("/dev/full").open("wb") as full,
        Service(built.folder, built.language, output=full.fileno()) as service,
    ):
        ask(service, 50)
        assert_stops(service)
