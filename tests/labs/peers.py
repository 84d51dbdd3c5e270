"""What stands around a service: an upstream that can misbehave, and a collector that keeps the traces it gets."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class Request:
    """A request that a peer received."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """What a peer answers, after a delay in seconds."""

    status: int = 200
    body: bytes = b"{}"
    content_type: str = "application/json"
    delay: float = 0
    headers: Mapping[str, str] = field(default_factory=dict)


class Peer:
    """An HTTP server on loopback that records what it gets; a context manager.

    Args:
        answer: makes the answer to a request.
    """

    def __init__(self, answer: Callable[[Request], Answer]) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                body = self._body()
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, self.path, headers, body)
                peer.requests.append(request)
                answer = peer.answer(request)
                time.sleep(answer.delay)
                try:
                    self.send_response(answer.status)
                    self.send_header("Content-Type", answer.content_type)
                    self.send_header("Content-Length", str(len(answer.body)))
                    for name, value in answer.headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(answer.body)
                except OSError:
                    self.close_connection = True  # the client gave up, as it should in the tests of time limits

            def _body(self) -> bytes:
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - the names that http.server looks for

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def item_answer(request: Request) -> Answer:
    """Answer as an upstream that has every item."""
    identifier = request.path.rsplit("/", 1)[-1]
    item = {"id": identifier, "name": "upstream item", "quantity": 1, "created_at": "2026-01-01T00:00:00Z"}
    return Answer(body=json.dumps(item).encode())


def problem_answer(status: int) -> Answer:
    """Answer with a problem of this status."""
    body = json.dumps({"type": "about:blank", "title": "x", "status": status, "detail": "x"}).encode()
    return Answer(status, body, "application/problem+json")


class Collector(Peer):
    """An OTLP/HTTP collector that keeps what it gets."""

    def __init__(self) -> None:
        super().__init__(lambda _: Answer(body=b"", content_type="application/x-protobuf"))

    def exports(self) -> list[ExportTraceServiceRequest]:
        """Return the decoded exports; whatever was not sent to ``/v1/traces`` as protobuf is an error."""
        decoded = []
        for request in list(self.requests):
            assert (request.method, request.path) == ("POST", "/v1/traces"), request
            assert request.headers["content-type"] == "application/x-protobuf"
            message = ExportTraceServiceRequest()
            message.ParseFromString(_inflate(request))
            decoded.append(message)
        return decoded

    def spans(self) -> list[tuple[dict[str, str], Span]]:
        """Return every span with the string attributes of its resource."""
        return [
            ({item.key: item.value.string_value for item in resource.resource.attributes}, span)
            for export in self.exports()
            for resource in export.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


def _inflate(request: Request) -> bytes:
    if request.headers.get("content-encoding") == "gzip":
        return gzip.decompress(request.body)
    return request.body
