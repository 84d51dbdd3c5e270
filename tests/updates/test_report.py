"""``golden-path report``: the numbers of many services, in words, as data, and as a page in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from golden_path.reporting import report, text
from tests.labs.browser import Browser
from tests.updates.commands import as_json, golden_path

START = datetime(2026, 1, 1, tzinfo=UTC)
FLEET = """\
template: gh:acme/golden-path
defaults: {team: shop}
rings: [{name: all}]
services:
  - {name: orders, git: ../orders.git, ring: all}
  - {name: carts, git: ../carts.git, ring: all, team: shop}
  - {name: pay, git: ../pay.git, ring: all, team: money}
  - {name: new, git: ../new.git, ring: all, team: money}
"""


class Events:
    """Writes events as ``make deploy-event`` does.

    Args:
        file: takes a line for each.
        number: the id of the last one.
    """

    def __init__(self, file: Path, number: int = 0) -> None:
        self.file, self.number = file, number

    def write(self, kind: str, service: str, hours: float, **more: Any) -> None:
        """Add one, ``hours`` after the start of the year; ``id`` and ``environment`` may be others."""
        when, self.number = (START + timedelta(hours=hours)).isoformat().replace("+00:00", "Z"), self.number + 1
        content: dict[str, Any] = {"environment": {"id": more.pop("environment", "production")}}
        subject = more.pop("id", service)
        if kind.startswith("incident"):
            content["service"] = {"id": service}
        event = {
            "context": {"specversion": "0.5.1", "id": str(self.number), "source": f"https://github.com/acme/{service}",
                        "type": f"dev.cdevents.{kind}.0.3.0", "timestamp": when},
            "subject": {"id": subject, "content": content}, "customData": more,
        }  # fmt: skip
        with self.file.open("a") as lines:
            lines.write(json.dumps({"specversion": "1.0", "data": event}) + "\n")

    def out(self, service: str, hours: float, lead: float, **more: Any) -> None:
        committed = (START + timedelta(hours=hours - lead)).isoformat()
        self.write("service.deployed", service, hours, commitTime=committed, **more)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """January and March: orders went out four times, one of them back; carts once; pay has an incident that goes on."""
    some = Events(tmp_path / "events.jsonl")
    for hours, lead in ((0, 1), (24, 2), (48, 3)):
        some.out("orders", hours, lead)
    some.write("service.rolledback", "orders", 50)
    some.out("orders", 24 * 60, 10)  # on 2 March
    some.out("carts", 24, 6)
    some.out("pay", 72, 4)
    some.write("incident.detected", "pay", 80, id="INC-1")
    some.out("stranger", 1, 1)
    some.out("orders", 2, 1, environment="staging")
    return some.file


def fleet(tmp_path: Path) -> Path:
    (tmp_path / "fleet.yaml").write_text(FLEET)
    return tmp_path / "fleet.yaml"


def test_the_numbers_by_service_team_and_month(events: Path, tmp_path: Path) -> None:
    period = ("--since", "2026-01-01", "--until", "2026-04-01")  # 90 days
    told = as_json("report", events, "--fleet", fleet(tmp_path), *period)
    by = {one["service"]: one for one in told["services"]}
    assert list(by) == ["carts", "new", "orders", "pay"], "those of the fleet, and no stranger"
    orders = by["orders"]
    assert (orders["team"], orders["deployments"], orders["failed"]) == ("shop", 4, 1)
    assert orders["deployments_per_week"] == pytest.approx(4 * 7 / 90, abs=0.001)
    assert (orders["lead_time_hours"], orders["change_failure_rate"]) == (2.5, 0.25)
    assert orders["recovery_time_hours"] == 2
    assert (by["new"]["deployments"], by["new"]["lead_time_hours"], by["new"]["change_failure_rate"]) == (0, None, None)
    teams = {one["team"]: one for one in told["teams"]}
    assert (teams["shop"]["deployments"], teams["shop"]["lead_time_hours"]) == (5, 3)
    assert teams["shop"]["change_failure_rate"] == 0.2
    assert (teams["money"]["deployments"], teams["money"]["open_incidents"]) == (1, 1)
    months = {one["month"]: one for one in told["months"]}
    assert [(month, one["deployments"], one["days"]) for month, one in months.items()] == [
        ("2026-01", 5, 31), ("2026-02", 0, 28), ("2026-03", 1, 31),
    ]  # fmt: skip
    assert (told["total"]["deployments"], told["total"]["open_incidents"]) == (6, 1)


def test_a_table_for_a_person(events: Path, tmp_path: Path) -> None:
    done = golden_path("report", events, "--fleet", fleet(tmp_path), "--until", "2026-02-01")
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == ["production,", "2026-01-01", "to", "2026-01-31"]
    assert lines[3] == ["new", "money", "0", "0.00", "-", "-", "-", "-", "0"]
    assert lines[4] == ["orders", "shop", "3", "0.68", "2.0", "h", "33.3%", "0.0%", "2.0", "h", "0"]
    assert lines[-1] == ["all", "-", "5", "1.13", "3.0", "h", "20.0%", "0.0%", "2.0", "h", "1"]


def test_without_a_fleet_all_services_count(events: Path) -> None:
    told = as_json("report", events)
    assert [one["service"] for one in told["services"]] == ["carts", "orders", "pay", "stranger"]
    assert (told["since"], told["teams"]) == ("2026-01-01T00:00:00+00:00", [])
    staging = as_json("report", events, "--environment", "staging")
    assert [(one["service"], one["deployments"]) for one in staging["services"]] == [("orders", 1)]


def test_several_places_and_an_event_twice(events: Path, tmp_path: Path) -> None:
    more = tmp_path / "more"
    more.mkdir()
    (more / "again.jsonl").write_text(events.read_text())
    assert as_json("report", events, more)["total"]["deployments"] == 7
    Events(more / "a.jsonl", 99).out("carts", 30, 1)
    assert as_json("report", events, more)["total"]["deployments"] == 8
    assert as_json("report", events, events)["total"]["deployments"] == 7


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "there is no nowhere: name a folder or file of CDEvents"),
        (["EVENTS", "--environment", "moon"], "there are no events of the environment moon; there are those of: "
         "production, staging"),
        (["EVENTS", "--since", "2026-02-01", "--until", "2026-01-01"], "the period ends before it begins: look at "
         "--since and --until"),
        (["EVENTS", "--since", "soon"], "argument --since: must be a day such as 2026-03-31, not 'soon'"),
        (["BROKEN"], "holds something that is no CDEvent"),
        (["HALF"], "an event has no 'timestamp'"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(events: Path, tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "broken.json").write_text("[1, 2")
    half = {"context": {"source": "a", "id": "b", "type": "dev.cdevents.service.deployed.0.3.0"},
            "subject": {"id": "orders", "content": {}}}  # fmt: skip
    (tmp_path / "half.json").write_text(json.dumps(half))
    places = {"EVENTS": events, "BROKEN": tmp_path / "broken.json", "HALF": tmp_path / "half.json"}
    page = tmp_path / "page.html"
    done = golden_path("report", *(places.get(one, one) for one in arguments), "--html", page)
    assert done.returncode == 2
    assert said in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert not page.exists()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser(width=390) as one:
        yield one


def test_the_page_on_a_small_screen(events: Path, browser: Browser, tmp_path: Path) -> None:
    """It loads nothing, is no wider than a telephone but for its tables, sorts and filters."""
    file = tmp_path / "report.html"
    made = golden_path("report", events, "--fleet", fleet(tmp_path), "--html", file)
    assert made.returncode == 0, made.stderr
    browser.open(file)
    assert browser.requests == [file.as_uri()]
    assert browser.value("document.querySelector('h1').textContent") == "Delivery in production"
    shown = "[...document.querySelectorAll('#all tbody tr:not([hidden]) th')].map(e => e.textContent)"
    assert browser.value(shown) == ["carts", "new", "orders", "pay"]
    months = browser.value("[...document.querySelectorAll('.summary')[0].querySelectorAll('tbody th')]"
                           ".map(e => e.textContent)")  # fmt: skip
    assert months == ["2026-01", "2026-02", "2026-03"]
    browser.value("document.querySelector('#group').value = 'money'")
    browser.value("document.querySelector('#group').dispatchEvent(new Event('input', {bubbles: true}))")
    assert browser.value(shown) == ["new", "pay"]
    browser.click("#all thead th:nth-child(3) button")
    browser.click("#all thead th:nth-child(3) button")
    assert browser.value(shown) == ["pay", "new"]
    browser.value("document.querySelector('#show').value = 'without-a-deployment'")
    browser.value("document.querySelector('#show').dispatchEvent(new Event('input', {bubbles: true}))")
    assert browser.value(shown) == ["new"]
    assert browser.value("document.documentElement.scrollWidth <= window.innerWidth")
    assert browser.problems == []


def test_names_of_others_are_text(tmp_path: Path, browser: Browser) -> None:
    some = Events(tmp_path / "events.jsonl")
    some.out("<img src=x onerror=alert(1)>", 0, 1)
    done = golden_path("report", some.file, "--html", tmp_path / "page.html")
    assert done.returncode == 0
    browser.open(tmp_path / "page.html")
    assert browser.value("document.querySelector('#all tbody th').textContent") == "<img src=x onerror=alert(1)>"
    assert browser.problems == []


def test_two_thousand_services(tmp_path: Path) -> None:
    """Each is in the page, and the numbers of all are those of each."""
    some = Events(tmp_path / "events.jsonl")
    for number in range(2000):
        some.out(f"service-{number:04}", number % 24, 1 + number % 3)
    found = report.report([some.file], "production")
    assert (len(found.services), found.total.deployed) == (2000, 2000)
    assert text.html(found).count('<th scope="row" data-sort="service-') == 2000


@pytest.mark.parametrize(
    ("number", "said"), [(None, "-"), (0.25, "15 min"), (1, "1.0 h"), (47.94, "47.9 h"), (48, "2.0 days")]
)
def test_times_as_people_say_them(number: float | None, said: str) -> None:
    assert text.hours(number) == said
