"""A rehearsal says what a change of a template would do, and is green where it does no harm."""

from __future__ import annotations

import itertools
import json
import re
import sys
import time
from pathlib import Path

import pytest
import yaml

from golden_path.errors import FleetError
from golden_path.rehearsal import one as rehearsed
from golden_path.rehearsal import scenarios, simulate
from golden_path.rehearsal.outcome import as_json
from golden_path.rehearsal.scenarios import Scenarios
from golden_path.rendering.render import Renderer
from golden_path.source.config import load
from tests.labs import template as lab
from tests.labs.template import commit_all, git
from tests.labs.toolchains import ROOT
from tests.updates import cases, foreign
from tests.updates.commands import golden_path, runs

QUESTIONS = """\
name: {type: str, default: orders}
kind: {type: str, choices: {Web: web, Batch: batch}, default: batch}
size: {type: str, choices: [s, m, l], default: m}
public: {type: bool, default: true}
computed: {type: bool, when: false, default: true}
"""
EDIT = Scenarios(answers=[{"kind": "web"}, {}], edits=[{"path": "a.txt", "replace": ["line 9\n", "mine\n"]}])
BUILD = "#!/bin/sh\ntest -f b.txt\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two releases; a change goes on top."""
    return foreign.template(
        tmp_path / "template",
        [*cases.FIRST, foreign.write("build.sh", BUILD)],
        [foreign.line("b.txt", 2, "second")],
        questions=QUESTIONS,
    )


def change(source: Path, *steps: foreign.Step) -> None:
    for step in steps:
        step(source / "template")
    commit_all(source, "A change under review")
    git(source, "checkout", "--quiet", "--detach")  # as CI checks it out


def test_a_change_at_an_edited_line_is_reported(source: Path, renderer: Renderer) -> None:
    change(source, foreign.line("a.txt", 9, cases.THEIRS))
    done = simulate.simulate(str(source), renderer, given=EDIT, edits=0)
    assert [row.old for row in done.rows] == ["v1.0.0"] * 4 + ["v2.0.0"] * 4
    assert [bool(row.conflicts) for row in done.rows] == [False, True] * 4
    assert done.rate == 100
    assert done.files == [("a.txt", 4)]
    assert [row.lines for row in done.rows if not row.edited] == [6, 6, 4, 4]  # with _commit in the answers file


@pytest.mark.parametrize(
    "step",
    [foreign.line("a.txt", 25, cases.THEIRS), foreign.write("new.txt"), foreign.line("seeded.txt", 3, cases.THEIRS)],
)
def test_a_harmless_change_is_not(step: foreign.Step, source: Path, renderer: Renderer) -> None:
    change(source, step)
    done = simulate.simulate(str(source), renderer, given=EDIT, edits=0, check="sh build.sh")
    assert done.rate == 0
    assert not done.files
    assert not done.broken
    assert not done.problems


def test_a_check_that_leaves_a_program_behind_ends_at_its_limit(
    source: Path, renderer: Renderer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsed, "TIMEOUT", 1)
    change(source, foreign.line("a.txt", 25, cases.THEIRS))
    check = f"sleep 60 & echo $! >>{tmp_path}/left; wait"
    done = simulate.simulate(str(source), renderer, given=Scenarios(answers=[{}]), edits=0, last=1, check=check)
    assert {row.broken for row in done.rows} == {"no end after 1 seconds (before the upgrade, too)"}
    end = time.monotonic() + 5
    while any(map(runs, map(int, (tmp_path / "left").read_text().split()))):
        assert time.monotonic() < end


def test_a_broken_build_is_reported_with_its_reason(source: Path, renderer: Renderer) -> None:
    change(source, foreign.delete("b.txt"), foreign.write("build.sh", BUILD + "echo fine\n"))
    check = "sh build.sh || { echo b.txt is missing >&2; exit 1; }"
    done = simulate.simulate(str(source), renderer, given=EDIT, edits=0, check=check)
    assert {row.broken for row in done.rows} == {""}
    foreign.write("build.sh", "#!/bin/sh\nset -e\ntest -f b.txt\n")(source / "template")
    commit_all(source, "Needs what is not there")
    done = simulate.simulate(str(source), renderer, given=EDIT, edits=0, check=check)
    assert {row.broken for row in done.rows if not row.edited} == {"b.txt is missing"}
    assert {row.broken for row in done.rows if row.edited} == {""}


def test_edits_at_random_find_conflicts_and_are_the_same_each_time(source: Path, renderer: Renderer) -> None:
    change(source, *(foreign.line("a.txt", number, f"{cases.THEIRS} {number}") for number in range(1, 31)))
    first = simulate.simulate(str(source), renderer, old=["v1.0.0"], services=4)
    again = simulate.simulate(str(source), renderer, old=["v1.0.0"], services=4)
    assert as_json(first) == as_json(again)
    assert first.rate > 0
    other = simulate.simulate(str(source), renderer, old=["v1.0.0"], services=4, seed="1")
    assert as_json(first) != as_json(other)


def test_answers_meet_in_pairs(source: Path) -> None:
    rows = scenarios.pairwise(load(source), 50)
    names: dict[str, list[object]] = {"kind": ["batch", "web"], "size": ["m", "s", "l"], "public": [True, False]}
    assert rows[0] == {"kind": "batch", "size": "m", "public": True}
    for one, other in itertools.combinations(names, 2):
        met = {(row[one], row[other]) for row in rows}
        assert met == set(itertools.product(names[one], names[other]))
    assert len(rows) < 12
    assert len(scenarios.pairwise(load(source), 3)) == 3


def test_answers_that_do_not_go_together_are_dropped_or_named(source: Path, renderer: Renderer) -> None:
    together = QUESTIONS.replace(
        "size: {type: str,", "size: {type: str, validator: \"{% if size == 'l' and kind == 'web' %}no{% endif %}\","
    )
    (source / "copier.yml").write_text(foreign.SETTINGS + together)
    commit_all(source, "Not together")
    git(source, "tag", "v3.0.0")
    change(source, foreign.write("new.txt"))
    done = simulate.simulate(str(source), renderer, old=["v3.0.0"], services=20, edits=0)
    assert not done.refused
    assert {row.answers.get("size") for row in done.rows if row.answers["kind"] == "web"} == {"s", "m", None}
    assert {row.answers.get("size") for row in done.rows if row.answers["kind"] == "batch"} == {"s", "m", "l"}
    with pytest.raises(FleetError, match="kind=web, size=l: "):
        simulate.simulate(str(source), renderer, given=Scenarios([{"kind": "web", "size": "l"}]), old=["v3.0.0"])


def test_the_command(source: Path, tmp_path: Path) -> None:
    change(source, foreign.line("a.txt", 9, cases.THEIRS))
    file = tmp_path / "answers.yaml"
    file.write_text(yaml.safe_dump({"answers": list(EDIT.answers), "edits": list(EDIT.edits)}))
    before = git(source, "for-each-ref"), git(source, "status", "--porcelain")
    command = ("simulate", source, "--answers", file, "--edits", "0")
    done = golden_path(*command)
    assert done.returncode == 0, done.stderr
    assert "100.0 % of the edited services have a conflict" in done.stdout
    assert "  conflict  a.txt, 4 times" in done.stdout
    done = golden_path(*command, "--max-conflict-rate", "10", "--json")
    assert done.returncode == 3
    assert done.stderr == "golden-path: 100.0 % of the services are in conflict, more than 10 %\n"
    said = json.loads(done.stdout)
    assert said["conflict_rate"] == 100
    assert said["change"] == git(source, "rev-parse", "HEAD")
    assert {one["from"] for one in said["upgrades"]} == {"v1.0.0", "v2.0.0"}
    assert (git(source, "for-each-ref"), git(source, "status", "--porcelain")) == before
    assert golden_path(*command, "--check", "false").returncode == 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("answers: 1\n", "has to be a list of answers"),
        ("- 1\n", "has to be a list of answers"),
        ("- {kind: no}\n", "does not accept an answer"),
        ("edits: [{path: a.txt}]\n", "an edit has a path and one of append, delete, move, replace, write"),
        ("edits: [{path: ../a.txt, delete: true}]\n", "is not in the service"),
        ("a: [\n", "cannot be read"),
    ],
)
def test_bad_scenarios_are_one_line(text: str, reason: str, source: Path, tmp_path: Path) -> None:
    change(source, foreign.write("new.txt"))
    (tmp_path / "answers.yaml").write_text(text)
    done = golden_path("simulate", source, "--answers", tmp_path / "answers.yaml")
    assert done.returncode != 0
    assert reason in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_where_every_set_of_answers_is_refused(source: Path, tmp_path: Path) -> None:
    """That is no success, whatever the limits; with the answers it is."""
    asked = QUESTIONS.replace("name: {type: str, default: orders}", "name: {type: str}")
    (source / "copier.yml").write_text(foreign.SETTINGS + asked)
    commit_all(source, "No default")
    git(source, "tag", "v3.0.0")
    change(source, foreign.write("new.txt"))
    command = ("simulate", source, "--from", "v3.0.0", "--edits", "0")
    done = golden_path(*command)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (6, "", 1)
    assert "every set of answers was refused: kind=batch, size=m, public=True: " in done.stderr
    assert "asks 'name' and has no default: answer name in a file with --answers FILE" in done.stderr
    mixed = golden_path(*command, "--from", "v1.0.0")
    assert mixed.returncode == 3
    assert "  failed    v3.0.0, defaults: every set of answers was refused: kind=batch" in mixed.stdout
    (tmp_path / "answers.yml").write_text("[{name: orders}]\n")
    assert golden_path(*command, "--answers", tmp_path / "answers.yml").returncode == 0


def test_no_version_to_come_from(source: Path, renderer: Renderer) -> None:
    with pytest.raises(FleetError, match="name a version with --from"):
        simulate.simulate(str(source), renderer, to="v1.0.0")
    with pytest.raises(FleetError, match="no version 'v9'"):
        simulate.simulate(str(source), renderer, old=["v9"])


def checked() -> str:
    """The check of ``make simulate``, with this Python."""
    found = re.search(r"^SIMULATE_CHECK := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found
    return found[1].replace("$(CURDIR)/$(PYTHON)", sys.executable)


def test_our_template_with_the_answers_of_its_own_ci(tmp_path: Path, renderer: Renderer) -> None:
    """A change at a line that people edit is reported, and one that breaks the service, another one is not."""
    history = lab.snapshot(tmp_path / "golden-path")
    given = scenarios.load(ROOT / "tests" / "updates" / "scenarios.yaml")
    first = Scenarios(given.answers[:1], given.edits)
    foreign.append("template/.golden-path/docker-bake.hcl.jinja", "# again\n")(history)
    commit_all(history, "Harmless")
    done = simulate.simulate(str(history), renderer, given=first, edits=0, check=checked())
    assert (done.rate, done.broken) == (0, [])
    ci = history / "template" / ".github" / "workflows" / "ci.yml.jinja"
    minutes = next(edit["replace"][0] for edit in given.edits if edit["path"].endswith("workflows/ci.yml"))
    assert minutes in ci.read_text()
    ci.write_text(ci.read_text().replace(minutes, "timeout-minutes: 31"))
    foreign.append("template/Makefile.jinja", "endif\n")(history)
    commit_all(history, "At a line that people edit, and a Makefile that make cannot read")
    done = simulate.simulate(str(history), renderer, given=first, edits=0, check=checked())
    assert done.rate == 100
    assert done.files == [(".github/workflows/ci.yml", 1)]
    assert [("extraneous" in row.broken, row.edited) for row in done.broken] == [(True, False)]
