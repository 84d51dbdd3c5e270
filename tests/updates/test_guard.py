"""Plain ``copier update`` with the hooks: it stops before something is lost, and says what is left to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from golden_path.merging.locks import is_lock
from golden_path.rendering.render import Renderer
from tests.labs.template import commit_all
from tests.labs.warm import copier
from tests.updates import cases, foreign, hard_cases, hooked
from tests.updates.cases import CASES, Case
from tests.updates.hooked import DONE, NAMED, STOPPED

HOOKED = hard_cases.column(hard_cases.HOOKED)
HARD = [case for case in CASES if hard_cases.column(hard_cases.BARE)[case.name] != "-"]


def test_every_case_in_which_copier_is_at_fault_is_here() -> None:
    assert len(HARD) == 38
    assert set(HOOKED.values()) == {STOPPED, NAMED, f"{NAMED}, dirty repository", DONE}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nothing_is_lost_and_nothing_goes_unsaid(case: Case, tmp_path: Path, renderer: Renderer) -> None:
    """As the table says; Copier itself is run where the guard lets it, and is at fault alone."""
    source, service = hooked.pair(case, tmp_path, renderer)
    base = hard_cases.read(foreign.render(renderer, source, foreign.OLD, tmp_path / "first" / "service"))
    ours = hard_cases.read(service)
    said = hooked.stops(source, service)
    assert bool(said) is (HOOKED[case.name] == STOPPED)
    if said:
        changed = [Path(name) for name in {*base, *ours} if base.get(name) != ours.get(name)]
        places = {one.as_posix() for name in changed for one in (name, *name.parents)}
        assert said.startswith("golden-path: nothing was written")
        assert len(said.splitlines()) == 1
        assert "--data NAME=VALUE" in said if case.ends == cases.REFUSED else any(f" {one} (" in said for one in places)
    elif case in HARD:
        assert hooked.updated(case, source, service, renderer) == HOOKED[case.name]


@pytest.mark.parametrize(
    "name",
    [
        "the template renames a file that was edited",
        "the template makes a folder of a file that was edited",
        "the person changed a binary file",
        "a new question has no default",
    ],
)
def test_where_the_guard_stops_copier_writes_nothing(name: str, tmp_path: Path, renderer: Renderer) -> None:
    source, service = hooked.pair(next(one for one in CASES if one.name == name), tmp_path, renderer)
    ours, expected = hard_cases.read(service), hooked.stops(source, service)
    ended, said = hooked.update(service)
    assert ended.code == 1
    assert ended.files == ours
    assert [line for line in said.splitlines() if line.startswith("golden-path: ")] == [expected]


@pytest.mark.parametrize(
    "name", ["the person renamed a file that the template changes", "a seeded file is changed by both"]
)
def test_the_guard_stops_no_update_that_copier_can_do(name: str, tmp_path: Path, renderer: Renderer) -> None:
    _, service = hooked.pair(next(one for one in CASES if one.name == name), tmp_path, renderer)
    ended, said = hooked.update(service)
    assert "nothing was written" not in said
    assert "  template  v1.0.0 -> v2.0.0: " in said
    assert ended.code == (1 if "DECIDE" in said else 0)
    assert HOOKED[name] == (NAMED if ended.code else DONE)


@pytest.mark.parametrize(
    ("name", "code"),
    [("the template renames a file that was edited", 1), ("both change a file, at different lines", 0)],
)
def test_a_template_on_a_server(
    name: str, code: int, tmp_path: Path, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of which Copier keeps a mirror, and makes a work tree: no repository of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source, service = hooked.pair(next(one for one in CASES if one.name == name), tmp_path, renderer)
    answers = service / foreign.ANSWERS
    answers.write_text(answers.read_text().replace(f"_src_path: {source}", f"_src_path: git+file://{source}"))
    commit_all(service, "On a server")
    ended, said = hooked.update(service)
    assert (ended.code, "a.txt (moved to c.txt)" in said) == (code, bool(code)), said
    assert ("  template  v1.0.0 -> v2.0.0: " in said) is not bool(code)


def test_a_lock_is_not_merged(tmp_path: Path, renderer: Renderer) -> None:
    lock = foreign.write("go.sum", "a v1 h1:x=\nb v1 h1:x=\n")
    source = hooked.with_hooks(
        foreign.template(tmp_path / "template", [lock], [foreign.line("go.sum", 1, "a v2 h1:y=")]),
    )
    service = foreign.service(renderer, source, tmp_path / "service", foreign.line("go.sum", 1, "a v3 h1:z="))
    ended, said = hooked.update(service)
    assert ended.code == 1
    assert "  LOCK      go.sum: " in said
    assert "make lock" in said
    assert (service / "go.sum").read_text().startswith("a v3 h1:z=\n")
    assert "<<<<" not in (service / "go.sum").read_text()


def test_rejects_are_named(tmp_path: Path, renderer: Renderer) -> None:
    steps = [foreign.line("a.txt", 9, cases.THEIRS)]
    source = hooked.with_hooks(foreign.template(tmp_path / "template", cases.FIRST, steps))
    service = foreign.service(renderer, source, tmp_path / "service", foreign.line("a.txt", 9, cases.MINE))
    done = copier("update", "--trust", "--defaults", "--conflict", "rej", service)
    assert done.returncode == 1
    assert "  CONFLICT  a.txt: what did not arrive is in a.txt.rej\n" in done.stderr


HASHED = b"copier==9.19.1 \\\n    --hash=sha256:12\n"


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("go.sum", b"", True),
        (".golden-path/locks/pnpm/package-lock.json", b"", True),
        ("requirements.txt", HASHED, True),
        (".golden-path/locks/tools.txt", b"# by uv\n" + HASHED, True),
        ("requirements.txt", b"copier>=9\n", False),
        ("docs/notes.txt", b"see --hash=sha256 in requirements.txt\n", False),
        ("package.json", b"{}", False),
        ("go.sum.md", HASHED, False),
    ],
)
def test_what_a_lock_is(path: str, content: bytes, expected: bool) -> None:
    assert is_lock(path, lambda: content) is expected
