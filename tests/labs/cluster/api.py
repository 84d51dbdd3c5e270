"""Reading from the API server over one connection: a kubectl that only looks costs forty times as much CPU."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from http import HTTPStatus
from typing import Any

from tests.labs.cluster import access
from tests.labs.errors import LabError

_TIMEOUT = 60
_of_thread = threading.local()


def _connection() -> http.client.HTTPSConnection:
    if not hasattr(_of_thread, "connection"):
        context = ssl.create_default_context(cafile=str(access.certificate()))
        _of_thread.connection = http.client.HTTPSConnection(
            "127.0.0.1", access.ports()["kube-apiserver"], timeout=_TIMEOUT, context=context
        )
    found: http.client.HTTPSConnection = _of_thread.connection
    return found


def _ask(path: str) -> tuple[int, bytes]:
    headers = {"Authorization": f"Bearer {access.token()}", "Accept": "application/json"}
    for attempt in range(2):
        connection = _connection()
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            # The server closes a connection that was idle, and a lab that was started again has another port.
            connection.close()
            del _of_thread.connection
            if attempt:
                raise
    raise AssertionError("not reached")


def get(path: str) -> dict[str, Any]:
    """Return an object or a list of them.

    Args:
        path: of the request, for example ``/api/v1/namespaces/default/services/orders``.

    Raises:
        LabError: the server has no such thing, or the lab is down.
    """
    try:
        status, body = _ask(path)
    except (OSError, http.client.HTTPException) as error:
        raise LabError(f"the API server does not answer: {error}") from None
    if status != HTTPStatus.OK:
        raise LabError(f"GET {path}: {status} {body.decode(errors='replace')[:500]}")
    found: dict[str, Any] = json.loads(body)
    return found
