"""What ``--json`` prints is what docs/reference/schemas says, for every command that has the option."""

from __future__ import annotations

import argparse
import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from golden_path import cli
from golden_path.adopting import adoption
from golden_path.errors import Exit
from golden_path.rendering.render import Renderer
from golden_path.rollout import commands, forges, steps
from golden_path.rules import book as rules
from golden_path.upgrade import apply, changes, plan, rollback, status
from tests.labs.template import commit_all, git
from tests.labs.toolchains import ROOT
from tests.updates import cases, existing, fleets, foreign
from tests.updates.commands import as_json
from tests.updates.test_report import FLEET, Events

FOLDER = ROOT / "docs/reference/schemas"
SCHEMAS: dict[str, dict[str, Any]] = {one.stem: json.loads(one.read_text()) for one in sorted(FOLDER.glob("*.json"))}
BRANCH = f"golden-path/{foreign.NEW}"
Said = dict[str, list[Any]]  # documents by the name of their schema


def errors(name: str, document: Any) -> list[str]:
    """What a maintained validator says against a document."""
    return [one.message for one in Draft202012Validator(SCHEMAS[name]).iter_errors(document)]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory, renderer: Renderer) -> Said:
    """What the commands say in the situations that differ in form."""
    folder = tmp_path_factory.mktemp("schemas")
    with pytest.MonkeyPatch.context() as patch:  # as own_settings, which is a fixture of one test
        patch.setenv("COPIER_SETTINGS_PATH", str(folder / "settings.yml"))
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        (folder / "settings.yml").write_text("{}\n")
        found: Said = {}
        for one in (one_service, an_adoption, a_rehearsal, a_fleet, a_report):
            for name, document in one(folder / one.__name__, renderer):
                found.setdefault(name, []).append(document)
    return found


def one_service(folder: Path, renderer: Renderer) -> Iterator[tuple[str, Any]]:
    new = [foreign.line("a.txt", 9, cases.THEIRS), foreign.write("new.txt"), foreign.move("dir", "moved")]
    source = foreign.template(folder / "template", cases.FIRST, new, questions="name: {type: str, default: orders}\n")
    edits = [foreign.line("a.txt", 9, cases.MINE), foreign.line("b.txt", 27, cases.MINE)]
    service = foreign.service(renderer, source, folder / "service", *edits)
    yield "plan", as_json("plan", service, "--data", "name=other")
    foreign.write("new.txt", "in no commit\n")(service)
    yield "apply", as_json("apply", service)
    (service / "new.txt").unlink()
    yield "apply", as_json("apply", service)
    yield "status", as_json("status", service, folder)
    yield "rollback", as_json("rollback", service)
    as_json("apply", service)
    git(service, "merge", "--quiet", "--no-edit", BRANCH)
    yield "apply", as_json("apply", service)
    yield "plan", as_json("plan", service)
    yield "rollback", as_json("rollback", service)
    yield "rollback", as_json("rollback", service)
    foreign.delete("a.txt")(service)
    commit_all(service)
    yield "doctor", as_json("doctor", service)
    yield "status", as_json("status", service)


def an_adoption(folder: Path, renderer: Renderer) -> Iterator[tuple[str, Any]]:
    del renderer
    first = [foreign.write("README.md"), foreign.write("new.txt"), foreign.write("seeded.txt"), foreign.write("x.env")]
    source = foreign.template(folder / "template", first)
    (source / "adopt.yml").write_text("parts: {all: {files: [/new.txt]}}\n")
    commit_all(source, "Parts")
    git(source, "tag", "--force", foreign.OLD)
    files = {"README.md": "# Mine\n", "seeded.txt": "mine\n", ".gitignore": "*.env\n", "Dockerfile": "FROM scratch\n"}
    theirs = existing.write(folder / "theirs", files)
    yield "doctor", as_json("doctor", theirs)
    yield "adopt", as_json("adopt", theirs, "--template", source, "--diff")
    yield "adopt", as_json("adopt", theirs, "--template", source)
    yield "adopt", as_json("adopt", theirs, "--template", source)
    git(theirs, "merge", "--quiet", as_json("adopt", theirs, "--template", source)["branch"])
    yield "adopt", as_json("adopt", theirs, "--only", "all")


def a_rehearsal(folder: Path, renderer: Renderer) -> Iterator[tuple[str, Any]]:
    del renderer
    source = foreign.template(folder / "template", cases.FIRST)
    (source / "copier.yml").write_text(f"{foreign.SETTINGS}name: {{type: str}}\n")
    commit_all(source, "No default, which refuses every set of answers")
    git(source, "tag", foreign.NEW)
    foreign.line("a.txt", 9, cases.THEIRS)(source / "template")
    commit_all(source, "A change")
    versions = ("--from", foreign.OLD, "--from", foreign.NEW)
    yield "simulate", as_json("simulate", source, *versions, "--edits", "2", "--check", "false")


def a_fleet(folder: Path, renderer: Renderer) -> Iterator[tuple[str, Any]]:
    folder.mkdir()
    fleet = fleets.make(folder, renderer, {"first": 2, "rest": 1}, [foreign.line("b.txt", 3, cases.MINE)])
    yield "fleet", fleet.told("status")
    yield "fleet", fleet.told("judge")
    yield "fleet", fleet.told("advance")
    fleets.ci(fleet.rings["first"][:1], "red")
    gone = fleet.rings["first"][1]
    gone.rename(gone.with_suffix(".elsewhere"))
    yield "plan-fleet", as_json("plan", "--fleet", fleet.file)
    yield "status-fleet", as_json("status", "--fleet", fleet.file)
    yield "fleet", fleet.told("status")
    gone.with_suffix(".elsewhere").rename(gone)
    fleets.merge([gone])
    yield "fleet", fleet.told("rollback")
    fleets.merge([gone], fleets.REVERT)
    yield "fleet", fleet.told("advance")


def a_report(folder: Path, renderer: Renderer) -> Iterator[tuple[str, Any]]:
    del renderer
    folder.mkdir()
    some = Events(folder / "events.jsonl")
    some.out("orders", 1, 1)
    some.write("service.rolledback", "orders", 2)
    (folder / "fleet.yaml").write_text(FLEET)
    yield "report", as_json("report", some.file, "--fleet", folder / "fleet.yaml")


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_a_command_says_is_as_its_schema_has_it(name: str, said: Said) -> None:
    assert said[name]
    for document in said[name]:
        assert errors(name, document) == []


def test_each_status_was_said(said: Said) -> None:
    for name in ("apply", "rollback", "adopt"):
        assert {one["status"] for one in said[name]} == set(SCHEMAS[name]["properties"]["status"]["enum"])
    assert {one["state"] for one in said["fleet"]} == {"none", "running", "stopped", "back"}
    assert {one["state"] for told in said["fleet"] for one in told["services"]} >= {
        "todo",
        "pending",
        "red",
        "returning",
    }
    assert any("problem" in one for one in said["status"][0])
    assert any(one["problem"] for one in said["status-fleet"][0])
    assert all(said["simulate"][0][key] for key in ("broken", "upgrades", "refused"))
    assert any(one["findings"] for one in said["doctor"])


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_is_otherwise_is_refused(name: str, said: Said) -> None:
    """A field less, a field more, and another type, in each object of what a command said."""
    for field in list(_first_row(said[name][0])):
        document = copy.deepcopy(said[name][0])
        row = _first_row(document)
        value = row.pop(field)
        if "oneOf" not in str(SCHEMAS[name]):
            assert errors(name, document) == [f"{field!r} is a required property"]
        row |= {field: value, "invented": 1}
        assert "invented" in " ".join(errors(name, document))
        del row["invented"]
        row[field] = {"a thing": 1} if isinstance(value, str) else "a text"
        assert errors(name, document), field


def _first_row(document: Any) -> dict[str, Any]:
    row = document[0] if isinstance(document, list) else document
    assert isinstance(row, dict)
    return row


@pytest.mark.parametrize(
    ("name", "place", "word"),
    [
        ("apply", ["status"], "there already"),
        ("apply", ["files", 0, "status"], "in conflict"),
        ("rollback", ["status"], "there already"),
        ("adopt", ["status"], "nothing changed"),
        ("adopt", ["files", 0, "status"], "left out"),
        ("fleet", ["state"], "taken back"),
    ],
)
def test_a_word_of_before_is_refused(name: str, place: list[Any], word: str, said: Said) -> None:
    document = copy.deepcopy(said[name][0])
    *before, last = place
    row = document
    for step in before:
        row = row[step]
    row[last] = word
    [reason] = errors(name, document)
    assert reason.startswith(f"{word!r} is not one of [")


def words(schema: Any, name: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Yield each list of words with the name of its property."""
    if isinstance(schema, dict):
        if "enum" in schema:
            yield name, schema["enum"]
        for key, value in schema.items():
            yield from words(value, name if key in ("items", "additionalProperties", "prefixItems") else key)
    elif isinstance(schema, list):
        for value in schema:
            yield from words(value, name)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_valid_closed_and_of_single_words(name: str) -> None:
    schema = SCHEMAS[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    for _, listed in words(schema):
        assert all(isinstance(one, int) or re.fullmatch(r"([a-z]+(-[a-z]+)*)?", one) for one in listed), listed
    text = json.dumps(schema)
    assert text.count('"properties":') == text.count('"additionalProperties": false')


def test_a_schema_that_is_wrong_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = copy.deepcopy(SCHEMAS["rollback"])
    bad["properties"]["status"]["enum"].append("there already")
    monkeypatch.setitem(SCHEMAS, "rollback", bad)
    with pytest.raises(AssertionError, match="there already"):
        test_a_schema_is_valid_closed_and_of_single_words("rollback")


# Where the code has the words.
CODE: list[tuple[str, str, set[Any]]] = [
    ("plan", "status", set(changes.STATUSES)),
    ("plan", "risk", {plan.LOW, plan.MEDIUM, plan.HIGH}),
    ("apply", "status", {apply.CREATED, apply.THERE, apply.CURRENT, *changes.STATUSES}),
    ("rollback", "status", {rollback.REMOVED, rollback.REVERTED, rollback.THERE}),
    ("status", "drift", {status.CHANGED, status.DELETED}),
    ("adopt", "status", {apply.CREATED, apply.THERE, adoption.SHOWN, adoption.NOTHING, *adoption.STATUSES}),
    ("doctor", "severity", set(rules.SEVERITIES)),
    ("plan-fleet", "files", set(changes.STATUSES)),
    ("plan-fleet", "risk", {plan.LOW, plan.MEDIUM, plan.HIGH, ""}),
    ("plan-fleet", "code", set(Exit)),
    ("status-fleet", "checks", {forges.GREEN, forges.RED, forges.PENDING, forges.UNKNOWN}),
    ("status-fleet", "pull", {forges.OPEN, forges.CLOSED, ""}),
    ("status-fleet", "code", set(Exit)),
    ("fleet", "state", {"none", *commands.STATES.values(), *commands.RINGS, *steps.FORWARD, *steps.BACKWARD}),
    ("fleet", "code", set(Exit)),
]


@pytest.mark.parametrize(("name", "field", "known"), CODE, ids=lambda value: value if isinstance(value, str) else "")
def test_the_words_are_those_of_the_code(name: str, field: str, known: set[Any]) -> None:
    assert {one for key, listed in words(SCHEMAS[name]) if key == field for one in listed} == known


def _with_json(parser: argparse.ArgumentParser, name: str = "") -> Iterator[str]:
    for action in parser._actions:
        if "--json" in action.option_strings:
            yield name
        if isinstance(action, argparse._SubParsersAction):
            for verb, child in action.choices.items():
                yield from _with_json(child, name or verb)


def test_every_json_has_a_schema_and_every_schema_is_of_one() -> None:
    of_services = set(_with_json(cli._parser()))
    assert of_services == {"plan", "apply", "rollback", "status", "adopt", "doctor", "simulate", "fleet", "report"}
    assert set(SCHEMAS) == {*of_services, "plan-fleet", "status-fleet"}
