"""Adopting repositories: of all four languages, and services of this template that lost their answers file."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from golden_path.adopting import adopt, adoption
from golden_path.rendering.render import Renderer
from golden_path.source.template import Template
from golden_path.upgrade import apply
from tests.labs import template as lab
from tests.labs.template import commit_all, git
from tests.labs.toolchains import answers_of
from tests.updates import existing, foreign
from tests.updates.commands import as_json, golden_path

NEXT = [
    foreign.line("template/Makefile.jinja", 1, "# Managed by the template, still."),
    foreign.append("template/.golden-path/docker-bake.hcl.jinja", "# again\n"),
    foreign.write("template/docs/new.md", "# New\n"),
    *(
        foreign.write(f"template/[[ {language} ]]/{folder}/fresh.txt", "an example source\n")
        for language, folder in (("go", "internal"), ("java", "src"), ("node", "src"), ("python", "src"))
    ),
    foreign.move("template/.golden-path/help.awk", "template/.golden-path/usage.awk"),
]
FRESH = {"internal/fresh.txt", "src/fresh.txt"}
BRANCH = "golden-path/adopt-v2.0.0"
# For a repository whose people want to build as a service of the template does.
OURS = {"build_tool": "golden-path"}
ANSWERS = {
    "go": {
        "base_image": "wolfi",
        "go_workspace": "true",
        "build_workflow": "organisation",
        "release_workflow": f"acme/shared/.github/workflows/service-release.yml@{'a' * 40}",
    },
    "java": {"java_group": "io.acme.pay", "secrets": "vault", "traffic": "gateway"},
    "node": {"delivery": "blue-green", "secrets": "aws", "licence": "MIT"},
    "python": {"secrets": "gcp", "provides": "false", "licence": "Apache-2.0", "description": 'A "quoted" one'},
    "model": {"upstream": "", "secrets": "vault"},
}
COMMON = {
    "service_name": "pay-api",
    "organisation": "Acme-Corp",
    "team": "payments",
    "upstream": "inventory",
    "tier": "critical",
    "port": "9191",
    "registry": "registry.example.com/acme/x",
    "slo_availability": "99.97",
    "slo_latency_ms": "100",
    "slo_latency_target": "98.5",
    "prometheus_url": "http://prometheus.example:9090",
}


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three versions of this template: the second is the tree as it stands, the first lacks a line of it."""
    folder = lab.snapshot(tmp_path_factory.mktemp("history") / "golden-path")
    git(folder, "tag", "--delete", lab.VERSION)
    steps = folder / "template" / ".golden-path" / "step.sh"
    now = steps.read_bytes()
    steps.write_bytes(now + b"# as it was before\n")
    commit_all(folder, "Before")
    git(folder, "tag", "v1.0.0")
    steps.write_bytes(now)
    commit_all(folder, "Now")
    git(folder, "tag", "v2.0.0")
    for step in NEXT:
        step(folder)
    verbs = folder / "template" / ".golden-path" / "service.mk"
    verbs.write_text(verbs.read_text().replace("help.awk", "usage.awk"))
    commit_all(folder, "Next")
    git(folder, "tag", "v3.0.0")
    return folder


@pytest.fixture
def theirs(language: str, tmp_path: Path) -> Path:
    """A repository that no template wrote."""
    files, remote, _ = existing.KINDS[language]
    return existing.write(tmp_path / "Some Folder", files, remote)


def generated(renderer: Renderer, history: Path, folder: Path, language: str) -> Path:
    known = Template(str(history))
    known.refresh()
    given = {**COMMON, **answers_of(language), **ANSWERS[language]}
    renderer.render(known.at("v2.0.0"), folder, foreign.ANSWERS, given)
    commit_all(folder)
    return folder


def merged(folder: Path, branch: str) -> None:
    git(folder, "merge", "--quiet", "--ff-only", branch)


def test_answers_are_found_and_nothing_of_theirs_changes(
    language: str, history: Path, theirs: Path, renderer: Renderer
) -> None:
    before = foreign.state(theirs)
    had = existing.tree(theirs, "HEAD")
    done = adopt.adopt(theirs, renderer, source=str(history), to="v2.0.0")
    found = {name: one.value for name, one in done.adoption.answers.items()}
    assert found.items() >= existing.KINDS[language][2].items()
    assert not done.adoption.generated
    assert foreign.state(theirs)[1:] == before[1:]
    has = existing.tree(theirs, BRANCH)
    assert {name: has.get(name) for name in had} == had
    new = set(has) - set(had)
    assert {".copier-answers.yml", ".github/workflows/ci.yml", ".golden-path/language.mk", "slo.yaml"} <= new
    assert not [name for name in new if name.split("/")[0] in ("src", "internal", "cmd", "test", "tests", "contracts")]
    assert not new & {"go.sum", "pnpm-lock.yaml", "requirements.txt", ".gitattributes", "LICENSE", ".dockerignore"}
    assert not new & {"Makefile", "Dockerfile", ".pre-commit-config.yaml", "CONTRIBUTING.md"} - {
        "" if language == "go" else "Makefile"
    }
    assert ("GNUmakefile" in new) == (language == "go")  # it has a Makefile
    assert git(theirs, "rev-list", "--count", f"HEAD..{BRANCH}") == "1"
    assert git(theirs, "fsck", "--strict") == ""
    answers = git(theirs, "show", f"{BRANCH}:.copier-answers.yml")
    assert "_commit: v2.0.0\n" in answers


def test_what_is_theirs_is_not_replaced_by_a_file_of_another_name(
    history: Path, tmp_path: Path, renderer: Renderer
) -> None:
    for language, absent in (
        ("go", {".golangci.yml", ".github/CODEOWNERS"}),
        ("node", {"biome.json", "pnpm-workspace.yaml"}),
        ("python", {"ruff.toml", "README.md"}),
    ):
        folder = existing.write(tmp_path / language, existing.KINDS[language][0])
        done = adopt.adopt(folder, renderer, source=str(history), to="v2.0.0", data=OURS)
        left = {one.path for one in done.adoption.files if one.status == adoption.LEFT_OUT}
        assert absent <= left
        assert not absent & set(existing.tree(folder, BRANCH))


def test_the_next_upgrade_leaves_theirs_alone(language: str, history: Path, theirs: Path, renderer: Renderer) -> None:
    had = existing.tree(theirs, "HEAD")
    adopted = adopt.adopt(theirs, renderer, source=str(history), to="v2.0.0", data=OURS)
    merged(theirs, BRANCH)
    assert as_json("plan", theirs, "--to", "v2.0.0", "--trust")["files"] == []
    drift = as_json("status", theirs, "--trust")[0]["drift"]
    deleted = {path.split("/")[0] for path, what in drift.items() if what == "deleted"}
    assert not deleted & {"cmd", "internal", "src", "test", "tests", "contracts"}
    done = apply.apply(theirs, renderer, to="v3.0.0")
    assert not done.plan.conflicts
    has = existing.tree(theirs, done.branch)
    assert {name: has.get(name) for name in had} == had
    left = {one.path for one in adopted.adoption.files if one.status == adoption.LEFT_OUT}
    assert not left & set(has)
    assert not FRESH & set(has)
    assert {"docs/new.md", ".golden-path/usage.awk"} <= set(has)
    assert ".golden-path/help.awk" not in has
    kept = {one.path: one.reason for one in done.plan.changes if one.status == "kept"}
    assert {"internal/fresh.txt" if language == "go" else "src/fresh.txt"} <= set(kept)
    if language == "go":
        assert kept["Makefile"] == "yours is another file than the template's"


def test_the_next_upgrade_of_a_service_with_its_own_build_tool(
    history: Path, tmp_path: Path, renderer: Renderer
) -> None:
    """Nothing of an application comes, and the file that is read before the Makefile stays in place."""
    theirs = existing.write(tmp_path / "orders", existing.GO)
    had = existing.tree(theirs, "HEAD")
    adopt.adopt(theirs, renderer, source=str(history), to="v2.0.0")
    merged(theirs, BRANCH)
    assert set(as_json("status", theirs, "--trust")[0]["drift"]) == {".gitattributes", ".github/CODEOWNERS"}
    done = apply.apply(theirs, renderer, to="v3.0.0")
    assert not done.plan.conflicts
    has = existing.tree(theirs, done.branch)
    assert {name: has.get(name) for name in had} == had
    assert {"docs/new.md", ".golden-path/usage.awk"} <= set(has)
    assert not {*FRESH, "cmd", "tests"} & {*has, *(path.split("/")[0] for path in has)}


def test_what_was_added_works_together(history: Path, tmp_path: Path, renderer: Renderer) -> None:
    """The Makefile reads its parts, and the policy finds only what the application lacks: checksums, a good image."""
    for language, wanted in (("java", {"GP305"}), ("python", {"GP201", "GP202", "GP206", "GP207", "GP208"})):
        folder = existing.write(tmp_path / language, existing.KINDS[language][0])
        done = adopt.adopt(folder, renderer, source=str(history), to="v2.0.0", data=OURS)
        git(folder, "merge", "--quiet", done.branch)
        shown = subprocess.run(["make", "help"], cwd=folder, capture_output=True, text=True, check=True).stdout
        assert "make lint" in shown
        policy = subprocess.run(
            [sys.executable, ".golden-path", "policy", "."], cwd=folder, capture_output=True, text=True, check=False
        )
        assert {line.split()[1] for line in policy.stdout.splitlines()} == wanted, policy.stdout + policy.stderr


@pytest.mark.models
def test_a_lost_answers_file_comes_back(language: str, history: Path, tmp_path: Path, renderer: Renderer) -> None:
    """From the files alone."""
    comes_back(language, history, tmp_path, renderer, history_too=False)


@pytest.mark.one_language
def test_a_lost_answers_file_comes_back_from_the_history(
    language: str, history: Path, tmp_path: Path, renderer: Renderer
) -> None:
    """Which has it as it was, whatever the language is."""
    comes_back(language, history, tmp_path, renderer, history_too=True)


def comes_back(language: str, history: Path, tmp_path: Path, renderer: Renderer, *, history_too: bool) -> None:
    """With edits and deletions: the answers, the version, and the same plan as with the file."""
    kept = generated(renderer, history, tmp_path / "kept" / "pay-api", language)
    for step in (
        foreign.append("Makefile", "# mine\n"),
        foreign.line(".golden-path/docker-bake.hcl", 1, "# mine"),
        foreign.delete("docs/runbook.md"),
        foreign.delete(".editorconfig"),
        foreign.write("own.txt"),
    ):
        step(kept)
    commit_all(kept, "Edits")
    lost = tmp_path / "lost" / "pay-api"
    shutil.copytree(kept, lost, symlinks=True)
    (lost / foreign.ANSWERS).unlink()
    if not history_too:
        shutil.rmtree(lost / ".git")
    commit_all(lost, "Lost")
    done = adopt.adopt(lost, renderer, source=str(history))
    assert done.adoption.generated
    assert {one.path for one in done.adoption.files if one.status == adoption.NEW} == set()
    assert {one.path for one in done.adoption.differing} == {"Makefile", ".golden-path/docker-bake.hcl"}
    merged(lost, done.branch)
    assert (lost / foreign.ANSWERS).read_bytes() == (kept / foreign.ANSWERS).read_bytes()
    assert git(lost, "rev-parse", "HEAD^{tree}") == git(kept, "rev-parse", "HEAD^{tree}")
    plans = [as_json("plan", folder, "--trust") | {"path": ""} for folder in (lost, kept)]
    assert plans[0] == plans[1]


def test_the_nearest_version_is_the_base(history: Path, tmp_path: Path, renderer: Renderer) -> None:
    for version in ("v1.0.0", "v2.0.0", "v3.0.0"):
        folder = tmp_path / version / "orders"
        foreign.render(renderer, history, version, folder)
        (folder / foreign.ANSWERS).unlink()
        foreign.append("Makefile", "# mine\n")(folder)
        commit_all(folder)
        assert adopt.adopt(folder, renderer, source=str(history)).adoption.version == version


def test_another_version_than_the_nearest(history: Path, tmp_path: Path, renderer: Renderer) -> None:
    """What is missing may be new in it, so it is added; and it is said that there is a better way."""
    folder = tmp_path / "orders"
    foreign.render(renderer, history, "v2.0.0", folder)
    (folder / foreign.ANSWERS).unlink()
    commit_all(folder)
    done = adopt.adopt(folder, renderer, source=str(history), to="v3.0.0")
    assert {one.path for one in done.adoption.files if one.status == adoption.NEW} == {
        "docs/new.md",
        ".golden-path/usage.awk",
    }
    assert done.adoption.notes[0].startswith("the repository is most like v2.0.0: ")


def test_one_that_the_template_did_not_write_gets_the_newest(history: Path, tmp_path: Path, renderer: Renderer) -> None:
    folder = existing.write(tmp_path / "orders", existing.GO)
    assert adopt.adopt(folder, renderer, source=str(history)).branch == "golden-path/adopt-v3.0.0"


def test_an_answer_that_the_template_refuses_is_left_to_its_default(
    history: Path, tmp_path: Path, renderer: Renderer
) -> None:
    folder = existing.write(tmp_path / "orders", {**existing.PYTHON, "CODEOWNERS": "* @acme/not@a@team\n"})
    done = adopt.adopt(folder, renderer, source=str(history), to="v2.0.0")
    assert {name: done.adoption.answers[name].value for name in ("port", "team")} == {"port": 8080, "team": "platform"}
    assert "port is not '80', as Dockerfile has it, since the template refuses it" in done.adoption.notes
    given = adopt.adopt(folder, renderer, source=str(history), to="v2.0.0", data={"port": "8081", "team": "stock"})
    assert {name: given.adoption.answers[name].value for name in ("port", "team")} == {"port": 8081, "team": "stock"}


def test_twice_is_once_and_the_checklist_is_in_the_commit(history: Path, tmp_path: Path) -> None:
    folder = existing.write(tmp_path / "orders", existing.GO)
    before = foreign.state(folder)
    ours = ("--data", "build_tool=golden-path")
    shown = golden_path("adopt", folder, "--template", history, "--to", "v2.0.0", "--trust", "--diff", *ours)
    assert (shown.returncode, shown.stderr) == (3, "")
    assert "-build:" in shown.stdout
    assert "+SERVICE := parcel-tracker" in shown.stdout
    assert foreign.state(folder) == before
    done = golden_path("adopt", folder, "--template", history, "--to", "v2.0.0", "--trust", *ours)
    assert (done.returncode, done.stderr) == (3, "")
    text = git(folder, "log", "-1", "--format=%B", BRANCH)
    assert "- [ ] `Makefile`\n" in text
    assert "- [ ] `Dockerfile`\n" in text
    assert "- service_name: `parcel-tracker` (go.mod)" in text
    assert "build as in a service that the template wrote" in text
    assert "call your build tool" not in text
    once = foreign.state(folder)
    again = as_json("adopt", folder, "--template", history, "--to", "v2.0.0", "--trust", *ours)
    assert (again["status"], again["commit"]) == ("exists", git(folder, "rev-parse", BRANCH))
    assert foreign.state(folder) == once
    merged(folder, BRANCH)
    after = golden_path("adopt", folder, "--template", history, "--trust")
    assert after.returncode == 6
    assert after.stderr == (
        f"golden-path: .copier-answers.yml is there already: the repository has v2.0.0 of {history}; "
        "go on with golden-path plan\n"
    )
