"""The score is about what is there, a fix takes back no adoption, and findings are told apart."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from golden_path.adopting import adopt
from golden_path.doctor import checkup
from golden_path.doctor.checkup import Report
from golden_path.doctor.score import COST, MORE, costs, score
from golden_path.rendering.render import Renderer
from golden_path.rules.book import RULES, Finding, Found
from tests.labs.template import commit_all, git
from tests.updates import existing, foreign
from tests.updates.commands import as_json, golden_path

PULL = "on: pull_request\npermissions: {}\njobs: {a: {steps: [{run: make}]}}\n"
ADDED = [
    foreign.write(".github/workflows/ci.yml", PULL),
    foreign.write(".github/CODEOWNERS", "* @acme/shop\n"),
    foreign.write(".github/ruleset.json", "{}\n"),
    foreign.write(".golden-path/golden_path/service/ci.py", "print()\n"),
    foreign.write("Dockerfile", f"FROM a@sha256:{'b' * 64}\nUSER 65532\n"),
    foreign.write("Makefile", "all:\n\ttrue\n"),
    foreign.write(".gitattributes", "* text=auto\n"),
    foreign.write("mise.toml", "x = 1\n"),
    foreign.write("late.txt", "x\n"),
]
ADOPTING = "instead: {mise.toml: [{file: .tool-versions}]}\nanswers: {name: [{folder: true}]}\n"
POD = (
    "kind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n        - name: a\n          image: x:latest\n"
)
BROKEN = {
    "Dockerfile": "FROM golang:1.24\nCMD /app\n",
    "package.json": '{"dependencies": {"a": "1"}}\n',
    "Makefile": "build:\n\techo mine\n" * 5,
    ".tool-versions": "go 1.24\n",
    ".github/workflows/ci.yml": "on: push\njobs: {a: {steps: [{uses: actions/checkout@v4}]}}\n",
}


@pytest.fixture
def template(tmp_path: Path) -> Path:
    folder = foreign.template(tmp_path / "template", ADDED, [foreign.append("late.txt", "more\n")])
    foreign.rules(folder, ADOPTING)
    return folder


def repository(folder: Path, files: Mapping[str, str]) -> Path:
    for path, content in files.items():
        foreign.write(path, content)(folder)
    commit_all(folder)
    return folder


def adopted(folder: Path, template: Path, renderer: Renderer) -> Path:
    done = adopt.adopt(folder, renderer, source=str(template), to=foreign.NEW)
    git(folder, "merge", "--quiet", "--ff-only", done.branch)
    return folder


def scored(folder: Path, renderer: Renderer) -> Report:
    return checkup.examine(folder, renderer)


def test_nothing_to_judge_is_no_health(tmp_path: Path, template: Path, renderer: Renderer) -> None:
    folder = repository(tmp_path / "shop", {"README.md": "# Shop\n"})
    before = scored(folder, renderer)
    assert (before.score, before.judged) == (0, [])
    assert golden_path("doctor", folder).stdout.splitlines()[-1].startswith("score 0 of 100 (nothing to judge: ")
    after = scored(adopted(folder, template, renderer), renderer)
    assert (after.score, after.judged) == (0, [])  # all that there is to judge is the template's


@pytest.mark.parametrize("files", [BROKEN, existing.GO, existing.JAVA, existing.NODE, existing.PYTHON])
def test_adopting_mends_nothing(files: Mapping[str, str], tmp_path: Path, template: Path, renderer: Renderer) -> None:
    folder = repository(tmp_path / "shop", files)
    before = scored(folder, renderer)
    after = scored(adopted(folder, template, renderer), renderer)
    assert after.score == before.score
    assert after.costs == before.costs


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (".github/CODEOWNERS", "* @acme/shop\n"),
        (".github/ruleset.json", "{}\n"),
        (".github/workflows/more.yml", PULL),
        (".golden-path/golden_path/service/ci.py", "print()\n"),
        ("package-lock.json", "{}\n"),
        ("yarn.lock", ""),
        ("uv.lock", "x\n"),
        ("README.md", "# Shop\n"),
    ],
)
def test_a_file_that_appears_is_no_better_health(path: str, content: str, tmp_path: Path, renderer: Renderer) -> None:
    folder = repository(tmp_path / "shop", BROKEN)
    before = scored(folder, renderer).score
    foreign.write(path, content)(folder)
    commit_all(folder, "More")
    assert scored(folder, renderer).score == before


def test_what_is_mended_counts(tmp_path: Path, renderer: Renderer) -> None:
    """Each step up is something that was mended; the order is that of how much is wrong."""
    folder = repository(tmp_path / "shop", BROKEN)
    scores = [scored(folder, renderer).score]
    for path, content in (
        ("package.json", "{}\n"),
        ("Dockerfile", f"FROM a@sha256:{'b' * 64}\nUSER 65532\n"),
        (".github/workflows/ci.yml", PULL),
    ):
        foreign.write(path, content)(folder)
        commit_all(folder, path)
        scores.append(scored(folder, renderer).score)
    assert scores == sorted(set(scores))
    assert scores[-1] == 100


def test_the_score_says_what_it_is_made_of(tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop", BROKEN)
    shown = golden_path("doctor", folder).stdout.splitlines()
    data = as_json("doctor", folder, "--sarif", tmp_path / "x.sarif")
    assert data["score"] == 100 - sum(data["costs"].values())
    assert data["costs"] == {"GP101": 12, "GP102": 5, "GP201": 12, "GP202": 12, "GP301": 12}
    assert data["judged"] == ["workflows", "images", "dependencies"]
    assert shown[-2] == "judged: workflows, images, dependencies"
    assert shown[-1].startswith(
        "score 47 of 100 = 100 - 12 (GP101) - 5 (GP102) - 12 (GP201) - 12 (GP202) - 12 (GP301): "
    )
    [run] = json.loads((tmp_path / "x.sarif").read_text())["runs"]
    assert run["properties"] == {name: data[name] for name in ("score", "costs", "judged")}


def test_equal_findings_are_told_apart(tmp_path: Path, renderer: Renderer) -> None:
    """An image that stands twice, in one pod and in two documents."""
    twice = POD + "        - name: b\n          image: x:latest\n"
    folder = repository(tmp_path / "shop", {"a.yaml": f"{twice}---\n{POD}", "Dockerfile": "FROM a AS b\nFROM a\n"})
    golden_path("doctor", folder, "--sarif", tmp_path / "x.sarif")
    [run] = json.loads((tmp_path / "x.sarif").read_text())["runs"]
    prints = [one["partialFingerprints"]["finding/v1"] for one in run["results"]]
    assert len(prints) == len(set(prints))
    assert len({json.dumps(one["locations"]) + one["ruleId"] for one in run["results"]}) == len(prints)
    lines = [one.found.line for one in scored(folder, renderer).findings if one.rule.identifier == "GP203"]
    assert lines == [7, 9, 17]


def test_a_fix_takes_back_no_adoption(tmp_path: Path, template: Path, renderer: Renderer) -> None:
    folder = adopted(repository(tmp_path / "shop", BROKEN), template, renderer)
    findings = scored(folder, renderer).findings
    assert [one.found.path for one in findings if one.rule.identifier in ("GP004", "GP006")] == []
    patch = golden_path("doctor", folder, "--fix-diff").stdout
    assert {line.split(" b/")[1] for line in patch.splitlines() if line.startswith("diff ")} <= {
        "Dockerfile", ".github/workflows/ci.yml"
    }  # fmt: skip
    subprocess.run(["git", "apply", "-"], cwd=folder, input=patch.encode(), check=True)
    assert (folder / "Makefile").read_text() == BROKEN["Makefile"]
    assert (folder / "package.json").read_text() == BROKEN["package.json"]
    assert "FROM golang:1.24" in (folder / "Dockerfile").read_text()
    assert not (folder / "mise.toml").exists()
    assert not (folder / ".gitattributes").exists()


def test_after_an_adoption_drift_is_drift(tmp_path: Path, template: Path, renderer: Renderer) -> None:
    """Of what the adoption brought: an edit, and a deletion; also where it was merged with a commit of its own."""
    folder = repository(tmp_path / "shop", BROKEN)
    done = adopt.adopt(folder, renderer, source=str(template), to=foreign.OLD)
    foreign.write("own.txt")(folder)
    commit_all(folder, "Meanwhile")
    git(folder, "-c", "user.name=x", "-c", "user.email=x@example.com", "merge", "--quiet", "--no-edit", done.branch)
    foreign.write("late.txt", "other\n")(folder)
    (folder / ".golden-path/golden_path/service/ci.py").unlink()
    commit_all(folder, "Edits")
    paths = [one.found.path for one in scored(folder, renderer).findings if one.rule.identifier == "GP004"]
    assert paths == [".golden-path/golden_path/service/ci.py", "late.txt"]


def test_the_score_of_findings() -> None:
    assert score([]) == 100
    error, warning, missing = (Finding(RULES[name], Found("x", 0, "x")) for name in ("GP101", "GP102", "GP103"))
    assert score([error]) == 100 - COST["error"]
    assert score([error] * 3 + [warning, missing]) == 100 - COST["error"] - 2 - COST["warning"]
    assert costs([error] * 3 + [warning, missing]) == {"GP101": COST["error"] + 2, "GP102": COST["warning"]}
    assert score([error] * 50) == 100 - COST["error"] - MORE
    everything = [Finding(one, Found("x", 0, "x")) for one in RULES.values()] * 9
    assert score(everything) == 0
