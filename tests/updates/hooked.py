"""Small templates with the hooks of ours, and plain ``copier update`` with them."""

from __future__ import annotations

import re
from pathlib import Path

from golden_path.rendering.render import Renderer
from golden_path.upgrade import before_copier
from hooks import guard
from tests.labs.template import commit_all, git, with_engine
from tests.labs.warm import copier
from tests.updates import cases, foreign, hard_cases
from tests.updates.cases import Case
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
STOPPED, NAMED, DONE = "stopped", "named", "-"


def with_hooks(source: Path, questions: str = "") -> Path:
    """Give the newest version of a template of cases the hooks of ours."""
    with_engine(source)
    (source / "copier.yml").write_text(foreign.SETTINGS + foreign.QUESTIONS + questions + MIGRATIONS)
    commit_all(source, "Hooks")
    git(source, "tag", "--force", foreign.NEW)
    return source


def pair(case: Case, folder: Path, renderer: Renderer) -> tuple[Path, Path]:
    """Make the template of a case, with the hooks, and the service; returns both."""
    source = with_hooks(foreign.template(folder / "template", cases.FIRST, case.template), case.questions)
    return source, foreign.service(renderer, source, folder / "service", *case.person)


def stops(source: Path, service: Path) -> str:
    """What the guard says of an update, without Copier around it; empty where it lets it go on."""
    try:
        return guard.guard(service, source, foreign.OLD, foreign.ANSWERS, {})
    except guard.UnknownOutcomeError as error:
        return f"golden-path: {error}"


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


def updated(case: Case, source: Path, service: Path, renderer: Renderer) -> str:
    """Run ``copier update``, and judge it as the engine is judged.

    Args:
        case: the case.
        source: its template, with the hooks.
        service: its service.
        renderer: a worker.

    Returns:
        ``STOPPED``, or ``NAMED`` where it ends with 1 and names what a person has to decide, or ``DONE``; and the
        problems.
    """
    ours = hard_cases.read(service)
    ended, said = update(service)
    if "nothing was written" in said:
        return STOPPED
    place = service.parent
    base = hard_cases.read(foreign.render(renderer, source, foreign.OLD, place / "base" / "service"))
    theirs = hard_cases.read(foreign.render(renderer, source, foreign.NEW, place / "new" / "service"))
    found = hard_cases.problems(case, base, ours, theirs, ended)
    noted = before_copier.notes(service).exists()
    if noted or any(hard_cases.marked(*one) for one in ended.files.values()):
        found.add("dirty repository")
    return ", ".join([NAMED if ended.code else DONE, *sorted(found)])
