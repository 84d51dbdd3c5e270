"""plan and status of a whole fleet: what they say, and the page in a real browser."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from golden_path.rendering.render import Renderer
from golden_path.rollout import clones, fleet_file, page
from golden_path.rollout.overview import Row
from tests.labs.browser import Browser
from tests.labs.template import commit_all, git
from tests.updates import cases, fleets, foreign
from tests.updates.commands import as_json, command, environment, golden_path
from tests.updates.fleets import BRANCH, Fleet
from tests.updates.foreign import NEW, OLD

SHA = {version: f"{version[1]}" * 40 for version in (OLD, NEW)}


@pytest.fixture
def fleet(tmp_path: Path, renderer: Renderer) -> Fleet:
    """Three services: one upgraded by a branch with a conflict, one that cannot be reached, one as it was."""
    made = fleets.make(tmp_path, renderer, {"first": 2, "rest": 1}, [foreign.line("b.txt", 3, cases.MINE)])
    gone = made.rings["first"][1]
    gone.rename(gone.with_name("elsewhere"))
    return made


def test_plan(fleet: Fleet) -> None:
    before = [fleets.refs(one) for one in (fleet.services[0], fleet.services[2], fleet.folder)]
    done = golden_path("plan", "--fleet", fleet.file)
    assert done.returncode == 3
    assert done.stderr.startswith("golden-path: first-02: ")
    assert len(done.stderr.splitlines()) == 1
    head, first, rest, total = (line.split() for line in done.stdout.splitlines())
    assert head[:6] == ["service", "ring", "from", "to", "risk", "conflict"]
    assert first == ["first-01", "first", OLD, NEW, "high", "1", "-", "1", "1", "1", "-"]
    assert rest[:2] == ["rest-01", "rest"]
    assert " ".join(total) == "3 services: 2 to upgrade, 2 of them with conflicts, 1 cannot be planned"
    told = as_json("plan", "--fleet", fleet.file, "--to", NEW)
    assert (told[0]["name"], told[0]["files"]["b.txt"][0], told[0]["conflicts"]) == ("first-01", "conflict", 1)
    assert "cannot be reached" in told[1]["problem"]
    assert [fleets.refs(one) for one in (fleet.services[0], fleet.services[2], fleet.folder)] == before
    assert "has no version 'v9'" in golden_path("plan", "--fleet", fleet.file, "--to", "v9").stderr


def test_status(fleet: Fleet) -> None:
    fleet.run("advance")
    fleets.ci(fleet.services[:1], "red")
    done = golden_path("status", "--fleet", fleet.file)
    assert done.returncode == 4
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[1] == ["first-01", "first", OLD, NEW, "1", "2", "-", "none", "open", "red", "1", "to", "decide"]
    told = {one["name"]: one for one in as_json("status", "--fleet", fleet.file)}
    assert told["first-01"]["drift"] == {"a.txt": "changed", "b.txt": "changed"}
    assert (told["first-01"]["pull"], told["first-01"]["checks"], told["first-01"]["url"]) == ("open", "red", BRANCH)
    assert told["rest-01"]["pull"] == ""
    assert "cannot be reached" in told["first-02"]["problem"]


def test_pins_that_the_newest_version_moved(tmp_path: Path, renderer: Renderer) -> None:
    """A digest that somebody moved is not behind; a plain version counts only beside its name."""
    text = "uses: acme/checkout@{0} # {1}\nimage: base@sha256:{0}{0}\n"
    text += "tool==1.{2}.0\nother 1.{2}.0\nLINTER_VERSION := 1.{2}.0\n"
    pinned = 'actions: {{acme/checkout: "{0} # {1}"}}\nimages: {{base: "base@sha256:{0}{0}"}}\n' \
             'tools: {{tool: "1.{2}.0", linter-run: "1.{2}.0", absent: "1.{2}.0"}}\n'  # fmt: skip
    source = foreign.template(tmp_path / "template", [foreign.write("ci.yml", text.format(SHA[OLD], OLD, 1))])
    (source / "pins.yaml").write_text(pinned.format(SHA[OLD], OLD, 1))
    commit_all(source, "Pins")
    git(source, "tag", "--force", OLD)
    (source / "pins.yaml").write_text(pinned.format(SHA[NEW], NEW, 2))
    (source / "template/ci.yml").write_text(text.format(SHA[NEW], NEW, 2))
    commit_all(source, "Second")
    git(source, "tag", NEW)
    for name, version in (("old", OLD), ("new", NEW)):
        foreign.render(renderer, source, version, tmp_path / name)
        commit_all(tmp_path / name)
    foreign.service(renderer, source, tmp_path / "moved", foreign.line("ci.yml", 2, f"image: base@sha256:{'9' * 80}"))
    made = Fleet(tmp_path / "fleet", source, {"all": [tmp_path / name for name in ("old", "new", "moved")]})
    made.folder.mkdir()
    made.write()
    told = {one["name"]: one["pins"] for one in as_json("status", "--fleet", made.file)}
    assert set(told["old"]) == {"acme/checkout", "base", "tool", "linter-run"}
    assert told["old"]["tool"] == ["1.1.0", "1.2.0"]
    assert told["new"] == {}
    assert set(told["moved"]) == {"acme/checkout", "tool", "linter-run"}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["plan"], "name a PATH, or a fleet with --fleet FILE"),
        (["plan", ".", "--fleet", "x"], "name a PATH, or a fleet with --fleet FILE"),
        (["status"], "name a PATH, or a fleet"),
        (["status", ".", "--html", "x"], "--html needs --fleet"),
        (["plan", "--fleet", "x", "--data", "a=b"], "--answers-file, --data and --diff are for one service"),
        (["plan", "--fleet", "x", "--jobs", "0"], "must be a number from 1"),
    ],
)
def test_wrong_arguments(arguments: list[str], reason: str) -> None:
    done = golden_path(*arguments)
    assert done.returncode == 2
    assert reason in done.stderr


def test_a_progress_bar_only_on_a_terminal(fleet: Fleet) -> None:
    assert "[" not in golden_path("plan", "--fleet", fleet.file).stderr
    leader, follower = pty.openpty()
    process = subprocess.Popen(command("plan", "--fleet", fleet.file), env=environment(), stdout=subprocess.PIPE,
                               stderr=follower, text=True)  # fmt: skip
    output, _ = process.communicate(timeout=120)
    os.close(follower)
    shown = os.read(leader, 1 << 16).decode()
    os.close(leader)
    assert "plan [" in shown
    assert "3/3 rest-01" in shown
    assert shown.split("\x1b[K")[-1].startswith("golden-path: first-02: ")  # the bar is gone before anything is said
    assert "3/3" not in output


def test_clones_are_bounded(fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    golden_path("plan", "--fleet", fleet.file)
    kept = sorted(clones.folder().iterdir(), key=lambda one: one.stat().st_mtime)
    assert len(kept) == 3
    clones.bound()
    assert len(list(clones.folder().iterdir())) == 3
    last = sum(file.lstat().st_blocks * 512 for file in kept[-1].rglob("*"))
    clones.bound(last)
    assert list(clones.folder().iterdir()) == kept[-1:]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as one:
        yield one


def many(number: int) -> tuple[fleet_file.Fleet, list[Row]]:
    """A fleet with a row of each kind, by the number of the service."""
    known = ["v1.0.0", "v1.2.0", "v1.10.0", "v2.0.0"]
    rows = []
    for index in range(number):
        name, version = f"service-{index:04}", known[index % 4]
        behind = tuple(known[index % 4 + 1 :])
        ring = ("canary", "rest")[index > 9]
        if index == 5:
            rows.append(Row(name, ring, "x", problem="it <cannot> be reached", code=4))
            continue
        rows.append(Row(
            name, ring, f"https://git.example.com/{name}", version, "v2.0.0", behind,
            {'<img src=x onerror="alert(1)">': "changed"} if index % 10 == 1 else {},
            {"acme/checkout": ("old", "new")} if behind else {}, f"2026-0{index % 9 + 1}-01T00:00:00Z",
            "open" if index == 2 else "", "red" if index == 2 else "", "https://git.example.com/pull/7",
            3 if index == 2 else 0,
        ))  # fmt: skip
    rings = tuple(fleet_file.Ring(name, ()) for name in ("canary", "rest"))
    return fleet_file.Fleet(Path("fleet.yaml"), "gh:acme/<template>", rings), rows


def names(browser: Browser, first: int = 3) -> list[str]:
    shown: list[str] = browser.value(
        "[...document.querySelectorAll('tbody tr:not([hidden]) th')].map(e => e.textContent)"
    )
    return shown[:first]


def count(browser: Browser) -> int:
    shown: str = browser.value("document.getElementById('count').textContent")
    rows: int = browser.value("document.querySelectorAll('tbody tr:not([hidden])').length")
    assert int(shown) == rows
    return rows


def test_the_page_in_a_browser(browser: Browser, tmp_path: Path) -> None:
    """2,000 services: sorted by mouse and keyboard, filtered; nothing is loaded, and only the script runs."""
    file = tmp_path / "fleet.html"
    fleet, rows = many(2000)
    file.write_text(page.html(fleet, rows, "Rollout of v2.0.0: <running>."))
    browser.open(file)
    assert browser.requests == [file.as_uri()]
    assert browser.value("document.querySelector('h1').textContent") == "Fleet of gh:acme/<template>"
    assert browser.value("document.querySelector('p').textContent").endswith("Rollout of v2.0.0: <running>.")
    assert count(browser) == 2000
    tiles = browser.value("[...document.querySelectorAll('dl div')].map(e => e.innerText.replace(/\\s+/, ' '))")
    assert [one.split()[-1] for one in tiles] == ["2000", "500", "1499", "200", "1499", "1", "1", "1"]

    browser.click("thead th:nth-child(3) button")
    assert names(browser, 2) == ["service-0005", "service-0000"]
    versions = browser.value("[...document.querySelectorAll('tbody tr')].slice(1).map(e => e.cells[2].textContent)")
    assert versions == sorted(versions, key=["v1.0.0", "v1.2.0", "v1.10.0", "v2.0.0"].index)
    assert browser.value("document.querySelector('th:nth-child(3)').getAttribute('aria-sort')") == "ascending"
    browser.click("thead th:nth-child(3) button")
    assert names(browser, 1) == ["service-0003"]
    browser.value("document.querySelector('thead th:nth-child(9) button').focus()")
    for _ in range(2):
        browser.press("Enter", 13, "\r")
    assert names(browser, 1) == ["service-0002"]
    sorts = browser.value("[...document.querySelectorAll('thead th')].map(e => e.getAttribute('aria-sort'))")
    assert sorts == ["none"] * 8 + ["descending"]

    browser.type("#text", "CE-19")
    assert count(browser) == 100
    browser.type("#text", "")
    browser.value("document.querySelector('#group').value = 'canary'")
    browser.value("document.querySelector('#group').dispatchEvent(new Event('input', {bubbles: true}))")
    assert count(browser) == 10
    browser.value("document.querySelector('#show').value = 'drift'")
    browser.value("document.querySelector('#show').dispatchEvent(new Event('input', {bubbles: true}))")
    assert names(browser) == ["service-0001"]
    browser.click("tbody tr:not([hidden]) td:nth-child(5) summary")
    text = browser.value("document.querySelector('tbody tr:not([hidden]) td:nth-child(5) li').innerText")
    assert text == '<img src=x onerror="alert(1)">: changed'
    assert browser.requests == [file.as_uri()]
    assert browser.problems == []

    tree = browser.call("Accessibility.getFullAXTree")["nodes"]
    roles = [one["role"]["value"] for one in tree if not one["ignored"]]
    assert (roles.count("columnheader"), roles.count("rowheader"), roles.count("searchbox")) == (9, 1, 1)
    labels = {one["name"]["value"] for one in tree if one["role"]["value"] in ("searchbox", "combobox")}
    assert labels == {"Service", "Ring", "Show"}


def test_its_policy_lets_nothing_else_run(browser: Browser, tmp_path: Path) -> None:
    fleet, rows = many(3)
    text = page.html(fleet, rows, "")
    file = tmp_path / "changed.html"
    file.write_text(
        text.replace("</body>", "<script>document.title = 'run'</script><img src='http://127.0.0.1:9/'></body>")
    )
    before = len(browser.requests)
    browser.open(file)
    assert browser.value("document.title") == "Fleet of gh:acme/<template>"
    assert [one for one in browser.requests[before:] if one.startswith("http")] == []
    assert any("violates the following Content Security Policy" in one for one in browser.problems)
    browser.problems.clear()


def test_status_writes_the_page(fleet: Fleet, browser: Browser, tmp_path: Path) -> None:
    fleet.run("advance")
    file = tmp_path / "fleet.html"
    told = golden_path("status", "--fleet", fleet.file, "--html", file, "--json")
    assert len(json.loads(told.stdout)) == 3
    browser.open(file)
    assert count(browser) == 3
    assert browser.value("document.querySelector('p').textContent").endswith(
        f"Rollout of {NEW}, in the ring first: running."
    )
    row = browser.value("[...document.querySelector('tbody tr').cells].map(e => e.innerText.trim())")
    assert row == ["first-01", "first", OLD, "1", "2", "none there", "none", "open", "1"]
