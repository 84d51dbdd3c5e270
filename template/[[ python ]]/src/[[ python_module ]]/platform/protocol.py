"""HTTP on the wire."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .problems import problem_response


class HttpProtocol(HttpToolsProtocol):
    """What is not HTTP never reaches the application: it is refused here, in the form that all errors have."""

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - it says the same every time
        response = problem_response(400, "The request is not valid HTTP.")
        headers = [*response.raw_headers, (b"connection", b"close")]
        head = b"".join(b"%s: %s\r\n" % header for header in headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + head + b"\r\n" + bytes(response.body))
        self.transport.close()
