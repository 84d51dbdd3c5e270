"""The API of a service for a model, and what becomes of it where the model is not good or a request is slow."""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import jsonschema
import pytest

from tests.labs.built import Built
from tests.labs.service import Service
from tests.services.conformance.surface import INSTANCE

pytestmark = [pytest.mark.models, pytest.mark.only("model")]

CONTENT = json.dumps(INSTANCE).encode()
HEAD = (
    b"POST /v1/predictions HTTP/1.1\r\nHost: service\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % len(CONTENT)
)
NO_AREA: list[object] = [None, "1", True, [], -1, 1e9]
BAD: list[object] = [
    *([], None, 7, {}, {**INSTANCE, "colour": 1}),
    *({**INSTANCE, "mean_area": bad} for bad in NO_AREA),
    {name: value for name, value in INSTANCE.items() if name != "mean_area"},
]


def send(service: Service, path: str, document: object) -> int:
    answer = service.http.post(path, content=json.dumps(document), headers={"Content-Type": "application/json"})
    if answer.status_code != 200:
        assert answer.headers["content-type"].split(";")[0] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
        assert answer.json().get("errors") or answer.status_code != 422
    return answer.status_code


def test_the_document_says_what_is_taken_and_what_is_refused(service: Service) -> None:
    """The schemas in the OpenAPI document, by a validator of their own, and the service agree on each body."""
    paths = service.http.get("/openapi.json").json()["paths"]
    for path, batch in (("/v1/predictions", False), ("/v1/predictions/batch", True)):
        schema = paths[path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        for document in (INSTANCE, *BAD):
            body = {"instances": [document]} if batch else document
            assert send(service, path, body) == (200 if validator.is_valid(body) else 422), (path, body)
    assert validator.is_valid({"instances": [INSTANCE] * 100})
    assert not validator.is_valid({"instances": [INSTANCE] * 101})


def test_one_prediction_and_a_batch_of_the_most(service: Service) -> None:
    one = service.http.post("/v1/predictions", json=INSTANCE).json()
    batch = service.http.post("/v1/predictions/batch", json={"instances": [INSTANCE] * 100}).json()
    model = service.http.get("/v1/model").json()["sha256"]
    assert one["model"] == batch["model"] == model
    assert len(batch["predictions"]) == 100
    for each in batch["predictions"]:
        assert each["prediction"] == one["prediction"]
        assert each["probabilities"] == pytest.approx(one["probabilities"], abs=1e-5)
        assert all(0 <= share <= 1 for share in each["probabilities"].values())
    assert one["prediction"] == max(one["probabilities"], key=one["probabilities"].get)
    assert send(service, "/v1/predictions/batch", {"instances": [INSTANCE] * 101}) == 422


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status"),
    [
        ("GET", "/v1/predictions", {}, "", 405),
        ("POST", "/v1/model", {}, "", 405),
        ("POST", "/v1/predictions", {"Content-Type": "application/json"}, "{", 400),
        ("POST", "/v1/predictions", {"Content-Type": "application/json"}, '{"mean_area": NaN}', 400),
        ("POST", "/v1/predictions/batch", {"Content-Type": "application/json"}, " " * 65537, 413),
        ("POST", "/v1/predictions", {"Content-Type": "text/plain"}, CONTENT, 415),
    ],
)
def test_error(service: Service, method: str, path: str, headers: dict[str, str], body: str, status: int) -> None:
    answer = service.http.request(method, path, headers=headers, content=body)
    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["content-type"].split(";")[0] == "application/problem+json"


@contextmanager
def half_sent(service: Service) -> Iterator[socket.socket]:
    """A request whose body has not come to its end, which the service has begun to read."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as connection:
        connection.sendall(HEAD + CONTENT[:-5])
        service.http.get("/v1/model")  # on another connection, after it
        time.sleep(0.2)
        yield connection


def test_request_in_flight_survives(start: Callable[..., Service]) -> None:
    with start() as service, half_sent(service) as connection:
        service.signal()
        service.logged(message="draining")
        connection.sendall(CONTENT[-5:])
        answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"connection: close" in answer.lower()
        assert service.wait(20) < 10
        assert service.log[-1]["message"] == "stopped"


def test_grace_period_is_a_limit(start: Callable[..., Service]) -> None:
    with start(SHUTDOWN_GRACE_SECONDS="1") as service, half_sent(service) as connection:
        service.signal()
        assert 0.8 < service.wait(20) < 8
        assert not connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def changed(folder: Path, target: Path) -> None:
    shutil.copytree(folder / "model", target)
    content = bytearray((target / "model.onnx").read_bytes())
    content[-1000] ^= 1
    (target / "model.onnx").write_bytes(content)


@pytest.mark.parametrize("start", ["process"], indirect=True)
def test_a_model_that_is_not_good_stops_the_start(start: Callable[..., Service], built: Built, tmp_path: Path) -> None:
    """As a bad variable does: one line, exit code 2, and nothing is logged."""
    changed(built.folder, tmp_path / "changed")
    for path, rule in (
        (tmp_path / "nothing", "must be a folder with model.onnx and model.json"),
        (tmp_path / "changed", "must have the model.onnx that its model.json describes"),
    ):
        with start(await_ready=False, MODEL_PATH=str(path)) as service:
            service.wait(180)
            assert service.stderr == f"config: MODEL_PATH: {rule}\n"
            assert service.stdout == ""
            assert service.process.returncode == 2


@pytest.mark.parametrize("start", ["process"], indirect=True)
def test_a_model_in_another_folder(start: Callable[..., Service], built: Built, tmp_path: Path) -> None:
    """As an init container puts it there."""
    shutil.copytree(built.folder / "model", tmp_path / "other")
    with start(MODEL_PATH=str(tmp_path / "other")) as service:
        assert send(service, "/v1/predictions", INSTANCE) == 200
