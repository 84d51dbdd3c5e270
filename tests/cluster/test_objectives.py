"""slo.yaml writes alerts that promtool finds right: they page, open a ticket and keep silent when they should."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from golden_path.service import slo
from tests.cluster.promtool import get, promtool, rules
from tests.cluster.services import objects, only, script
from tests.labs import template as lab

METRIC = "http_server_request_duration_seconds"
BUDGET = 0.001  # of the availability of tier standard


@pytest.fixture(scope="module", autouse=True)
def _promtool() -> None:
    get()


@pytest.fixture
def service(template: Path, tmp_path: Path) -> Path:
    return lab.render(template, tmp_path / "orders", {"language": "go"})


def requests(bad: float, slow: float = 0) -> list[dict[str, str]]:
    """Return series of 100 requests a minute for half a day, of which these shares fail or are slow."""
    labels = 'job="orders", namespace="orders-production"'

    def series(name: str, a_minute: float) -> dict[str, str]:
        return {"series": name, "values": f"0+{a_minute:g}x720"}

    found = [
        series(f'{METRIC}_count{{{labels}, http_response_status_code="200"}}', 100 * (1 - bad)),
        series(f'{METRIC}_bucket{{{labels}, http_response_status_code="200", le="0.5"}}', 100 * (1 - slow)),
    ]
    if bad:
        found.append(series(f'{METRIC}_count{{{labels}, http_response_status_code="500"}}', 100 * bad))
    return found


def firing(service: Path, folder: Path, series: list[dict[str, str]], minutes: int) -> set[tuple[str, str, str]]:
    """Return name, severity and long window of the alerts that fire after so many minutes, as promtool sees them."""
    file = rules(service, folder)
    case = {
        "interval": "1m",
        "input_series": series,
        "promql_expr_test": [
            {"expr": "count by (alertname, severity, window) (ALERTS{alertstate='firing'})", "eval_time": f"{minutes}m"}
        ],
    }
    # No alert has to last, so the last time is the one that counts; there the alerts come after what they look at.
    groups = [group["name"] for group in yaml.safe_load(file.read_text())["groups"]]
    settings = {"rule_files": [str(file)], "evaluation_interval": f"{minutes}m", "group_eval_order": groups}
    test = folder / "test.yaml"
    test.write_text(yaml.safe_dump({**settings, "tests": [case]}))
    # The expectation is empty, so promtool prints what it found where there is anything.
    printed = promtool("test", "rules", test, cwd=folder)
    text = printed.stdout + printed.stderr
    found = set(re.findall(r'\{alertname="(\w+)", severity="(\w+)", window="(\w+)"', text))
    assert found or printed.returncode == 0, text
    return found


def alerts(service: Path, folder: Path, bad: float, slow: float = 0) -> set[tuple[str, str]]:
    """Return name and severity of the alerts that fire after half a day of these shares."""
    return {(name, severity) for name, severity, _ in firing(service, folder, requests(bad, slow), 12 * 60)}


PAGE, TICKET = ("AvailabilityBudgetBurn", "page"), ("AvailabilityBudgetBurn", "ticket")
SLOW_PAGE, SLOW_TICKET = ("LatencyBudgetBurn", "page"), ("LatencyBudgetBurn", "ticket")


def test_rules_are_valid(service: Path, tmp_path: Path) -> None:
    done = promtool("check", "rules", rules(service, tmp_path), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "26 rules found" in done.stdout


@pytest.mark.parametrize(
    ("bad", "slow", "expected"),
    [
        (20 * BUDGET, 0, {PAGE, TICKET}),
        (7 * BUDGET, 0, {PAGE, TICKET}),  # the slower page, of six hours
        (4 * BUDGET, 0, {TICKET}),
        (1.5 * BUDGET, 0, {TICKET}),
        (0.5 * BUDGET, 0, set()),
        (0, 0, set()),
        (0, 0.2, {SLOW_PAGE, SLOW_TICKET}),
        (0, 0.02, {SLOW_TICKET}),
        (0, 0.005, set()),
    ],
)
def test_alerts_fire_as_the_budget_burns(
    service: Path, tmp_path: Path, bad: float, slow: float, expected: set[tuple[str, str]]
) -> None:
    assert alerts(service, tmp_path, bad, slow) == expected


def bounds() -> list[tuple[int, str]]:
    """Every bound of the histogram, in milliseconds, and how series spell it: as Prometheus 2 and 3 keep it."""
    spelt = [(one, f"{one / 1000:g}") for one in slo.BUCKETS_MS]
    return [*spelt, *((one, f"{text}.0") for one, text in spelt if one % 1000 == 0)]


@pytest.mark.parametrize(("milliseconds", "spelt"), bounds())
def test_every_bound_is_found_however_a_client_spells_it(
    template: Path, tmp_path: Path, milliseconds: int, spelt: str
) -> None:
    """Otherwise no latency would be recorded, and a canary that is always too slow would go out."""
    answers = {"language": "go", "slo_latency_ms": str(milliseconds)}
    service = lab.render(template, tmp_path / "orders", answers)
    slow = [{**one, "series": one["series"].replace('le="0.5"', f'le="{spelt}"')} for one in requests(0, 0.2)]
    assert {(name, severity) for name, severity, _ in firing(service, tmp_path, slow, 12 * 60)} == {
        SLOW_PAGE, SLOW_TICKET
    }  # fmt: skip
    fast = [{**one, "series": one["series"].replace('le="0.5"', f'le="{spelt}"')} for one in requests(0, 0.005)]
    assert firing(service, tmp_path, fast, 12 * 60) == set()


# Severity, burn rate, and the two windows in minutes, of the alerts that it writes for each objective.
WINDOWS = {
    "1h": ("page", 14.4, 60, 5),
    "6h": ("page", 6, 360, 30),
    "1d": ("ticket", 3, 1440, 120),
    "3d": ("ticket", 1, 4320, 360),
}
# Both budgets burn at these multiples of what they allow, for so many minutes each, after a good first hour.
Burns = list[tuple[int, float]]
SHARES = {"availability": BUDGET, "latency": 0.01}


def burning(burns: Burns) -> tuple[list[dict[str, str]], int]:
    """Return series of 1000 requests a minute, and how many minutes they last."""
    labels = 'job="orders", namespace="orders-production", http_response_status_code="%s"'
    values: list[list[str]] = [[], [], []]
    totals = [0.0, 0.0, 0.0]
    for minutes, burn in [(60, 0), *burns]:
        bad, slow = (1000 * burn * share for share in SHARES.values())
        for number, rate in enumerate((1000 - bad, bad, 1000 - slow)):
            values[number].append(f"{totals[number] + rate:g}+{rate:g}x{minutes - 1}")
            totals[number] += rate * minutes
    names = [
        f"{METRIC}_count{{{labels % 200}}}",
        f"{METRIC}_count{{{labels % 500}}}",
        f'{METRIC}_bucket{{{labels % 200}, le="0.5"}}',
    ]
    series = [{"series": name, "values": " ".join(some)} for name, some in zip(names, values, strict=True)]
    return series, sum(minutes for minutes, _ in burns) + 59


def over(window: str) -> Burns:
    """Return a burn that filled the long window of an alert, and is over for longer than its short one."""
    _, burn, long, short = WINDOWS[window]
    return [(4320, 0), (long - short - 5, 1.5 * burn), (short + 5, 0)]


# Half an hour at one and a half times what would page after an hour: every short window is above, and no long one is.
BURST: Burns = [(4320, 0), (30, 1.5 * 14.4)]


def both(*windows: str) -> set[tuple[str, str, str]]:
    """Return the alerts of these windows for both objectives."""
    return {(f"{name.capitalize()}BudgetBurn", WINDOWS[one][0], one) for name in SHARES for one in windows}


# What spends a tenth of the budget in a day spends it in three days too.
STILL = {"1h": (), "6h": (), "1d": ("3d",), "3d": ()}


@pytest.mark.parametrize("window", WINDOWS)
def test_a_burn_that_is_over_is_silent_and_was_not_before(service: Path, tmp_path: Path, window: str) -> None:
    """Ten minutes after its end nobody is paged for an hour of it, though the hour is still bad."""
    burns = over(window)
    assert window in {one for *_, one in firing(service, tmp_path, *burning(burns[:-1]))}
    assert firing(service, tmp_path, *burning(burns)) == both(*STILL[window])
    drop(service, window, "short")
    assert firing(service, tmp_path, *burning(burns)) == both(window, *STILL[window])


def test_a_burst_that_is_shorter_than_the_long_windows_is_silent(service: Path, tmp_path: Path) -> None:
    assert firing(service, tmp_path, *burning(BURST)) == set()
    for window in WINDOWS:
        drop(service, window, "long")
        assert firing(service, tmp_path, *burning(BURST)) == both(window)
        assert script(service, "slo", "write").returncode == 0


def drop(service: Path, window: str, which: str) -> None:
    """Take the short or the long window out of the alerts of this long one."""
    file = service / ".golden-path/slo/rules.yaml"
    found = yaml.safe_load(file.read_text())
    for rule in found["spec"]["groups"][1]["rules"]:
        if rule["labels"]["window"] == window:
            long, short = rule["expr"].split("\nand\n")
            rule["expr"] = long if which == "short" else short
    file.write_text(yaml.safe_dump(found))


def budget(service: Path, folder: Path, series: list[dict[str, str]], *expected: tuple[str, str, float]) -> str:
    """Return what promtool finds wrong with what is left of the budgets, over series of a sample an hour.

    Args:
        expected: time, objective and share that is left, to three digits.
    """
    labels = '{{namespace="orders-production", objective="{}", service="orders"}}'
    remaining = "service:error_budget:remaining_ratio"
    case = {
        "interval": "1h",
        "input_series": series,
        "promql_expr_test": [
            {
                "expr": f"round({remaining}{{objective='{objective}'}}, 0.001)",
                "eval_time": time,
                "exp_samples": [{"labels": labels.format(objective), "value": share}],
            }
            for time, objective, share in expected
        ],
    }
    test = folder / "test.yaml"
    settings = {"rule_files": [str(rules(service, folder))], "evaluation_interval": "1h", "tests": [case]}
    test.write_text(yaml.safe_dump(settings))
    done = promtool("test", "rules", test, cwd=folder)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_what_is_left_of_the_budget_is_of_thirty_days(service: Path, tmp_path: Path) -> None:
    """1000 requests an hour, of which 10 fail on the first day: too many for ten days, and forgotten after thirty."""
    labels = 'job="orders", namespace="orders-production", http_response_status_code="%s"'
    series = [
        {"series": f"{METRIC}_count{{{labels % 200}}}", "values": "0+990x24 24760+1000x936"},
        {"series": f"{METRIC}_count{{{labels % 500}}}", "values": "0+10x24 240x936"},
        {"series": f'{METRIC}_bucket{{{labels % 200}, le="0.5"}}', "values": "0+995x960"},
    ]
    expected = [
        ("24h", "availability", -9.0),
        ("10d", "availability", 0.0),
        ("20d", "availability", 0.5),
        ("32d", "availability", 1.0),
        ("20d", "latency", 0.5),
    ]
    assert budget(service, tmp_path, series, *expected) == ""
    file = service / ".golden-path/slo/rules.yaml"
    file.write_text(file.read_text().replace('ratio_rate30d{service="orders"} / 0.001', "ratio_rate30d / 0.01"))
    assert "FAILED" in budget(service, tmp_path, series, expected[0])


def test_a_mutated_threshold_is_seen(service: Path, tmp_path: Path) -> None:
    file = service / ".golden-path/slo/rules.yaml"
    file.write_text(file.read_text().replace("> 14.4 * 0.001", "> 44.4 * 0.001").replace("> 6 * 0.001", "> 26 * 0.001"))
    assert alerts(service, tmp_path, 20 * BUDGET) == {TICKET}


def test_objectives_are_changed_in_one_file(service: Path, tmp_path: Path) -> None:
    assert script(service, "slo", "check").returncode == 0
    file = service / "slo.yaml"
    file.write_text(file.read_text().replace("objective: 99.9 ", "objective: 99 "))
    done = script(service, "slo", "check")
    assert done.returncode == 1
    assert ".golden-path/slo/rules.yaml does not follow from slo.yaml: run make slo and commit it" in done.stderr
    assert script(service, "slo", "write").returncode == 0
    assert script(service, "slo", "check").returncode == 0
    assert alerts(service, tmp_path, 7 * BUDGET) == set()
    analysis = yaml.safe_load((service / ".golden-path/slo/analysis.yaml").read_text())
    assert analysis["spec"]["metrics"][0]["successCondition"].endswith("<= 0.144")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            "objective: 99.9 ",
            "objective: 100 ",
            "availability.objective must be a number from 50 to below 100, not 100",
        ),
        ("objective: 99.9 ", "objective: most ", "availability.objective must be a number"),
        ("threshold_ms: 500", "threshold_ms: 300", "latency.threshold_ms must be a bucket of the histogram: 5, 10, 25"),
        ("latency:", "latancy:", "it lacks 'latency'"),
        ("availability:", "- x", "it is not the YAML that is expected"),
    ],
)
def test_bad_objectives_are_refused_in_one_line(service: Path, old: str, new: str, reason: str) -> None:
    file = service / "slo.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    done = script(service, "slo", "write")
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line.startswith(f"  FAIL  slo.yaml: {reason}")
    assert script(service, "slo", "check").returncode == 2


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_every_alert_links_to_a_section_of_the_runbook(service: Path) -> None:
    written = re.findall(r"^#+ (.+)$", (service / "docs/runbook.md").read_text(), re.MULTILINE)
    anchors = {slug(heading) for heading in written}
    found = only(objects((service / ".golden-path/slo/rules.yaml").read_text()), "PrometheusRule")
    links = [rule["annotations"]["runbook_url"] for rule in found["spec"]["groups"][1]["rules"]]
    assert len(links) == 2 * len(WINDOWS)
    for link in links:
        file, _, anchor = link.partition("#")
        assert file == "https://github.com/acme/orders/blob/main/docs/runbook.md"
        assert anchor in anchors


def test_the_dashboard_asks_for_what_is_there(service: Path, tmp_path: Path) -> None:
    """Every query of the dashboard is PromQL, and what it reads is recorded or exposed."""
    config: dict[str, Any] = yaml.safe_load((service / ".golden-path/slo/dashboard.yaml").read_text())
    [model] = [json.loads(text) for text in config["data"].values()]
    queries = [target["expr"] for panel in model["panels"] for target in panel["targets"]]
    assert len(queries) == 7
    recorded = {rule["record"] for rule in yaml.safe_load(rules(service, tmp_path).read_text())["groups"][0]["rules"]}
    for query in queries:
        done = promtool("check", "rules", wrap(tmp_path, query), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert METRIC in query or any(name in query for name in recorded)


def wrap(folder: Path, query: str) -> Path:
    file = folder / "query.yaml"
    rule = {"record": "one", "expr": query.replace("$namespace", "n")}
    file.write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": [rule]}]}))
    return file
