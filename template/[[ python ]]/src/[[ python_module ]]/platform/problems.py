"""Errors as application/problem+json (RFC 9457)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

# The names of RFC 9110 that Python knows are newer than those the contract uses.
_TITLES = {413: "Payload Too Large", 422: "Unprocessable Entity"}
_DETAILS = {
    404: "There is nothing at this path.",
    405: "The method is not allowed at this path.",
    422: "The request breaks one or more rules.",
    500: "Something unexpected went wrong.",
}
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class FieldError(NamedTuple):
    field: str
    message: str


class Problem(Exception):  # noqa: N818 - it is what RFC 9457 calls it
    """Raise it to answer with an error."""

    def __init__(self, status: int, detail: str = "", errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route says of the errors that it answers; their series are published from the start."""
    return {status: {} for status in statuses}


def problem_response(
    status: int, detail: str = "", errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
) -> JSONResponse:
    title = _TITLES.get(status) or HTTPStatus(status).phrase
    body: dict[str, object] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail or _DETAILS.get(status, f"{title}."),
    }
    if errors:
        body["errors"] = [error._asdict() for error in errors]
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def install_problems(app: FastAPI) -> None:
    @app.exception_handler(Problem)
    async def problem(_: Request, error: Problem) -> JSONResponse:
        return problem_response(error.status, error.detail, error.errors)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        errors = [FieldError(str(one["loc"][-1]), one["msg"]) for one in error.errors()]
        return problem_response(422, errors=errors)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(_allowed(app, request))
        known = error.status_code in _DETAILS
        return problem_response(error.status_code, "" if known else f"{error.detail}", headers=headers)


def _allowed(app: FastAPI, request: Request) -> list[str]:
    # The router names only the methods of the first route with this path.
    scopes = {method: {**request.scope, "method": method} for method in _METHODS}
    return [
        method
        for method, scope in scopes.items()
        if any(route.matches(scope)[0] is Match.FULL for route in app.router.routes)
    ]
