"""The commands on one service: what they say, what they write, and that twice is once."""

from __future__ import annotations

from pathlib import Path

import pytest

from golden_path.rendering.render import Renderer
from golden_path.source import changelog
from tests.labs.template import commit_all, git
from tests.updates import cases, foreign
from tests.updates.commands import as_json, golden_path

BRANCH = "golden-path/v2.0.0"
CHANGES = """# Changelog

## Unreleased

- not yet

## 2.0.0 (2026-02-01)

- for all
- [java] for java only,
  on two lines
- [name=orders, java] for orders
- [a link](https://example.com) is no mark

## 1.0.0

- old
"""


@pytest.fixture
def pair(tmp_path: Path, renderer: Renderer) -> Path:
    """A service with an edit of each kind, and a template with a version more."""
    source = foreign.template(
        tmp_path / "template",
        cases.FIRST,
        [
            foreign.line("a.txt", 9, cases.THEIRS),
            foreign.line("b.txt", 3, cases.THEIRS),
            foreign.line("crlf.txt", 3, cases.THEIRS),
            foreign.line("seeded.txt", 3, cases.THEIRS),
            foreign.delete("empty.txt"),
            foreign.write("new.txt"),
            foreign.move("dir", "moved"),
        ],
    )
    (source / "CHANGELOG.md").write_text(CHANGES)
    commit_all(source, "Changelog")
    git(source, "tag", "--force", foreign.NEW)
    edits = [foreign.line("a.txt", 9, cases.MINE), foreign.line("b.txt", 27, cases.MINE)]
    return foreign.service(renderer, source, tmp_path / "service", *edits)


def test_plan_tells_each_file_and_changes_nothing(pair: Path) -> None:
    before, objects = foreign.state(pair), sorted((pair / ".git").rglob("*"))
    done = golden_path("plan", pair, "--json")
    assert done.returncode == 3
    planned = as_json("plan", pair)
    files = {one["path"]: one for one in planned["files"]}
    assert {name: one["status"] for name, one in files.items()} == {
        ".copier-answers.yml": "clean",
        "a.txt": "conflict",
        "b.txt": "merged",
        "crlf.txt": "clean",
        "empty.txt": "dropped",
        "moved/one.txt": "clean",
        "moved/two.txt": "clean",
        "new.txt": "new",
        "seeded.txt": "kept",
    }
    assert files["moved/one.txt"]["was"] == "dir/one.txt"
    assert f"-{cases.MINE}\n+{cases.THEIRS}" in files["a.txt"]["missed"]
    assert f"+{cases.THEIRS}" in files["b.txt"]["diff"]
    assert cases.MINE not in files["b.txt"]["diff"].replace(f" {cases.MINE}", "")
    assert (planned["from"], planned["to"], planned["risk"]) == ("v1.0.0", "v2.0.0", "high")
    assert f"+{cases.THEIRS}" in golden_path("plan", pair, "--diff").stdout
    assert foreign.state(pair) == before
    assert sorted((pair / ".git").rglob("*")) == objects


def test_apply_makes_one_commit_with_a_checklist(pair: Path) -> None:
    before = foreign.state(pair)
    done = golden_path("apply", pair)
    assert (done.returncode, done.stderr) == (3, "")
    assert git(pair, "rev-list", "--count", f"HEAD..{BRANCH}") == "1"
    assert foreign.state(pair)[1:] == before[1:]
    text = git(pair, "log", "-1", "--format=%B", BRANCH)
    assert "Risk: high" in text
    assert "- [ ] `a.txt`: you and the template changed the same lines" in text
    assert f"-{cases.MINE}\n+{cases.THEIRS}" in text
    assert git(pair, "show", f"{BRANCH}:a.txt").splitlines()[8] == cases.MINE
    assert "- for all" in text
    assert "- for java only" not in text
    assert "on two lines" not in text
    assert "- [name=orders, java] for orders" in text
    assert "is no mark" in text
    assert "not yet" not in text
    assert "- old" not in text
    assert git(pair, "fsck", "--strict") == ""


def test_twice_is_once(pair: Path) -> None:
    golden_path("apply", pair)
    once = foreign.state(pair)
    done = golden_path("apply", pair)
    assert (done.returncode, done.stdout) == (0, f"nothing to do: {BRANCH} is there already\n")
    assert foreign.state(pair) == once
    git(pair, "merge", "--quiet", BRANCH)
    merged = foreign.state(pair)
    done = golden_path("apply", pair)
    assert (done.returncode, done.stdout) == (0, "nothing to do: the service has v2.0.0 of the template\n")
    assert foreign.state(pair) == merged


def test_the_branch_follows_the_service(pair: Path) -> None:
    golden_path("apply", pair)
    first = git(pair, "rev-parse", BRANCH)
    foreign.write("more.txt")(pair)
    commit_all(pair, "More")
    assert golden_path("apply", pair).returncode == 3
    assert git(pair, "rev-parse", BRANCH) != first
    assert git(pair, "rev-parse", f"{BRANCH}^") == git(pair, "rev-parse", "HEAD")


def test_a_persons_commit_on_the_branch_stays(pair: Path) -> None:
    golden_path("apply", pair)
    git(pair, "switch", "--quiet", BRANCH)
    foreign.line("a.txt", 9, "decided")(pair)
    commit_all(pair, "Decide")
    git(pair, "switch", "--quiet", "main")
    assert "is there already" in golden_path("apply", pair).stdout
    foreign.write("more.txt")(pair)
    commit_all(pair, "More")
    before = foreign.state(pair)
    for verb in ("apply", "rollback"):
        done = golden_path(verb, pair)
        assert done.returncode == 4
        assert done.stderr == (
            f"golden-path: the branch {BRANCH} has commits of a person's: merge it, or delete it with "
            f"'git branch -D {BRANCH}'\n"
        )
        assert foreign.state(pair) == before


def test_checkout(pair: Path) -> None:
    assert golden_path("apply", pair, "--checkout").returncode == 3
    assert git(pair, "branch", "--show-current") == BRANCH
    assert git(pair, "status", "--porcelain") == ""
    assert (pair / "new.txt").exists()


def test_rollback_before_the_merge(pair: Path) -> None:
    before = foreign.state(pair)
    golden_path("apply", pair)
    done = golden_path("rollback", pair)
    assert (done.returncode, done.stdout) == (0, f"removed: {BRANCH}; the service stays at v1.0.0\n")
    assert foreign.state(pair) == before


@pytest.mark.parametrize("how", ["--ff-only", "--no-ff", "--squash"])
def test_rollback_after_the_merge(how: str, pair: Path) -> None:
    start = git(pair, "rev-parse", "HEAD^{tree}")
    golden_path("apply", pair)
    git(pair, "merge", "--quiet", how, BRANCH)
    if how == "--squash":
        git(pair, "commit", "--quiet", "--message", "Squashed")
    assert golden_path("rollback", pair).returncode == 0
    assert git(pair, "rev-parse", "golden-path/revert-v2.0.0^{tree}") == start
    assert "is there already" not in golden_path("apply", pair).stdout
    assert golden_path("rollback", pair).stdout.startswith("nothing to do")


def test_rollback_keeps_what_came_after(pair: Path) -> None:
    golden_path("apply", pair)
    git(pair, "merge", "--quiet", BRANCH)
    foreign.line("b.txt", 15, "later")(pair)
    foreign.line("new.txt", 9, "later")(pair)
    commit_all(pair, "Later")
    done = golden_path("rollback", pair)
    assert done.returncode == 3
    branch = "golden-path/revert-v2.0.0"
    assert git(pair, "show", f"{branch}:new.txt").splitlines()[8] == "later"
    back = git(pair, "show", f"{branch}:b.txt").splitlines()
    assert (back[2], back[14], back[26]) == ("other 3", "later", cases.MINE)
    assert golden_path("rollback", pair).returncode == 3


def test_status(pair: Path) -> None:
    row = as_json("status", pair)[0]
    assert (row["version"], row["newest"], row["behind"]) == ("v1.0.0", "v2.0.0", ["v2.0.0"])
    assert row["drift"] == {"a.txt": "changed", "b.txt": "changed"}
    assert row["upgraded"] == ""
    golden_path("apply", pair)
    git(pair, "merge", "--quiet", BRANCH)
    row = as_json("status", pair)[0]
    assert (row["version"], row["behind"]) == ("v2.0.0", [])
    assert row["upgraded"] == "2026-01-01T00:00:00+00:00"


def test_status_of_several_goes_on_after_one_that_fails(pair: Path, tmp_path: Path) -> None:
    done = golden_path("status", tmp_path / "nowhere", pair)
    assert done.returncode == 4
    assert done.stderr == f"golden-path: {tmp_path / 'nowhere'}: {tmp_path / 'nowhere'}: there is no such folder\n"
    assert done.stdout.splitlines()[1].split()[1:] == ["v1.0.0", "v2.0.0", "1", "2", "none"]


def test_changelog_marks() -> None:
    said = changelog.between(CHANGES, "v1.0.0", "v2.0.0", {"language": "java", "name": "pay"})
    assert said == (
        "## 2.0.0\n\n- for all\n- [java] for java only,\n  on two lines\n- [name=orders, java] for orders\n"
        "- [a link](https://example.com) is no mark"
    )
    assert changelog.between(CHANGES, "v2.0.0", "v2.0.0", {}) == ""


def test_the_commits_stand_in_for_a_changelog(tmp_path: Path, renderer: Renderer) -> None:
    source = foreign.template(tmp_path / "template", cases.FIRST, [foreign.line("a.txt", 3, "x")])
    service = foreign.service(renderer, source, tmp_path / "service")
    assert as_json("plan", service)["changelog"] == "- Version 2"


def test_a_repository_of_sha_256(tmp_path: Path, renderer: Renderer) -> None:
    source = foreign.template(tmp_path / "template", cases.FIRST, [foreign.line("b.txt", 3, cases.THEIRS)])
    service = tmp_path / "service"
    service.mkdir()
    git(service, "init", "--quiet", "--object-format=sha256", "--initial-branch", "main")
    foreign.service(renderer, source, service, foreign.line("b.txt", 27, cases.MINE))
    assert golden_path("apply", service).returncode == 0
    merged = git(service, "show", f"{BRANCH}:b.txt").splitlines()
    assert (merged[2], merged[26], len(git(service, "rev-parse", BRANCH))) == (cases.THEIRS, cases.MINE, 64)
    assert git(service, "fsck", "--strict") == ""


def test_what_an_update_excludes_is_left_alone(tmp_path: Path, renderer: Renderer) -> None:
    """As with Copier, whose patterns may ask which operation it is."""
    excluded = "_exclude: [\"{% if _copier_operation == 'update' %}once.txt{% endif %}\"]\n"
    source = foreign.template(
        tmp_path / "template",
        [foreign.write("once.txt"), foreign.write("a.txt")],
        [foreign.line("once.txt", 3, cases.THEIRS), foreign.line("a.txt", 3, cases.THEIRS)],
        settings=foreign.SETTINGS + excluded,
    )
    service = foreign.service(renderer, source, tmp_path / "service", foreign.line("once.txt", 3, cases.MINE))
    assert golden_path("apply", service).returncode == 0
    assert git(service, "diff", "--name-only", "HEAD", BRANCH).splitlines() == [foreign.ANSWERS, "a.txt"]


def test_a_pointer_of_git_lfs_is_what_is_compared(tmp_path: Path, renderer: Renderer) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 3\n"
    source = foreign.template(tmp_path / "template", cases.FIRST, [foreign.write("data.bin", cases.OTHER)])
    service = foreign.service(renderer, source, tmp_path / "service", foreign.write("data.bin", pointer))
    assert golden_path("apply", service).returncode == 3
    assert f"{git(service, 'show', f'{BRANCH}:data.bin')}\n" == pointer


def test_a_persons_binary_file_leaves_the_templates_text_in_the_report(tmp_path: Path, renderer: Renderer) -> None:
    """No difference of lines can be shown, so all of it is."""
    source = foreign.template(tmp_path / "template", cases.FIRST, [foreign.line("a.txt", 3, cases.THEIRS)])
    service = foreign.service(renderer, source, tmp_path / "service", foreign.write("a.txt", cases.BINARY))
    assert golden_path("apply", service).returncode == 3
    assert f"\n+{cases.THEIRS}\n+line 4\n" in git(service, "log", "-1", "--format=%B", BRANCH)


def test_a_cache_that_cannot_be_written_is_exit_code_1(pair: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(pair / "a.txt"))
    done = golden_path("apply", pair)
    assert done.returncode == 1
    assert done.stderr.startswith("golden-path: the cache cannot be written: ")
    assert len(done.stderr.splitlines()) == 1
