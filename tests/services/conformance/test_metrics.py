"""The one SLO metric, and who is running."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from golden_path.service import slo
from tests.labs import template as lab
from tests.labs.built import Built
from tests.labs.service import Service, free_port
from tests.services.conformance.surface import surface_of

pytestmark = pytest.mark.models

NAME = "http_server_request_duration_seconds"
BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, math.inf]
KEYS = ("http_request_method", "http_route", "http_response_status_code")

Counts = dict[tuple[str, ...], float]


def scrape(service: Service) -> list[Sample]:
    answer = service.http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]


def counts(service: Service) -> Counts:
    found = {}
    for sample in scrape(service):
        if sample.name == f"{NAME}_count":
            assert set(sample.labels) == set(KEYS)
            found[tuple(sample.labels[key] for key in KEYS)] = sample.value
    return found


@pytest.fixture(scope="module")
def used(service: Service) -> Counts:
    """What one request of each kind added."""
    surface, before = surface_of(service.language), counts(service)
    created = service.http.post(surface.path, json=surface.body)
    if surface.found:
        service.http.get(created.headers["location"])
    service.http.get(surface.ask)
    service.http.post(surface.path, json={})
    service.http.put(surface.path)
    service.http.request("PROPFIND", surface.path)
    for path in ("/nothing/1", "/nothing/2", "/livez", "/readyz", "/metrics"):
        service.http.get(path)
    added = {labels: value - before.get(labels, 0) for labels, value in counts(service).items()}
    return {labels: value for labels, value in added.items() if value}


def test_every_bound_is_found_by_the_objectives(service: Service) -> None:
    """As this client spells it, which Prometheus 2 keeps, and as Prometheus 3 does: with a point."""
    service.http.get(surface_of(service.language).ask)
    spelt = set(re.findall(rf'^{NAME}_bucket\{{.*\ble="([^"]+)"', service.http.get("/metrics").text, re.MULTILINE))
    assert len(spelt) == len(BUCKETS)
    for milliseconds in slo.BUCKETS_MS:
        kind, wanted = re.fullmatch(r'le(=~?)"(.+)"', slo.up_to(milliseconds)).groups()  # type: ignore[union-attr]
        matches = re.compile(wanted if kind == "=~" else re.escape(wanted))
        for kept in (spelt, {one if "." in one or one == "+Inf" else f"{one}.0" for one in spelt}):
            found = [one for one in kept if matches.fullmatch(one)]
            assert [float(one) for one in found] == [milliseconds / 1000], (milliseconds, sorted(kept))


def test_labels(used: Counts, built: Built) -> None:
    surface = surface_of(built.language)
    assert used == {
        ("POST", surface.path, str(surface.sent)): 1,
        **({("GET", surface.found, "200"): 1} if surface.found else {}),
        ("GET", surface.route, "200"): 1,
        ("POST", surface.path, "422"): 1,
        ("PUT", surface.path, "405"): 1,
        ("_OTHER", surface.path, "405"): 1,
        ("GET", "unmatched", "404"): 2,
    }


def test_series_are_there_before_the_first_request(start: Callable[..., Service]) -> None:
    """At 0, with all buckets; a series that begins with its first errors hides these from rate() and increase()."""
    nobody = f"http://127.0.0.1:{free_port()}"
    with start(UPSTREAM_URL=nobody, UPSTREAM_RETRIES="0") as service:
        surface = surface_of(service.language)
        start_of_all = dict.fromkeys(surface.series, 0)
        assert counts(service) == start_of_all
        assert {sample.value for sample in scrape(service) if sample.name.startswith(NAME)} == {0}
        status = service.http.post(surface.path, json=surface.referring).status_code
        assert status == (502 if surface.upstream else surface.sent)
        assert counts(service) == {**start_of_all, ("POST", surface.path, str(status)): 1}


def test_buckets(service: Service, used: Counts) -> None:
    by_series: dict[tuple[str, ...], list[tuple[float, float]]] = {}
    for sample in scrape(service):
        if sample.name == f"{NAME}_bucket":
            labels = dict(sample.labels)
            bound = float(labels.pop("le"))
            by_series.setdefault(tuple(labels[key] for key in KEYS), []).append((bound, sample.value))
            assert set(labels) == set(KEYS)
    assert set(by_series) >= set(used)
    for series in by_series.values():
        assert [bound for bound, _ in series] == BUCKETS
        values = [value for _, value in series]
        assert values == sorted(values)


def test_build_info(service: Service, built: Built) -> None:
    info = [sample for sample in scrape(service) if sample.name == "build_info"]
    assert len(info) == 1
    assert info[0].value == 1
    revision = lab.git(built.folder, "rev-parse", "HEAD")
    assert info[0].labels == {"service": f"{built.language}-orders", "version": "v1.2.3", "revision": revision}
