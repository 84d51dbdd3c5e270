"""Plain ``copier update`` with the hooks, where the work tree holds what no commit has: it is there afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from golden_path.rendering.render import Renderer
from golden_path.store import aside
from tests.labs.template import commit_all, git
from tests.labs.warm import copier
from tests.updates import foreign, hooked
from tests.updates.foreign import Step, append, delete, line, link, write

FIRST = [
    write("own.env", "URL=a\n"),
    write("b.txt"),
    write("d/c.env", "C=1\n"),
    write("seeded.env", "S=1\n"),
    write(".gitignore", "*.log\n"),
]
ELSE = line("b.txt", 3, "the template's line")  # what the template changes besides
IGNORED = write(".gitignore", "*.env\n*.rej\n/own/\nlink\n")


def pair(folder: Path, renderer: Renderer, template: list[Step], *person: Step) -> tuple[Path, Path]:
    """Make a template whose second version does some steps, and a service that has no ``*.env`` in git."""
    source = hooked.with_hooks(foreign.template(folder / "template", FIRST, [ELSE, *template]))
    service = foreign.service(renderer, source, folder / "service", IGNORED)
    git(service, "rm", "--quiet", "--cached", "own.env", "seeded.env", "d/c.env")
    commit_all(service, "Values are nobody else's")
    assert git(service, "ls-files", "*.env") == ""
    for step in person:
        step(service)
    assert git(service, "status", "--porcelain") == ""
    return source, service


def held(service: Path) -> dict[str, str]:
    """What stands in the work tree beside what git has, links by their target."""
    names = git(service, "ls-files", "--others").split("\n")
    return {
        name: f"-> {path.readlink()}" if (path := service / name).is_symlink() else path.read_text() for name in names
    }


KEPT: dict[str, tuple[list[Step], list[Step]]] = {
    "edited, and the template leaves it": ([], [append("own.env", "MINE=1\n")]),
    "edited, and the template removes it": ([delete("own.env")], [append("own.env", "MINE=1\n")]),
    "as the template wrote it, and the template removes it": ([delete("d/c.env")], []),
    "a link, and the template leaves it": ([], [link("own.env", "b.txt")]),
    "the template adds just the same": ([write("new.env", "N=1\n")], [write("new.env", "N=1\n")]),
    "what Copier leaves of a conflict, from before": ([], [write("b.txt.rej", "of the last one\n")]),
    "seeded, and both changed it": ([append("seeded.env", "THEIRS=1\n")], [append("seeded.env", "MINE=1\n")]),
    "seeded, and the template adds it": ([write("seeded.new.env", "N=1\n")], [write("seeded.new.env", "MINE=1\n")]),
    "one that no template knows": ([], [write("other.env", "O=1\n"), write("own/a.txt", "mine\n")]),
}


@pytest.mark.parametrize(("template", "person"), KEPT.values(), ids=KEPT)
def test_it_stays(template: list[Step], person: list[Step], tmp_path: Path, renderer: Renderer) -> None:
    _, service = pair(tmp_path, renderer, template, *person)
    before = held(service)
    done = copier("update", "--trust", "--defaults", service)
    assert done.returncode == 0, done.stderr
    assert "the template's line" in (service / "b.txt").read_text()
    assert held(service) == before
    assert not aside.folder(service).exists()


STOPPED: dict[str, tuple[list[Step], list[Step], str]] = {
    "both changed it": (
        [append("own.env", "THEIRS=1\n")], [append("own.env", "MINE=1\n")],
        "own.env (no commit has it, and the template writes it)",
    ),
    "the template changes it": (
        [append("own.env", "THEIRS=1\n")], [], "own.env (no commit has it, and the template writes it)",
    ),
    "the template adds another": (
        [write("new.env", "THEIRS=1\n")], [write("new.env", "MINE=1\n")],
        "new.env (no commit has it, and the template writes it)",
    ),
    "a folder in the way": (
        [write("own", "a file\n")], [write("own/a.txt", "mine\n")], "own (a folder of yours, a file of the template's)",
    ),
    "a file in the way": (
        [write("x.env/a.txt", "theirs\n")], [write("x.env", "mine\n")],
        "x.env (a file of yours, a folder of the template's)",
    ),
    "a link in the way": (
        [write("link/a.txt", "theirs\n")], [link("link", "d")],
        "link (a link of yours, through which Copier would write)",
    ),
    "a leftover of a file that no commit has": (
        [], [write("own.env.rej", "mine\n")], "own.env.rej (no commit has it, and Copier takes it for its own)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("template", "person", "said"), STOPPED.values(), ids=STOPPED)
def test_copier_does_not_start_where_it_would_not_stay(
    template: list[Step], person: list[Step], said: str, tmp_path: Path, renderer: Renderer
) -> None:
    _, service = pair(tmp_path, renderer, template, *person)
    before, state = held(service), foreign.state(service)
    done = copier("update", "--trust", "--defaults", service)
    assert done.returncode == 1
    told = [one for one in done.stderr.splitlines() if one.startswith("golden-path: ")]
    assert told == [one for one in told if f" {said}" in one]
    assert len(told) == 1
    assert "golden-path apply ." in told[0]
    assert held(service) == before
    assert foreign.state(service) == state


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
@pytest.mark.parametrize("changed", [False, True], ids=["the template leaves it", "the template changes it"])
def test_what_git_was_told_not_to_look_at(flag: str, changed: bool, tmp_path: Path, renderer: Renderer) -> None:
    steps = [line("b.txt", 9, "the template's"), *([append("own.txt", "THEIRS=1\n")] if changed else [])]
    source = hooked.with_hooks(foreign.template(tmp_path / "template", [*FIRST, write("own.txt", "A=1\n")], steps))
    service = foreign.service(renderer, source, tmp_path / "service")
    git(service, "update-index", flag, "own.txt", "b.txt")  # only one of them is edited
    append("own.txt", "MINE=1\n")(service)
    done = copier("update", "--trust", "--defaults", service)
    assert done.returncode == changed, done.stderr
    assert (service / "own.txt").read_text() == "A=1\nMINE=1\n"
    assert ("own.txt (no commit has it, and the template writes it)" in done.stderr) is changed
    assert ("the template's" in (service / "b.txt").read_text()) is not changed


def test_an_update_that_was_killed_has_lost_nothing(tmp_path: Path, renderer: Renderer) -> None:
    """Its guard was run, and its summary was not: the next update puts back what is gone, and asks about the rest."""
    source, service = pair(tmp_path, renderer, [], append("own.env", "MINE=1\n"))
    before = held(service)
    assert hooked.stops(source, service) == ""
    (service / "own.env").unlink()
    assert hooked.stops(source, service) == ""
    assert held(service) == before
    write("own.env", "the template's\n")(service)
    with pytest.raises(aside.LeftAsideError, match=r"own\.env") as refused:
        hooked.stops(source, service)
    kept = Path(str(refused.value).split("own.env (")[1].split(")")[0])
    assert kept.read_text() == before["own.env"]
    assert (service / "own.env").read_text() == "the template's\n"
    done = copier("update", "--trust", "--defaults", service)
    assert done.returncode == 1
    assert f"golden-path: {refused.value}" in done.stderr
