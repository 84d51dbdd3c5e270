"""The example API and its errors."""

from __future__ import annotations

import datetime as dt
import json
import re
import secrets
import socket
import uuid
from collections.abc import Iterator

import httpx
import pytest

from tests.labs.peers import Peer
from tests.labs.service import Service
from tests.services.conformance.lives import PARENT

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
NAME = {"field": "name", "message": "must be a string of 1 to 100 characters"}
QUANTITY = {"field": "quantity", "message": "must be an integer from 0 to 1000000"}
REF = {"field": "ref", "message": "must be a UUID"}
LIMIT = {"field": "limit", "message": "must be an integer from 1 to 100"}
AFTER = {"field": "after", "message": "no such item"}
GOOD = {"name": "bolt", "quantity": 3}
TITLES = {
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Payload Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Entity",
}


def test_create_get_delete(service: Service) -> None:
    before = dt.datetime.now(dt.UTC)
    created = service.http.post("/v1/items", json={"name": "Schraube ß 🔩", "quantity": 1_000_000})
    assert created.status_code == 201
    item = created.json()
    assert set(item) == {"id", "name", "quantity", "ref", "created_at"}
    assert UUID4.fullmatch(item["id"])
    assert (item["name"], item["quantity"], item["ref"]) == ("Schraube ß 🔩", 1_000_000, None)
    assert item["created_at"].endswith("Z")
    assert abs(dt.datetime.fromisoformat(item["created_at"]) - before) < dt.timedelta(seconds=10)
    assert created.headers["location"] == f"/v1/items/{item['id']}"
    assert created.headers["content-type"].startswith("application/json")

    found = service.http.get(created.headers["location"])
    assert (found.status_code, found.json()) == (200, item)
    assert service.http.delete(created.headers["location"]).status_code == 204
    assert service.http.get(created.headers["location"]).status_code == 404
    assert service.http.delete(created.headers["location"]).status_code == 404


def test_list_pages_in_order_of_creation(service: Service) -> None:
    for page in iter(lambda: service.http.get("/v1/items").json()["items"], []):
        for item in page:
            service.http.delete(f"/v1/items/{item['id']}")
    assert service.http.get("/v1/items").json() == {"items": [], "next": None}
    ids = [service.http.post("/v1/items", json={"name": f"n{i}", "quantity": i}).json()["id"] for i in range(21)]

    first = service.http.get("/v1/items").json()
    assert [item["id"] for item in first["items"]] == ids[:20]
    rest = service.http.get("/v1/items", params={"after": first["next"]}).json()
    assert [item["id"] for item in rest["items"]] == ids[20:]
    assert rest["next"] is None
    pages, after = [], None
    while True:
        page = service.http.get("/v1/items", params={"limit": 7} | ({"after": after} if after else {})).json()
        pages.append([item["id"] for item in page["items"]])
        after = page["next"]
        if after is None:
            break
    assert pages == [ids[:7], ids[7:14], ids[14:]]


def test_reference_to_the_upstream(service: Service, upstream: Peer) -> None:
    ref = str(uuid.uuid4())
    created = service.http.post("/v1/items", json={**GOOD, "ref": ref})
    assert (created.status_code, created.json()["ref"]) == (201, ref)
    assert upstream.requests[-1].path == f"/v1/items/{ref}"
    assert service.http.post("/v1/items", json={**GOOD, "ref": None}).json()["ref"] is None


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, [NAME, QUANTITY]),
        ({"name": "", "quantity": 1}, [NAME]),
        ({"name": "x" * 101, "quantity": 1}, [NAME]),
        ({"name": "🔩" * 101, "quantity": 1}, [NAME]),
        ({"name": 5, "quantity": 1}, [NAME]),
        ({"name": None, "quantity": 1}, [NAME]),
        ({"name": "x", "quantity": -1}, [QUANTITY]),
        ({"name": "x", "quantity": 1_000_001}, [QUANTITY]),
        ({"name": "x", "quantity": 10**30}, [QUANTITY]),
        ({"name": "x", "quantity": 1.5}, [QUANTITY]),
        ({"name": "x", "quantity": "1"}, [QUANTITY]),
        ({"name": "x", "quantity": True}, [QUANTITY]),
        ({"name": "x", "quantity": None}, [QUANTITY]),
        ({**GOOD, "ref": "no"}, [REF]),
        ({**GOOD, "ref": 7}, [REF]),
        ({**GOOD, "colour": "red"}, [{"field": "colour", "message": "is not allowed"}]),
        ([], [{"field": "body", "message": "must be an object"}]),
        ("text", [{"field": "body", "message": "must be an object"}]),
        (None, [{"field": "body", "message": "must be an object"}]),
    ],
    ids=repr,
)
def test_body_that_breaks_a_rule(service: Service, body: object, errors: list[dict[str, str]]) -> None:
    answer = service.http.post("/v1/items", content=_json(body), headers={"Content-Type": "application/json"})
    _assert_problem(answer, 422)
    assert sorted(answer.json()["errors"], key=lambda error: error["field"]) == errors


def test_accepts_the_edges(service: Service) -> None:
    for body in ({"name": "x", "quantity": 0}, {"name": "🔩" * 100, "quantity": 1_000_000}):
        assert service.http.post("/v1/items", json=body).status_code == 201
    answer = service.http.post(
        "/v1/items", content=_json(GOOD), headers={"Content-Type": "Application/JSON; charset=utf-8"}
    )
    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("limit=0", LIMIT),
        ("limit=101", LIMIT),
        ("limit=x", LIMIT),
        ("limit=", LIMIT),
        ("limit=1.5", LIMIT),
        ("after=no", AFTER),
        ("after=0b7cf3a5-5f3b-4c8e-9a64-6f0f3d3f7b11", AFTER),
    ],
)
def test_bad_query(service: Service, query: str, error: dict[str, str]) -> None:
    answer = service.http.get(f"/v1/items?{query}")
    _assert_problem(answer, 422)
    assert answer.json()["errors"] == [error]


@pytest.mark.parametrize("query", ["=x", "%", "name=caf%E9", "q=100%", "limit=%zz", "limit=%ff", "&&", "=", "a;b=%"])
@pytest.mark.parametrize("path", ["/v1/items", "/v1/items/0b7cf3a5-5f3b-4c8e-9a64-6f0f3d3f7b11", "/livez"])
def test_query_that_cannot_be_decoded_is_the_clients_fault(service: Service, path: str, query: str) -> None:
    """Its own path answers, with the fault or without; raw, since a client of HTTP would escape it."""
    trace = secrets.token_hex(16)
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as connection:
        headers = f"Host: service\r\ntraceparent: 00-{trace}-{PARENT}-01\r\nConnection: close"
        connection.sendall(f"GET {path}?{query} HTTP/1.1\r\n{headers}\r\n\r\n".encode())
        head = connection.makefile("rb").readline().split()
    usual = {"/v1/items": {200, 400, 422}, "/livez": {200}}.get(path, {404})
    assert int(head[1]) in usual
    if path != "/livez":
        line = service.logged(message="request", trace_id=trace)
        assert line["http_route"] != "unmatched"
        assert line["level"] == "info"


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status"),
    [
        ("GET", "/", {}, "", 404),
        ("GET", "/nothing/here", {}, "", 404),
        ("GET", "/v1/items/not-a-uuid", {}, "", 404),
        ("GET", "/v1/items/0b7cf3a5-5f3b-4c8e-9a64-6f0f3d3f7b11", {}, "", 404),
        ("DELETE", "/v1/items/not-a-uuid", {}, "", 404),
        ("PUT", "/v1/items", {}, "", 405),
        ("POST", "/v1/items/0b7cf3a5-5f3b-4c8e-9a64-6f0f3d3f7b11", {}, "", 405),
        ("POST", "/v1/items", {"Content-Type": "application/json"}, "", 400),
        ("POST", "/v1/items", {"Content-Type": "application/json"}, "{", 400),
        ("POST", "/v1/items", {"Content-Type": "application/json"}, '{"name": "x", "quantity": 1} x', 400),
        ("POST", "/v1/items", {"Content-Type": "application/json"}, " " * 65537, 413),
        ("POST", "/v1/items", {"Content-Type": "text/plain"}, '{"name": "x", "quantity": 1}', 415),
        ("POST", "/v1/items", {}, '{"name": "x", "quantity": 1}', 415),
    ],
)
def test_error(service: Service, method: str, path: str, headers: dict[str, str], body: str, status: int) -> None:
    answer = service.http.request(method, path, headers=headers, content=body)
    _assert_problem(answer, status)
    if status == 405:
        allowed = {name.strip() for name in answer.headers["allow"].split(",")} - {"HEAD", "OPTIONS"}
        assert allowed == ({"GET", "POST"} if path == "/v1/items" else {"GET", "DELETE"})


def test_body_over_the_limit_without_a_length(service: Service) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(20):
            yield b" " * 4096

    answer = service.http.post("/v1/items", content=chunks(), headers={"Content-Type": "application/json"})
    _assert_problem(answer, 413)


def _json(body: object) -> bytes:
    return json.dumps(body).encode()


def _assert_problem(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].split(";")[0] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "about:blank"
    assert (problem["status"], problem["title"]) == (status, TITLES[status])
    assert problem["detail"]
    assert set(problem) <= {"type", "title", "status", "detail", "errors"}
