"""Checking, training and scoring of a service for a model tell their lineage, and no catalogue ever holds them up."""

from __future__ import annotations

import csv
import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytest
from openlineage.client.generated.base import EventType, RunEvent
from openlineage.client.generated.data_quality_assertions_dataset import DataQualityAssertionsDatasetFacet
from openlineage.client.generated.dataset_version_dataset import DatasetVersionDatasetFacet
from openlineage.client.generated.error_message_run import ErrorMessageRunFacet

from tests.labs import openlineage
from tests.labs.peers import Answer, Peer
from tests.labs.service import free_port, make

pytestmark = [pytest.mark.models, pytest.mark.only("model")]

SCORED = ("mean radius", "mean texture", "mean perimeter", "mean area", "mean smoothness", "mean compactness",
          "mean concavity", "mean concave points", "mean symmetry", "mean fractal dimension")  # fmt: skip
T = TypeVar("T")
GROWN = ("20", "25", "135", "1250", "0.11", "0.16", "0.2", "0.13", "0.2", "0.06")
GOOD = ("11.4", "18.6", "73.3", "398", "0.096", "0.085", "0.04", "0.03", "0.18", "0.063")


@pytest.fixture
def catalogue() -> Iterator[Peer]:
    with Peer(lambda _: Answer(201, b"")) as peer:
        yield peer


def verb(service: Path, name: str, *more: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a verb as it is after `make setup`: the packages are newer than whatever they follow from."""
    return make(service, "model", "--old-file=.venv/ready", name, *more, env=env)


def received(catalogue: Peer) -> list[RunEvent]:
    """The events, each checked."""
    for request in catalogue.requests:
        assert (request.method, request.path) == ("POST", "/api/v1/lineage")
        assert request.headers["content-type"] == "application/json"
    return [openlineage.check(json.loads(request.body)) for request in catalogue.requests]


def kinds(events: list[RunEvent]) -> list[EventType | None]:
    assert len({event.run.runId for event in events}) == 1
    return [event.eventType for event in events]


def facet(kind: type[T], facets: Mapping[str, Any] | None, name: str) -> T:
    found = (facets or {})[name]
    assert isinstance(found, kind)
    return found


def break_data(service: Path) -> None:
    """One value becomes text, two are missing, and the diagnosis of one is unheard of."""
    place = service / "training/data.py"
    text = place.read_text()
    made = "source.data.assign(diagnosis=np.array(CLASSES, dtype=object)[source.target])"
    assert made in text
    bad = f"""    frame = {made}.astype({{"mean area": object}})
    frame.loc[3, "mean area"] = "wide"
    frame.loc[[5, 7], "mean radius"] = float("nan")
    frame.loc[9, "diagnosis"] = "unsure"
    return frame"""
    place.write_text(text.replace(f"    return {made}", bad))


def test_training_tells_what_it_read_and_what_it_made(model_service: Path, catalogue: Peer) -> None:
    done = verb(model_service, "train", "--what-if=training/fit.py", OPENLINEAGE_URL=catalogue.url,
                OPENLINEAGE_API_KEY="key-of-the-catalogue")  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert {request.headers["authorization"] for request in catalogue.requests} == {"Bearer key-of-the-catalogue"}
    events = received(catalogue)
    assert kinds(events) == [EventType.START, EventType.COMPLETE]
    last = events[-1]
    assert (last.job.namespace, last.job.name) == ("acme/model-orders", "model-orders.train")
    [data], [model] = last.inputs or [], last.outputs or []
    card = json.loads((model_service / "model/model.json").read_text())
    version = facet(DatasetVersionDatasetFacet, model.facets, "version")
    assert (model.name, version.datasetVersion) == ("model-orders-model", f"sha256:{card['sha256']}")
    held = facet(DataQualityAssertionsDatasetFacet, data.inputFacets, "dataQualityAssertions")
    assert len(held.assertions) > 40
    assert all(one.success for one in held.assertions)
    files = sorted((model_service / "build/lineage").glob("*.json"))
    assert [json.loads(one.read_text()) for one in files] == [json.loads(one.body) for one in catalogue.requests]


def test_a_violation_fails_the_run_and_trains_nothing(model_service: Path, catalogue: Peer) -> None:
    before = (model_service / "model/model.onnx").stat().st_mtime_ns
    break_data(model_service)
    done = verb(model_service, "train", OPENLINEAGE_URL=catalogue.url)
    assert done.returncode != 0
    for said in (
        "mean area: 1 of 569 rows is not a number, the first is row 4",
        "mean radius: 2 of 569 rows are missing, the first is row 6",
        "diagnosis: 1 of 569 rows is none of the valid values, the first is row 10: must be 0",
        "contracts/data/model-orders.odcs.yaml: 3 of 57 rules are broken in 569 rows",
    ):
        assert said in done.stdout
    assert (model_service / "model/model.onnx").stat().st_mtime_ns == before
    events = received(catalogue)
    assert kinds(events) == [EventType.START, EventType.FAIL]
    message = facet(ErrorMessageRunFacet, events[-1].run.facets, "errorMessage").message
    assert "mean area: 1 of 569 rows is not a number" in message
    [data] = events[-1].inputs or []
    held = facet(DataQualityAssertionsDatasetFacet, data.inputFacets, "dataQualityAssertions")
    assert [(one.assertion, one.column) for one in held.assertions if not one.success] == [
        ("not_null", "mean radius"), ("type", "mean area"), ("invalidValues", "diagnosis"),
    ]  # fmt: skip


def test_code_that_fails_fails_the_run(model_service: Path, catalogue: Peer) -> None:
    (model_service / "training/fit.py").write_text("raise RuntimeError('no such forest')\n")
    done = verb(model_service, "train", OPENLINEAGE_URL=catalogue.url)
    assert done.returncode != 0
    assert "RuntimeError: no such forest" in done.stdout
    events = received(catalogue)
    assert kinds(events) == [EventType.START, EventType.FAIL]
    assert "no such forest" in facet(ErrorMessageRunFacet, events[-1].run.facets, "errorMessage").message


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("minimum: 1, maximum: 50}", "minimum: 2, maximum: 50}",
         "mean_radius is from 2 to 50 in the contract, from 1 to 50 as a feature"),
        ("name: mean_area", "name: area", "mean_area is a feature, and not in the contract"),
        ("logicalType: number", "logicalType: integer", "mean_radius is integer in the contract, number as a feature"),
        ("        required: true\n", "", "mean_radius may be missing in the contract, required as a feature"),
        ("kind: DataContract", "kind: Contract", "kind: 'Contract' is not one of"),
        ("version: 1.0.0\n", "", "'version' is a required property"),
    ],
)  # fmt: skip
def test_contract_and_features_do_not_disagree(model_service: Path, old: str, new: str, said: str) -> None:
    place = model_service / "contracts/data/model-orders.odcs.yaml"
    assert old in place.read_text()
    place.write_text(place.read_text().replace(old, new, 1))
    done = verb(model_service, "data-check")
    assert done.returncode != 0
    assert said in done.stdout
    assert "Traceback" not in done.stdout
    assert not (model_service / "build/lineage").exists(), "no run began"


def rows(service: Path, *lines: tuple[str, ...], head: tuple[str, ...] = SCORED) -> None:
    with (service / "rows.csv").open("w", newline="") as file:
        csv.writer(file).writerows([head, *lines])


def test_scoring_tells_what_it_read_and_what_it_made(model_service: Path, catalogue: Peer) -> None:
    rows(model_service, (*GOOD, "7"), (*GROWN, "8"), head=(*SCORED, "number"))
    given = {"INPUT": "rows.csv", "OUTPUT": "told.csv", "OPENLINEAGE_URL": catalogue.url}
    done = verb(model_service, "score", "--old-file=model/model.json", **given)
    assert done.returncode == 0, done.stdout
    told = list(csv.DictReader((model_service / "told.csv").open()))
    assert [(one["number"], one["prediction"]) for one in told] == [("7", "benign"), ("8", "malignant")]
    assert all(0.5 <= float(one["probability"]) <= 1 for one in told)
    events = received(catalogue)
    assert kinds(events) == [EventType.START, EventType.COMPLETE]
    assert [one.name for one in events[-1].inputs or []] == ["rows.csv", "model-orders-model"]
    assert [one.name for one in events[-1].outputs or []] == ["told.csv"]


def test_what_breaks_the_contract_is_not_scored(model_service: Path, catalogue: Peer) -> None:
    rows(model_service, GOOD, ("-1", *GOOD[1:]), ("", *GOOD[1:]))
    given = {"INPUT": "rows.csv", "OUTPUT": "not.csv", "OPENLINEAGE_URL": catalogue.url}
    done = verb(model_service, "score", "--old-file=model/model.json", **given)
    assert done.returncode != 0
    assert "mean radius: 1 of 3 rows is not at least 1, the first is row 2" in done.stdout
    assert "mean radius: 1 of 3 rows is missing, the first is row 3" in done.stdout
    assert not (model_service / "not.csv").exists()
    assert kinds(received(catalogue)) == [EventType.START, EventType.FAIL]


@pytest.mark.parametrize("what", ["refuses", "is gone", "is silent"])
def test_a_catalogue_stops_no_job(model_service: Path, what: str) -> None:
    with Peer(lambda _: Answer(500, b"", delay=60 if what == "is silent" else 0)) as peer:
        url = f"http://127.0.0.1:{free_port()}" if what == "is gone" else peer.url
        started = time.monotonic()
        done = verb(model_service, "data-check", OPENLINEAGE_URL=url, OPENLINEAGE_TIMEOUT="2")
        took = time.monotonic() - started
        begun = time.monotonic()
        without = verb(model_service, "data-check")
        plain = time.monotonic() - begun
    assert done.returncode == without.returncode == 0, done.stdout
    said = [line for line in done.stdout.splitlines() if "lineage" in line]
    assert len(said) == 1
    assert "2 of 2 events did not arrive" in said[0]
    assert {"refuses": "answers 500", "is gone": "refused", "is silent": "within 2 s"}[what] in said[0]
    bodies = [request.body for request in peer.requests]
    assert len(set(bodies)) == len(bodies), "each is sent once"
    assert len(bodies) in {"refuses": {2}, "is gone": {0}, "is silent": {1, 2}}[what]
    assert took < 3 * plain + 10, "the deadline is 2 seconds"
    assert len(list((model_service / "build/lineage").glob("*.json"))) == 4


def test_an_address_that_is_none_is_said(model_service: Path) -> None:
    done = verb(model_service, "data-check", OPENLINEAGE_URL="marquez")
    assert done.returncode != 0
    assert "OPENLINEAGE_URL must be an absolute http or https URL" in done.stdout


def test_a_job_with_the_key_sends_what_the_one_without_has_left(model_service: Path, catalogue: Peer) -> None:
    assert verb(model_service, "data-check").returncode == 0
    done = make(model_service, "model", "lineage-send", env={"OPENLINEAGE_URL": catalogue.url})
    assert done.returncode == 0, done.stdout
    assert kinds(received(catalogue)) == [EventType.START, EventType.COMPLETE]
