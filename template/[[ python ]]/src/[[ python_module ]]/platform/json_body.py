"""The JSON document in a request, before anything is known about what it must hold."""

from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic_core import from_json
from starlette.requests import ClientDisconnect

from .problems import Problem

LIMIT = 65536


async def read_json(request: Request) -> Any:
    """Return the document; raises Problem where there is none, or one that is too long."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem(415, "The Content-Type must be application/json.")
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LIMIT:
                raise Problem(413, f"The body must not be longer than {LIMIT} bytes.")
    except ClientDisconnect:
        raise Problem(400, "The body ended early.") from None
    try:
        return from_json(bytes(body), allow_inf_nan=False)
    except ValueError:
        raise Problem(400, "The body is not JSON.") from None


JsonBody = Annotated[Any, Depends(read_json)]
