"""A template that comes in parts: one at a time, more later, and upgrades that leave out what was not taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from golden_path.adopting import adopt, adoption
from golden_path.errors import Exit
from golden_path.rendering.render import Renderer
from golden_path.upgrade import apply
from tests.labs import warm
from tests.labs.template import commit_all, git
from tests.updates import existing, foreign
from tests.updates.commands import as_json, golden_path

RULES = """
leave_out: [/src/**]
parts:
  verbs: {files: [/Makefile, '/lib/**']}
  deploy:
    files: ['/deploy/**']
    needs: [verbs]
    unless: [{file: k8s/app.yaml}]
    say: keep it
  checks: {files: [/ci/a.yml]}
"""
FIRST = ("Makefile", "lib/a.txt", "deploy/a.yaml", "deploy/b.yaml", "ci/a.yml", "other.txt", "src/a.txt")
SECOND = ("lib/b.txt", "deploy/c.yaml", "second.txt")
VERBS, DEPLOY = {"Makefile", "lib/a.txt"}, {"deploy/a.yaml", "deploy/b.yaml"}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    made = foreign.template(
        tmp_path / "template", [foreign.write(path) for path in FIRST], [foreign.write(path) for path in SECOND]
    )
    foreign.rules(made, RULES)
    return made


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    return existing.write(tmp_path / "shop", {"app.txt": "theirs\n"})


def bring(folder: Path, source: Path, renderer: Renderer, *only: str) -> set[str]:
    """Adopt parts of the first version, merge the branch, and return the paths that it brought."""
    had = set(existing.tree(folder, "HEAD"))
    done = adopt.adopt(folder, renderer, source=str(source), to=foreign.OLD, only=only)
    git(folder, "merge", "--quiet", "--ff-only", done.branch)
    return set(existing.tree(folder, "HEAD")) - had


def test_parts_come_one_at_a_time_with_what_they_need(source: Path, theirs: Path, renderer: Renderer) -> None:
    assert bring(theirs, source, renderer, "checks") == {"ci/a.yml", foreign.ANSWERS}
    answers = (theirs / foreign.ANSWERS).read_bytes()
    assert bring(theirs, source, renderer, "deploy") == VERBS | DEPLOY
    assert (theirs / foreign.ANSWERS).read_bytes() == answers
    text = git(theirs, "log", "-1", "--format=%B")
    assert text.startswith(f"Adopt deploy of version {foreign.OLD} of the template\n")
    assert "parts: verbs, deploy; the rest stays out until" in text
    assert "checks" in text.split("# Notes")[1]


def test_several_at_once_and_without_only_all(source: Path, tmp_path: Path, renderer: Renderer) -> None:
    for number, (only, brought) in enumerate((
        (("verbs,checks",), VERBS | {"ci/a.yml"}),
        (("verbs", "checks"), VERBS | {"ci/a.yml"}),
        ((), VERBS | DEPLOY | {"ci/a.yml", "other.txt"}),
    )):  # fmt: skip
        folder = existing.write(tmp_path / str(number), {"app.txt": "theirs\n"})
        assert bring(folder, source, renderer, *only) == brought | {foreign.ANSWERS}


@pytest.mark.parametrize("only", ["nope", "verbs,nope", ""])
def test_a_name_that_is_none_is_refused_in_one_line(only: str, source: Path, theirs: Path) -> None:
    before = foreign.state(theirs)
    done = golden_path("adopt", theirs, "--template", source, "--only", only)
    name = only.rpartition(",")[2]
    assert (done.returncode, done.stdout) == (Exit.USAGE, "")
    assert done.stderr == f"golden-path: --only: there is no part {name!r}; the parts are verbs, deploy, checks\n"
    assert foreign.state(theirs) == before


def test_a_template_without_parts_says_so(tmp_path: Path, theirs: Path) -> None:
    source = foreign.template(tmp_path / "plain", [foreign.write("a.txt")])
    done = golden_path("adopt", theirs, "--template", source, "--only", "verbs")
    assert (done.returncode, done.stderr) == (
        Exit.USAGE, "golden-path: the template has no parts (adopt.yml): adopt without --only\n"
    )  # fmt: skip


def test_nothing_to_bring_says_so(source: Path, theirs: Path, renderer: Renderer) -> None:
    bring(theirs, source, renderer, "verbs")
    before = foreign.state(theirs)
    done = golden_path("adopt", theirs, "--only", "verbs")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "nothing to bring: of verbs, 2 files are here already, and none is missing\n"
    assert as_json("adopt", theirs, "--only", "verbs")["status"] == adoption.NOTHING
    assert foreign.state(theirs) == before


def test_answers_and_versions_are_for_an_upgrade(source: Path, theirs: Path, renderer: Renderer) -> None:
    bring(theirs, source, renderer, "verbs")
    for more in (("--data", "name=x"), ("--to", foreign.NEW)):
        done = golden_path("adopt", theirs, "--only", "deploy", *more)
        assert (done.returncode, done.stdout) == (Exit.USAGE, "")
        assert done.stderr.startswith(f"golden-path: the repository has {foreign.OLD}, and its answers: first ")


def test_what_was_deleted_stays_deleted_unless_it_is_asked_for(source: Path, theirs: Path, renderer: Renderer) -> None:
    bring(theirs, source, renderer, "deploy")
    foreign.delete("deploy/a.yaml")(theirs)
    commit_all(theirs, "Not that one")
    done = golden_path("adopt", theirs, "--only", "deploy")
    assert "  left out  you deleted it; --with adds it all the same\n" in done.stdout
    again = adopt.adopt(theirs, renderer, only=["deploy"], wanted=["/deploy/a.yaml"])
    assert {one.path for one in again.adoption.files if one.status == adoption.NEW} == {"deploy/a.yaml"}


def test_a_part_is_whole_also_where_their_gitignore_names_a_file_of_it(
    source: Path, tmp_path: Path, renderer: Renderer
) -> None:
    folder = existing.write(tmp_path / "shop", {".gitignore": "b.yaml\nother.txt\n"})
    done = adopt.adopt(folder, renderer, source=str(source), to=foreign.OLD)
    files = {one.path: (one.status, one.reason) for one in done.adoption.files}
    assert files["deploy/b.yaml"] == (adoption.NEW, "though .gitignore names it")
    assert files["deploy/a.yaml"] == (adoption.NEW, "")
    assert files["other.txt"] == (adoption.LEFT_OUT, ".gitignore names it")
    assert set(existing.tree(folder, done.branch)) > DEPLOY


def test_something_of_their_own_keeps_a_part_out(source: Path, tmp_path: Path, renderer: Renderer) -> None:
    folder = existing.write(tmp_path / "shop", {"k8s/app.yaml": "theirs\n"})
    assert bring(folder, source, renderer, "deploy") == VERBS | {foreign.ANSWERS}
    done = golden_path("adopt", folder, "--only", "deploy")
    assert done.stdout.startswith("  left out  you have k8s/app.yaml: keep it\nnothing to bring: ")
    wanted = adopt.adopt(folder, renderer, only=["deploy"], wanted=["/deploy/**"])
    assert {one.path for one in wanted.adoption.files if one.status == adoption.NEW} == DEPLOY


@pytest.mark.parametrize("taken", [("checks",), ("checks", "verbs"), ("checks", "deploy")])
def test_upgrades_leave_out_what_was_not_taken(
    taken: tuple[str, ...], source: Path, theirs: Path, renderer: Renderer
) -> None:
    for one in taken:
        bring(theirs, source, renderer, one)
    assert [one for one in as_json("status", theirs)[0]["drift"] if one != "other.txt"] == []
    done = apply.apply(theirs, renderer, to=foreign.NEW)
    has = set(existing.tree(theirs, done.branch))
    assert ("lib/b.txt" in has) == (len(taken) > 1)
    assert ("deploy/c.yaml" in has) == ("deploy" in taken)
    assert "second.txt" in has
    assert not has & (set(FIRST) - set(existing.tree(theirs, "HEAD")))
    kept = {one.path: one.reason for one in done.plan.changes if one.status == "kept"}
    assert kept.get("deploy/c.yaml") == (None if "deploy" in taken else "you have not taken the part deploy")


def test_plain_copier_does_not_bring_them_either(source: Path, theirs: Path, renderer: Renderer) -> None:
    """What its old version had, and the service has not, stays away; what is new comes, for Copier knows no parts."""
    bring(theirs, source, renderer, "verbs")
    done = warm.copier("update", "--trust", "--defaults", "--quiet", "--vcs-ref", foreign.NEW, cwd=theirs)
    assert done.returncode == 0, done.stderr
    assert not [path for path in DEPLOY if (theirs / path).exists()]
    assert (theirs / "lib/b.txt").exists()
    assert (theirs / "deploy/c.yaml").exists()


@pytest.mark.parametrize(
    "rules",
    [
        "parts: {a: {files: [x], needs: [b]}}",
        "parts: {A: {files: [x]}}",
        "parts: {a: {files: [x], wants: [b]}}",
        "parts: {a: {needs: []}}",
        "parts: [a]",
        "warn: [{if: []}]",
    ],
)
def test_parts_that_cannot_be_read(rules: str, source: Path, theirs: Path) -> None:
    foreign.rules(source, rules)
    done = golden_path("adopt", theirs, "--template", source, "--only", "a")
    assert (done.returncode, done.stdout) == (Exit.TEMPLATE, "")
    assert done.stderr.startswith("golden-path: the template's adopt.yml cannot be read: ")
    assert done.stderr.count("\n") == 1
