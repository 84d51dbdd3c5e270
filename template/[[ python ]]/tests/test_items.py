from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.anyio
NOBODY = "0b7cf3a5-5f3b-4c8e-9a64-6f0f3d3f7b11"


def assert_problem(response: httpx.Response, status: int, title: str, **errors: str) -> None:
    problem = response.json()
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert problem.pop("detail").endswith(".")
    assert {error["field"]: error["message"] for error in problem.pop("errors", [])} == errors
    assert problem == {"type": "about:blank", "title": title, "status": status}


async def test_an_item_from_birth_to_death(client: httpx.AsyncClient) -> None:
    created = await client.post("/v1/items", json={"name": "bolt", "quantity": 3})
    item = created.json()
    assert created.status_code == 201
    assert created.headers["Location"] == f"/v1/items/{item['id']}"
    assert (item["name"], item["quantity"]) == ("bolt", 3)
    assert item["created_at"].endswith("Z")

    assert (await client.get(created.headers["Location"])).json() == item
    assert (await client.delete(created.headers["Location"])).status_code == 204
    assert_problem(await client.get(created.headers["Location"]), 404, "Not Found")
    assert_problem(await client.delete(created.headers["Location"]), 404, "Not Found")


async def test_pages(client: httpx.AsyncClient) -> None:
    for number in range(3):
        await client.post("/v1/items", json={"name": f"item {number}", "quantity": number})
    first = (await client.get("/v1/items?limit=2")).json()
    second = (await client.get(f"/v1/items?limit=2&after={first['next']}")).json()
    assert [item["quantity"] for item in first["items"] + second["items"]] == [0, 1, 2]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("document", "errors"),
    [
        ([], {"body": "must be an object"}),
        ({"quantity": 1}, {"name": "must be a string of 1 to 100 characters"}),
        ({"name": "n" * 101, "quantity": 1}, {"name": "must be a string of 1 to 100 characters"}),
        ({"name": "n", "quantity": True}, {"quantity": "must be an integer from 0 to 1000000"}),
        ({"name": "n", "quantity": "1"}, {"quantity": "must be an integer from 0 to 1000000"}),
        ({"name": "n", "quantity": 1, "colour": "red"}, {"colour": "is not allowed"}),
    ],
)
async def test_rules(client: httpx.AsyncClient, document: Any, errors: dict[str, str]) -> None:
    assert_problem(await client.post("/v1/items", json=document), 422, "Unprocessable Entity", **errors)


async def test_what_is_no_json_document(client: httpx.AsyncClient) -> None:
    json = {"Content-Type": "application/json; charset=utf-8"}
    assert_problem(await client.post("/v1/items", content="", headers=json), 400, "Bad Request")
    assert_problem(await client.post("/v1/items", content="{", headers=json), 400, "Bad Request")
    assert_problem(await client.post("/v1/items", content=" " * 65537, headers=json), 413, "Payload Too Large")
    assert_problem(await client.post("/v1/items", content="{}"), 415, "Unsupported Media Type")


async def test_what_is_not_there(client: httpx.AsyncClient) -> None:
    assert_problem(await client.get("/nowhere"), 404, "Not Found")
    assert_problem(await client.get("/v1/items/1"), 404, "Not Found")
    response = await client.put("/v1/items")
    assert_problem(response, 405, "Method Not Allowed")
    assert response.headers["Allow"] == "GET, POST"


@pytest.mark.parametrize("limit", ["0", "101", "ten", ""])
async def test_bad_limit(client: httpx.AsyncClient, limit: str) -> None:
    response = await client.get("/v1/items", params={"limit": limit})
    assert_problem(response, 422, "Unprocessable Entity", limit="must be an integer from 1 to 100")


@pytest.mark.parametrize("after", [NOBODY, "1", ""])
async def test_bad_after(client: httpx.AsyncClient, after: str) -> None:
    response = await client.get("/v1/items", params={"after": after})
    assert_problem(response, 422, "Unprocessable Entity", after="no such item")
