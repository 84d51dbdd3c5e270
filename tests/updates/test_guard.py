"""Plain ``copier update`` with the hooks: it stops before something is lost, and says what is left to do."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from fleet.locks import is_lock
from fleet.render import Renderer
from tests.labs.template import commit_all, copier, git
from tests.labs.toolchains import ROOT
from tests.updates import cases, foreign, hard_cases
from tests.updates.cases import CASES, Case
from tests.updates.hard_cases import Ended

MIGRATIONS = """
_migrations:
  - when: "{{ _stage == 'before' }}"
    command:
      - "{{ _copier_python }}"
      - "{{ _copier_conf.src_path }}/hooks"
      - guard
      - --template={{ _copier_conf.src_path }}
      - --answers-file={{ _copier_conf.answers_file }}
      - --data={{ _copier_conf.data | to_json }}
  - when: "{{ _stage == 'after' }}"
    command: ["{{ _copier_python }}", "{{ _copier_conf.src_path }}/hooks", summary]
"""


def with_hooks(source: Path, questions: str = "") -> Path:
    """Give the newest version of a template of cases the hooks of ours."""
    shutil.copytree(ROOT / "hooks", source / "hooks", ignore=shutil.ignore_patterns("__pycache__"))
    (source / "fleet").mkdir()
    for name in ("__init__.py", "locks.py"):
        shutil.copy2(ROOT / "fleet" / name, source / "fleet" / name)
    (source / "copier.yml").write_text(foreign.SETTINGS + foreign.QUESTIONS + questions + MIGRATIONS)
    commit_all(source, "Hooks")
    git(source, "tag", "--force", foreign.NEW)
    return source


def update(service: Path) -> tuple[Ended, str]:
    """Run ``copier update``, and look at what it left and named."""
    before = foreign.state(service)
    done = copier("update", "--trust", "--defaults", service)
    said = set(re.findall(r"^  (?:DECIDE|CONFLICT|LOCK|LOST|deleted) +(.+?): ", done.stderr, re.MULTILINE))
    refused = re.search(r"^golden-path: nothing was written.*$", done.stderr, re.MULTILINE)
    if refused:
        assert foreign.state(service) == before, "refused, and something was written"
    return Ended(done.returncode, hard_cases.read(service), frozenset(said), refused is None and done.returncode == 1
                 and "Task" not in done.stderr), done.stderr  # fmt: skip


# Those in which plain Copier loses something or says nothing (docs/reference/fleet-cases.md), and one with marks.
_BARE = dict(re.findall(r"^\| ([^*`|].*?) \| (.*?) \| .*? \|$", hard_cases.TABLE.read_text(), re.MULTILINE))
HARD = [
    case
    for case in CASES
    if "lost edit" in _BARE[case.name]
    or _BARE[case.name] == "silent conflict"
    or case.ends == cases.REFUSED
    or case.name == "both change the same line"
]


@pytest.mark.parametrize("case", HARD, ids=lambda case: case.name)
def test_nothing_is_lost_and_nothing_goes_unsaid(case: Case, tmp_path: Path, renderer: Renderer) -> None:
    source = with_hooks(foreign.template(tmp_path / "template", cases.FIRST, case.template), case.questions)
    service = foreign.service(renderer, source, tmp_path / "service", *case.person)
    ours = hard_cases.read(service)
    base = hard_cases.read(foreign.render(renderer, source, foreign.OLD, tmp_path / "base" / "service"))
    ended, said = update(service)
    if case.ends == cases.REFUSED:
        assert ended.code != 0
        assert ended.files == ours
        assert "--data NAME=VALUE" in said
        return
    if "nothing was written" in said:
        assert ended.files == ours
        assert len([line for line in said.splitlines() if line.startswith("golden-path: ")]) == 1
        return
    theirs = hard_cases.read(foreign.render(renderer, source, foreign.NEW, tmp_path / "new" / "service"))
    assert not hard_cases.problems(case, base, ours, theirs, ended), said
    assert not (service / ".git" / "golden-path-update.json").exists()


@pytest.mark.parametrize(
    "name",
    [
        "both change a file, at different lines",
        "the template deletes a file that nobody touched",
        "the person renamed a file that the template changes",
        "the person changed where a link goes",
        "a seeded file is changed by both",
    ],
)
def test_the_guard_stops_no_update_that_copier_can_do(name: str, tmp_path: Path, renderer: Renderer) -> None:
    case = next(one for one in CASES if one.name == name)
    source = with_hooks(foreign.template(tmp_path / "template", cases.FIRST, case.template))
    service = foreign.service(renderer, source, tmp_path / "service", *case.person)
    ended, said = update(service)
    assert "nothing was written" not in said
    assert "  template  v1.0.0 -> v2.0.0: " in said
    assert ended.code == (1 if "DECIDE" in said else 0)


def test_a_lock_is_not_merged(tmp_path: Path, renderer: Renderer) -> None:
    lock = foreign.write("go.sum", "a v1 h1:x=\nb v1 h1:x=\n")
    source = with_hooks(
        foreign.template(tmp_path / "template", [lock], [foreign.line("go.sum", 1, "a v2 h1:y=")]),
    )
    service = foreign.service(renderer, source, tmp_path / "service", foreign.line("go.sum", 1, "a v3 h1:z="))
    ended, said = update(service)
    assert ended.code == 1
    assert "  LOCK      go.sum: " in said
    assert "make lock" in said
    assert (service / "go.sum").read_text().startswith("a v3 h1:z=\n")
    assert "<<<<" not in (service / "go.sum").read_text()


def test_rejects_are_named(tmp_path: Path, renderer: Renderer) -> None:
    steps = [foreign.line("a.txt", 9, cases.THEIRS)]
    source = with_hooks(foreign.template(tmp_path / "template", cases.FIRST, steps))
    service = foreign.service(renderer, source, tmp_path / "service", foreign.line("a.txt", 9, cases.MINE))
    done = copier("update", "--trust", "--defaults", "--conflict", "rej", service)
    assert done.returncode == 1
    assert "  CONFLICT  a.txt: what did not arrive is in a.txt.rej\n" in done.stderr


HASHED = b"copier==9.19.1 \\\n    --hash=sha256:12\n"


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("go.sum", b"", True),
        ("make/pnpm/package-lock.json", b"", True),
        ("requirements.txt", HASHED, True),
        ("make/tools.txt", b"# by uv\n" + HASHED, True),
        ("requirements.txt", b"copier>=9\n", False),
        ("docs/notes.txt", b"see --hash=sha256 in requirements.txt\n", False),
        ("package.json", b"{}", False),
        ("go.sum.md", HASHED, False),
    ],
)
def test_what_a_lock_is(path: str, content: bytes, expected: bool) -> None:
    assert is_lock(path, lambda: content) is expected
