"""HTTP on the wire."""

import asyncio
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .problems import problem_response

# What comes before a body: the size of the longest head, and how long one may take from the connection's start, or
# from its own first byte.
HEAD_BYTES = 32 << 10
HEAD_SECONDS = 10


class HttpProtocol(HttpToolsProtocol):
    """What is not HTTP, or has no end, never reaches the application: it is refused here, as all errors are."""

    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None
    _in_body = False
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if not self._in_body:
            self._await_head()
            self._head_bytes += len(data)
        super().data_received(data)
        if not self._in_body and self._head_bytes > HEAD_BYTES and self.parser is not None:
            self._refuse(431, "The head of the request is too long.")

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        self._in_body = True
        length = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if length > HEAD_BYTES:
            self._refuse(431, "The head of the request is too long.")
            raise ValueError  # the parser stops
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_body = False
        self._head_bytes = 0

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - it says the same every time
        self._refuse(400, "The request is not valid HTTP.")

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = asyncio.get_running_loop().call_later(HEAD_SECONDS, self._head_is_late)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()

    def _refuse(self, status: int, detail: str) -> None:
        if self._refused:
            return
        self._refused = True
        response = problem_response(status, detail)
        headers = [*response.raw_headers, (b"connection", b"close")]
        head = b"".join(b"%s: %s\r\n" % header for header in headers)
        self.transport.write(b"HTTP/1.1 %d %s\r\n" % (status, HTTPStatus(status).phrase.encode()) + head + b"\r\n")
        self.transport.write(bytes(response.body))
        self.transport.close()
