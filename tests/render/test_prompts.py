"""The questions in a real terminal."""

from __future__ import annotations

from pathlib import Path

import pexpect
import yaml

from tests.labs import template as lab
from tests.labs.toolchains import ROOT

ENTER = "\r"
DOWN = "\x1b[B"
CLEAR_LINE = "\x15"
MOST_QUESTIONS = 10


def questions() -> dict[str, str]:
    """The help of each question of a common service, in order."""
    everything = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    return {
        name: question["help"]
        for name, question in everything.items()
        if not name.startswith("_") and "ask" not in question and not _seldom(question.get("when"))
    }


def _seldom(when: object) -> bool:
    """Whether a question is computed, or only for one language or an application with a build tool of its own."""
    return when is False or "build_tool == 'golden-path'" in str(when) or "language == " in str(when)


def _start(template: Path, folder: Path) -> pexpect.spawn[str]:
    arguments = ["copy", "--trust", str(template), str(folder)]
    child = pexpect.spawn(str(lab.COPIER), arguments, encoding="utf-8", timeout=180, dimensions=(40, 120))
    child.delaybeforesend = 0.2
    return child


def _finish(child: pexpect.spawn[str]) -> None:
    child.expect_exact("is written. Next")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_language_first_and_about_ten_questions() -> None:
    asked = list(questions())
    assert asked[0] == "language"
    assert len(asked) <= MOST_QUESTIONS


def test_enter_all_the_way(template: Path, tmp_path: Path) -> None:
    """Each question has a default."""
    child = _start(template, tmp_path / "order-service")
    for text in questions().values():
        child.expect_exact(text)
        child.send(ENTER)
    _finish(child)
    answers = yaml.safe_load((tmp_path / "order-service" / ".copier-answers.yml").read_text())
    assert (answers["language"], answers["service_name"]) == ("go", "order-service")


def test_choice_and_a_refused_name(template: Path, tmp_path: Path) -> None:
    """A bad answer is refused at the prompt, with the reason, and asked again."""
    child = _start(template, tmp_path / "order-service")
    for name, text in questions().items():
        child.expect_exact(text)
        if name == "language":
            child.send(DOWN * 3 + ENTER)
            child.expect_exact("What does it serve?")
            child.send(ENTER)
        elif name == "service_name":
            child.send(CLEAR_LINE + "json" + ENTER)
            child.expect_exact("'json' is a reserved word of python")
            child.send(CLEAR_LINE + "ledger" + ENTER)
        else:
            child.send(ENTER)
    _finish(child)
    answers = yaml.safe_load((tmp_path / "order-service" / ".copier-answers.yml").read_text())
    assert (answers["language"], answers["service_name"]) == ("python", "ledger")
