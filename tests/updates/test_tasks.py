"""Tasks of a template: no command but an upgrade runs any, and that runs what ``copier update`` would, once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from golden_path.upgrade import changes, tasks
from tests.labs.template import commit_all, git
from tests.labs.warm import copier
from tests.updates import foreign, hard_cases
from tests.updates.commands import as_json, golden_path
from tests.updates.foreign import ANSWERS, Step, append, line, move, write

BRANCH = "golden-path/v2.0.0"
CHANGED = [line("a.txt", 9, "the template's")]


def pair(folder: Path, said: str, *edits: Step, first: tuple[Step, ...] = (), second: tuple[Step, ...] = ()) -> Path:
    """A service as ``copier copy`` writes it, with edits, of a template with tasks and a version more."""
    settings = f"{foreign.SETTINGS}_tasks:\n{said}"
    source = foreign.template(folder / "template", [write("a.txt"), *first], [*CHANGED, *second], settings=settings)
    return foreign.copied(source, folder / "orders", edits=edits)


def upgraded(service: Path) -> dict[str, tuple[int, bytes]]:
    """What ``apply`` makes of it, checked out."""
    done = golden_path("apply", service, "--trust")
    assert done.returncode == 0, (done.stdout, done.stderr)
    git(service, "switch", "--quiet", BRANCH)
    return hard_cases.read(service)


def test_they_run_once_with_apply_and_with_nothing_else(tmp_path: Path) -> None:
    log = tmp_path / "log"
    said = (
        f"  - {{command: 'echo copied >>{log}', when: \"{{{{ _copier_operation == 'copy' }}}}\"}}\n"
        f"  - {{command: ['sh', '-c', 'echo $STAGE {{{{ name }}}} >>{log}; echo made >stamp.txt'],\n"
        "     working_directory: deep, when: \"{{ _copier_operation == 'update' and name == 'orders' }}\"}\n"
        f"  - {{command: 'echo never >>{log}', when: \"{{{{ name == 'other' }}}}\"}}\n"
    )
    service = pair(tmp_path, said, first=(write("deep/b.txt"),))
    assert log.read_text() == "copied\n"
    log.unlink()
    noted = f"task that apply runs: sh -c 'echo $STAGE orders >>{log}; echo made >stamp.txt'"
    rehearsal = ("simulate", service.parent / "template", "--edits", "0", "--check", "test ! -e stamp.txt")
    for arguments in (
        ("plan", service),
        ("plan", service, "--diff"),
        ("status", service),
        ("doctor", service),
        rehearsal,
    ):
        done = golden_path(*arguments)
        assert done.returncode in (0, 3), done.stderr
        assert not log.exists()
        assert (noted in done.stdout) == (arguments[0] == "plan")
    assert as_json("plan", service)["notes"] == [noted]
    refused = golden_path("apply", service)
    assert refused.returncode == 5
    assert "the template runs code of its own (tasks): if you trust it, pass --trust" in refused.stderr
    assert not log.exists()
    done = golden_path("apply", service, "--trust")
    assert (done.returncode, log.read_text()) == (0, "task orders\n")
    assert "  note      task run: sh -c 'echo $STAGE orders" in done.stdout
    assert git(service, "show", f"{BRANCH}:deep/stamp.txt") == "made"
    message = git(service, "log", "-1", "--format=%B", BRANCH)
    assert f"- new: `deep/stamp.txt`, {tasks.REASON}" in message
    assert golden_path("apply", service, "--trust").stdout == f"nothing to do: {BRANCH} is there already\n"
    assert log.read_text() == "task orders\n"


@pytest.mark.parametrize(
    ("said", "first", "edits"),
    [
        ("  - mv gitignore .gitignore\n", (write("gitignore", "*.log\n"),), (append(".gitignore", "/own\n"),)),
        ("  - rm docs.txt\n", (write("docs.txt"),), (line("a.txt", 20, "mine"),)),
        ("  - echo generated >>a.txt\n", (), (line("a.txt", 20, "mine"),)),
        ("  - grep -c . a.txt >count.txt\n", (), (line("a.txt", 20, "mine"),)),
        ("  - mkdir -p x && mv b.txt x/b.txt\n", (write("b.txt"),), (line("x/b.txt", 20, "mine"),)),
        ("  - chmod +x b.txt\n", (write("b.txt"),), (line("b.txt", 20, "mine"),)),
        ("  - sed -i s/line/LINE/ b.txt\n", (write("b.txt"),), (foreign.delete("b.txt"),)),
        ("  - git init -q && git add -A\n", (), (line("a.txt", 20, "mine"),)),
    ],
)
def test_the_outcome_is_that_of_copier(
    said: str, first: tuple[Step, ...], edits: tuple[Step, ...], tmp_path: Path
) -> None:
    service = pair(tmp_path, said, *edits, first=first)
    git(tmp_path, "clone", "--quiet", str(service), "plain/orders")
    done = copier("update", "--trust", "--defaults", "--quiet", tmp_path / "plain" / "orders")
    assert done.returncode == 0, done.stderr
    assert upgraded(service) == hard_cases.read(tmp_path / "plain" / "orders")


def test_what_a_person_made_of_a_generated_file_stays(tmp_path: Path) -> None:
    """Also where the task writes it anew; what it adds to a person's file arrives."""
    said = "  - 'echo one >made.txt; cat made.txt >>own.txt; echo more >>amended.txt; rm -f gone.txt'\n"
    edits = (write("made.txt", "mine\n"), write("own.txt", "mine\n"), write("gone.txt", "mine\n"))
    service = pair(tmp_path, said, *edits, write("amended.txt", "mine\n"))
    done = golden_path("apply", service, "--trust", "--json")
    assert done.returncode == 3
    by = {one["path"]: (one["status"], one["reason"]) for one in json.loads(done.stdout)["files"]}
    assert by["made.txt"][0] == changes.CONFLICT
    assert by["amended.txt"] == by["own.txt"] == (changes.MERGED, tasks.REASON)
    assert "gone.txt" not in by
    for name, text in (("made.txt", "mine"), ("own.txt", "mine\none"), ("amended.txt", "mine\nmore")):
        assert git(service, "show", f"{BRANCH}:{name}") == text
    assert "+one" in git(service, "log", "-1", "--format=%B", BRANCH)


def test_a_generated_file_that_nobody_touched_is_made_anew(tmp_path: Path) -> None:
    service = pair(tmp_path, "  - grep -n line.9 a.txt >found.txt || echo none >found.txt\n")
    assert (service / "found.txt").read_text() == "9:line 9\n"
    assert upgraded(service)["found.txt"][1] == b"none\n"


def test_without_its_history_a_changed_file_is_a_question(tmp_path: Path) -> None:
    """In a shallow clone nobody can tell who wrote what."""
    service = pair(
        tmp_path, "  - grep -n line.9 a.txt >found.txt || echo none >found.txt\n", write("found.txt", "mine\n")
    )
    write("b.txt", "more\n")(service)
    commit_all(service, "More")
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{service}", "shallow")
    assert golden_path("apply", tmp_path / "shallow", "--trust").returncode == 3
    assert git(tmp_path / "shallow", "show", f"{BRANCH}:found.txt") == "mine"


def test_what_tasks_made_of_a_new_service_is_no_drift(tmp_path: Path) -> None:
    """What a person did to it afterwards is, and so is a file that a person deleted."""
    said = "  - mv b.txt c.txt; sed -i s/line/LINE/ a.txt d.txt; rm e.txt\n"
    first = (write("b.txt"), write("d.txt"), write("e.txt"), write("f.txt"))
    service = pair(tmp_path, said, first=first)
    assert as_json("status", service)[0]["drift"] == {}
    assert "GP004" not in golden_path("doctor", service, "--trust").stdout
    line("a.txt", 3, "mine")(service)
    (service / "f.txt").unlink()
    commit_all(service, "Mine")
    assert as_json("status", service)[0]["drift"] == {"a.txt": "changed", "f.txt": "deleted"}
    said_of = [one for one in golden_path("doctor", service).stdout.splitlines() if "GP004" in one]
    assert [one.split()[2] for one in said_of] == ["a.txt:", "f.txt:"]


def test_one_that_fails_says_what_it_said_and_changes_nothing(tmp_path: Path) -> None:
    command = "touch half; seq 200; echo no compiler >&2; exit 4"
    said = f"  - {{command: '{command}', when: \"{{{{ _copier_operation == 'update' }}}}\"}}\n"
    service = pair(tmp_path, said)
    before = foreign.state(service)
    done = golden_path("apply", service, "--trust")
    assert done.returncode == 5
    assert done.stderr == (
        "golden-path: a task of version v2.0.0 of the template failed: "
        "197 | 198 | 199 | 200 | no compiler (exit code 4)\n"
    )
    assert foreign.state(service) == before


@pytest.mark.parametrize("made", ["git init -q sub", "git init -q sub && touch sub/x && git -C sub add x && git -C sub "
                                  "-c user.name=a -c user.email=a@example.com commit -qm x"])  # fmt: skip
def test_a_repository_that_one_makes_is_left_out(made: str, tmp_path: Path) -> None:
    said = f"  - {{command: '{made}; touch made.txt', when: \"{{{{ _copier_operation == 'update' }}}}\"}}\n"
    service = pair(tmp_path, said)
    done = golden_path("apply", service, "--trust")
    assert "  note      left out, since it is a repository of its own: sub" in done.stdout, done.stderr
    assert set(git(service, "ls-tree", "-r", "--name-only", BRANCH).split()) == {ANSWERS, "a.txt", "made.txt"}


def test_a_seeded_file_stays_the_services(tmp_path: Path) -> None:
    service = pair(tmp_path, "  - echo task >seeded.txt\n", write("seeded.txt", "mine\n"), first=(write("seeded.txt"),))
    assert upgraded(service)["seeded.txt"][1] == b"mine\n"


def test_a_moved_file_is_followed(tmp_path: Path) -> None:
    said = "  - {command: 'echo end >>a.txt', when: \"{{ _copier_operation == 'update' }}\"}\n"
    service = pair(tmp_path, said, move("a.txt", "mine.txt"))
    files = upgraded(service)
    assert files["mine.txt"][1].endswith(b"line 30\nend\n")
    assert "a.txt" not in files
