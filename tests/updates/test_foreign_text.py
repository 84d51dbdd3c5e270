"""What others wrote stays readable and does not act: on a terminal, in a log, in a commit, in a page."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from golden_path.rendering.render import Renderer
from golden_path.untrusted import foreign as text
from tests.labs.template import commit_all, git
from tests.updates import foreign
from tests.updates.commands import golden_path
from tests.updates.foreign import NEW

BRANCH = f"golden-path/{NEW}"
# What GitHub, GitLab and programs of releases obey in a commit's message or a pull request's text.
ACTS = re.compile(
    r"\[(?:skip ci|ci skip|no ci|skip actions|actions skip)\]|\*\*\*NO_CI\*\*\*|skip-checks: ?true"
    r"|(?:close|fixe?|resolve)[sd]?:? +(?:[\w.-]+/[\w.-]+)?(?:#|GH-)\d|(?<![A-Za-z0-9])@[a-z]|(?<![\w/])#\d"
    r"|(?:close|fixe?|resolve)[sd]?:? +https?://\S+/\d|BREAKING CHANGE:|BEGIN_COMMIT_OVERRIDE",
    re.IGNORECASE,
)
NASTY = (
    "fixes #12", "Closes: octo/cat#3", "resolve GH-4", "fix https://github.com/o/r/issues/5", "@some-person",
    "(@org/team)",
    "[skip ci]", "[CI SKIP]", "***NO_CI***", "[no ci]", "skip-checks: true", "BREAKING CHANGE: all", "&commat;x",
    "BEGIN_COMMIT_OVERRIDE", "Co-authored-by: A <a@example.com>", "/close", "- [ ] `forged`", "<!-- hidden",
    "<details><summary>x", "![x](https://example.com/x.png)", "Template-To: v9", "Rollout: v9 of 2026",
)  # fmt: skip


@pytest.mark.parametrize("nasty", NASTY)
def test_no_word_acts(nasty: str) -> None:
    """In each place, with the words as they were but for the gaps."""
    for made in (f"- {text.words(nasty)}", text.prose(nasty), text.code(nasty), text.block(nasty)):
        assert not ACTS.search(made), made
        assert nasty in made.replace(text.GAP, "")
    assert text.GAP in text.prose(nasty)


@pytest.mark.parametrize(
    "plain",
    ["The default of a is 3.", "see docs/x.md, 50% (was 40 %)", "# A heading", "- an entry: with `code`",
     "a@example.com",
     "größe → 2", "- [a link](https://example.com/a#b)"],
)  # fmt: skip
def test_plain_text_stays_as_it_is(plain: str) -> None:
    assert text.words(plain).replace(f"#{text.GAP}b", "#b") == plain
    assert text.prose(plain).replace(f"#{text.GAP}b", "#b") == plain
    assert text.line(plain) == plain


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a\nb", "a\\nb"),
        ("a\r\x1b[31mb\x07", "a\\r\\x1b[31mb\\x07"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("a\u2028b\x85", "a\\u2028b\\x85"),
        ("\udcff\ud800", "\\xff\\ud800"),
        ("::set-output name=x::y", "\\x3a:set-output name=x::y"),
        ("  ::error::x", "  \\x3a:error::x"),
        ("a ##[error]b ##vso[task]", "a \\x23#[error]b \\x23#vso[task]"),
        ("golden-path: a::b", "golden-path: a::b"),
    ],
)
def test_a_line_of_a_terminal_or_a_log(given: str, shown: str) -> None:
    assert text.line(given) == shown


def test_blocks_of_code_do_not_reach_beyond_the_text() -> None:
    assert text.prose("```\na") == "```\na\n```"
    assert text.prose("~~~~\n~~~\nb\n~~~~\nc") == "~~~~\n~~~\nb\n~~~~\nc"
    assert "```" not in text.prose("- x\n  ```\n  y")
    assert text.block(" ~~~~~~~~\n+a", "diff") == "~~~~~~~~~diff\n ~~~~~~~~\n+a\n~~~~~~~~~"
    assert text.code("a``b") == "``` a``b ```"


@pytest.fixture
def pair(tmp_path: Path, renderer: Renderer) -> Path:
    """A service of a template whose history, changelog, names and files are full of words that act."""
    source = foreign.template(tmp_path / "template", [foreign.write("a.txt", "line\nthird\n"), foreign.write("b.txt")])
    service = foreign.service(renderer, source, tmp_path / "service", foreign.write("a.txt", "line\nmine\n"))
    foreign.write("a.txt", "line\n~~~~~~~\n@override fixes #7 [skip ci]\n")(source / "template")
    foreign.write("new\n::error::forged\x1b[2K `@me` [skip ci].txt", "x\n")(source / "template")
    return service


def release(service: Path, changelog: str = "", subject: str = "New") -> None:
    source = service.parent / "template"
    if changelog:
        (source / "CHANGELOG.md").write_text(changelog)
    commit_all(source, subject)
    git(source, "tag", NEW)


@pytest.mark.parametrize("changelog", [True, False])
def test_the_message_of_an_upgrade(pair: Path, *, changelog: bool) -> None:
    if changelog:
        release(pair, "## 2.0.0\n\n" + "\n".join(f"- {one}\n{one}" for one in NASTY) + "\n```\nnever closed\n")
    else:
        release(pair, subject="fix: a, fixes #12 (@some-person) [skip ci]")
    done = golden_path("apply", pair)
    assert done.returncode == 3
    said = git(pair, "log", "-1", "--format=%B", BRANCH)
    assert not ACTS.search(said), ACTS.search(said)
    assert ("never closed" if changelog else "fix: a, fixes") in said
    assert said.count("\n- [ ] ") == 1
    assert git(pair, "log", "-1", "--format=%(trailers:key=Template-To,valueonly)", BRANCH).split() == [NEW]
    assert git(pair, "log", "-1", "--format=%(trailers:key=Co-authored-by)", BRANCH) == ""
    assert "\x1b" not in said
    assert "\n::error" not in said
    fences = [line for line in said.splitlines() if re.match(r"(?:`{3}|~{3})", line)]
    assert len(fences) == (4 if changelog else 2)
    assert "golden-path plan --diff" in said


def test_the_plan_on_a_terminal_and_for_a_program(pair: Path) -> None:
    release(pair)
    done = golden_path("plan", pair, "--diff")
    assert "\x1b" not in done.stdout
    assert "new\\n::error::forged\\x1b[2K" in done.stdout
    assert not [line for line in done.stdout.splitlines() if line.strip().startswith(("::", "##["))]
    told = json.loads(golden_path("plan", pair, "--json").stdout)
    assert "new\n::error::forged\x1b[2K `@me` [skip ci].txt" in [one["path"] for one in told["files"]]
    assert any("@override fixes #7" in one["missed"] for one in told["files"])


def test_commands_of_a_log_in_what_a_program_reads(pair: Path) -> None:
    foreign.write("##[error]x", "x\n")(pair.parent / "template/template")
    release(pair)
    done = golden_path("plan", pair, "--json")
    assert "##[" not in done.stdout
    assert "##[error]x" in [one["path"] for one in json.loads(done.stdout)["files"]]


def test_a_name_that_is_no_utf8(pair: Path) -> None:
    (pair.parent / "template/template" / b"caf\xe9.txt".decode(errors="surrogateescape")).write_text("x\n")
    release(pair)
    assert "caf\\xe9.txt" in golden_path("plan", pair).stdout
    assert golden_path("apply", pair).returncode == 3
    assert "caf\\xe9.txt" in git(pair, "log", "-1", "--format=%B", BRANCH)
    listed = subprocess.run(
        ["git", "-C", pair, "ls-tree", "-z", "--name-only", BRANCH], capture_output=True, check=True
    )
    assert b"caf\xe9.txt" in listed.stdout.split(b"\0")


def test_a_version_that_is_a_search_for_words(pair: Path) -> None:
    """git takes ``main^{/words}`` for a commit whose message has them; the subject of the upgrade would, too."""
    release(pair)
    answers = pair / foreign.ANSWERS
    search = "main^{/[skip ci]*Version 1}"
    answers.write_text(answers.read_text().replace("_commit: v1.0.0", f'_commit: "{search}"'))
    commit_all(pair)
    done = golden_path("apply", pair)
    assert done.returncode in (0, 3), done.stderr
    said = git(pair, "log", "-1", "--format=%B", BRANCH)
    assert search in said.replace(text.GAP, "")
    assert not ACTS.search(said), ACTS.search(said)


def test_what_adopting_says(tmp_path: Path) -> None:
    source = foreign.template(tmp_path / "template", [foreign.write("a.txt"), foreign.write("@me fixes #1")])
    rules = (
        "answers: {name: [{file: name.txt}]}\nnext: |\n  - fixes #3 [skip ci]\n  - [name=x] not this\n  - thanks @you\n"
    )
    (source / "adopt.yml").write_text(rules)
    commit_all(source)
    git(source, "tag", "--force", "v1.0.0")
    repository = tmp_path / "repository"
    foreign.write("name.txt", "closes #9 `@them`\n")(repository)
    foreign.write("a.txt", "other\n")(repository)
    commit_all(repository)
    assert golden_path("adopt", repository, "--template", source).returncode == 3
    said = git(repository, "log", "-1", "--format=%B", "golden-path/adopt-v1.0.0")
    assert not ACTS.search(said), ACTS.search(said)
    assert f"- [ ] fixes #{text.GAP}3" in said
    assert "not this" not in said
    assert "closes #" in said
