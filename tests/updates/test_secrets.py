"""A secret's default is not written without a word: nobody keeps the answer, so a person gives it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.labs.template import git
from tests.updates import foreign
from tests.updates.commands import golden_path
from tests.updates.foreign import Step, line, write

BRANCH = "golden-path/v2.0.0"
ASKED = "name: {type: str, default: orders}\npassword: {type: str, secret: true, default: changeme}\n"
USED = write("env.jinja", "user={{ name }}\npassword={{ password }}\n")


def pair(folder: Path, first: list[Step], second: list[Step], questions: str = ASKED, settings: str = "") -> Path:
    source = foreign.template(folder / "template", [write("a.txt"), *first], [line("a.txt", 9, "new"), *second],
                              settings=settings + foreign.SETTINGS, questions=questions)  # fmt: skip
    data = ("--data", "password=real") if questions.startswith(ASKED[:-2]) else ()
    return foreign.copied(source, folder / "orders", *data)


@pytest.mark.parametrize(
    ("first", "second", "named"),
    [
        ([], [USED], "'password' (env depends on it)"),
        (
            [USED],
            [write("env.jinja", "user={{ name }}\npassword='{{ password }}'\n")],
            "'password' (env depends on it)",
        ),
        ([], [write("{{ password }}.txt")], "'password' (changeme.txt depends on it)"),
    ],
)
def test_where_the_upgrade_would_write_it(first: list[Step], second: list[Step], named: str, tmp_path: Path) -> None:
    service = pair(tmp_path, first, second)
    before = foreign.state(service)
    for command in ("plan", "apply"):
        done = golden_path(command, service)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (6, "", 1)
        assert f"the upgrade needs {named}: pass --data password=VALUE" in done.stderr
    assert foreign.state(service) == before
    done = golden_path("apply", service, "--data", "password=real")
    assert done.returncode == 0, done.stdout
    files = git(service, "grep", "-l", "changeme", BRANCH, "--", "*") if "changeme" in git(
        service, "ls-tree", "-r", "--name-only", BRANCH) else ""  # fmt: skip
    assert files == ""


@pytest.mark.parametrize(
    ("first", "second", "questions", "settings"),
    [
        ([], [], ASKED, ""),
        ([USED], [], ASKED, ""),
        ([], [USED], ASKED.replace("default: changeme", "default: changeme, when: \"{{ name == 'x' }}\""), ""),
        ([], [USED], "name: {type: str, default: orders}\npassword: {secret: true, when: false, default: x}\n", ""),
    ],
)
def test_where_it_makes_no_difference(
    first: list[Step], second: list[Step], questions: str, settings: str, tmp_path: Path
) -> None:
    service = pair(tmp_path, first, second, questions, settings)
    assert golden_path("apply", service).returncode == 0


@pytest.mark.parametrize(
    ("questions", "settings"),
    [
        ("name: {type: str, default: orders}\npassword: changeme\n", "_secret_questions: [password]\n"),
        ("name: {type: str, default: orders}\npassword: {type: int, secret: true, default: 1}\n", ""),
        ("name: {type: str, default: orders}\npassword: {type: bool, secret: true, default: true}\n", ""),
        ("name: {type: str, default: orders}\npassword: {type: str, secret: true, default: a, choices: [a, b]}\n", ""),
    ],
)
def test_all_kinds_of_secrets(questions: str, settings: str, tmp_path: Path) -> None:
    service = pair(tmp_path, [], [USED], questions, settings)
    done = golden_path("plan", service)
    assert done.returncode == 6
    assert "pass --data password=VALUE" in done.stderr


def test_a_rehearsal_takes_the_defaults(tmp_path: Path) -> None:
    pair(tmp_path, [], [USED])
    done = golden_path("simulate", tmp_path / "template", "--from", "v1.0.0", "--edits", "0")
    assert (done.returncode, "failed" in done.stdout) == (0, False), done.stdout


def test_one_that_a_task_uses_is_shown_nowhere(tmp_path: Path) -> None:
    when = "when: \"{{ _copier_operation == 'update' }}\""
    tasks = f"_tasks:\n  - {{command: 'echo {{{{ password }}}} | wc -c >length.txt; %s', {when}}}\n"
    service = pair(tmp_path, [], [], settings="_message_after_update: 'It is {{ password }}.'\n" + tasks % "true")
    done = golden_path("apply", service, "--trust")
    assert done.returncode == 6
    assert "the upgrade needs 'password' (a task depends on it): pass --data password=VALUE" in done.stderr
    done = golden_path("apply", service, "--trust", "--data", "password=hush-hush")
    assert done.returncode == 0, done.stderr
    assert git(service, "show", f"{BRANCH}:length.txt").strip() == "10"
    assert "task run: echo *** | wc -c" in done.stdout
    assert "the template says: It is ***." in done.stdout
    assert "hush-hush" not in done.stdout + git(service, "log", "-p", f"HEAD..{BRANCH}")
    failing = pair(tmp_path / "failing", [], [], settings=tasks % "echo no {{ password }}; exit 3")
    done = golden_path("apply", failing, "--trust", "--data", "password=hush-hush")
    assert done.returncode == 5
    assert done.stderr.endswith("failed: no *** (exit code 3)\n")
