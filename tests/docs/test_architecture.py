"""docs/explanations/architecture.md says what the rooms of the engine import, and no room imports one above it."""

from __future__ import annotations

import ast
import os
import re
from collections import defaultdict
from pathlib import Path

import pytest

from tests.labs.toolchains import ROOT

PAGE = ROOT / "docs/explanations/architecture.md"
ENGINE = "golden_path"
DOOR = "the door"  # modules beside the rooms
BELOW = ("errors", "switch")  # of these, what rooms may import: they import nothing but `untrusted`
ATOP = ("about", "output", "unexpected")  # and what those may that commands are made of


def imported(root: Path, file: Path) -> set[str]:
    """Return the modules of the engine that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == ENGINE:
            for one in node.names:
                inner = f"{node.module}.{one.name}"
                place = root.joinpath(*inner.split("."))
                found.add(inner if place.with_suffix(".py").is_file() or place.is_dir() else node.module)
        elif isinstance(node, ast.Import):
            found |= {one.name for one in node.names if one.name.partition(".")[0] == ENGINE}
    return found


def modules(root: Path) -> list[Path]:
    """Return the files of the engine, those that lie in the template and are linked, too."""
    walked = os.walk(root / ENGINE, followlinks=True)
    return sorted(Path(folder) / name for folder, _, names in walked for name in names if name.endswith(".py"))


def arrows(root: Path) -> dict[str, dict[str, set[str]]]:
    """Return which rooms a room imports, and by which modules."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for file in modules(root):
        parts = file.relative_to(root / ENGINE).parts
        room = parts[0] if len(parts) > 1 else DOOR
        found[room]  # a room that imports nothing is one, too
        for name in imported(root, file):
            _, first, *rest = *name.split("."), ""
            other = first if rest != [""] or (root / ENGINE / first).is_dir() else DOOR
            if other != room:
                found[room][other].add(f"{'/'.join(parts)} -> {name}")
    return found


def rows() -> list[tuple[str, str]]:
    """Return the rooms of the page from the lowest to the highest, each with those that it imports."""
    return re.findall(r"^\| `(\w+)` \| .+ \| (.+) \|$", PAGE.read_text(), re.MULTILINE)


def upwards(root: Path, order: list[str]) -> list[str]:
    """Return the imports of a room above, and of what is at the door but for what the rooms may import there."""
    found: list[str] = []
    for room, others in arrows(root).items():
        for other, imports in others.items():
            if room in order and other in order and order.index(other) > order.index(room):
                found += imports
            if room in order and other == DOOR:
                commands = order.index(room) > order.index("upgrade")
                allowed = (*BELOW, *(ATOP if commands else ()))
                found += [one for one in imports if one.rpartition(".")[2] not in allowed]
    return sorted(found)


def picture(root: Path, order: list[str]) -> str:
    """Return the drawing: arrows that follow from others are left out."""
    direct = {room: {one for one in arrows(root)[room] if one in order} for room in order}
    reached: dict[str, set[str]] = {}
    for room in order:
        reached[room] = direct[room].union(*(reached[one] for one in direct[room]))
    lines = []
    for room in reversed(order):
        beyond = set().union(*(reached[one] for one in direct[room]))
        lines += [f"  {room} --> {one}" for one in reversed(order) if one in direct[room] - beyond]
    return "\n".join(["```mermaid", "flowchart TD", *lines, "```"])


def test_the_page_has_each_room_with_what_it_imports() -> None:
    real = arrows(ROOT)
    assert {room for room, _ in rows()} == {room for room in real if room != DOOR}
    for room, said in rows():
        assert re.findall(r"`(\w+)`", said) == [one for one, _ in rows() if one in real[room]], room


def test_no_room_imports_one_above_it() -> None:
    assert upwards(ROOT, [room for room, _ in rows()]) == []


def test_the_picture_is_of_the_code() -> None:
    assert picture(ROOT, [room for room, _ in rows()]) in PAGE.read_text()


@pytest.mark.parametrize(
    ("file", "line", "named"),
    [
        ("store/git.py", "from golden_path.upgrade import plan", "store/git.py -> golden_path.upgrade.plan"),
        ("store/git.py", "def f():\n    from golden_path.upgrade.plan import Plan", "golden_path.upgrade.plan"),
        ("untrusted/inside.py", "import golden_path.store.git", "untrusted/inside.py -> golden_path.store.git"),
        ("source/config.py", "from golden_path import cli", "source/config.py -> golden_path.cli"),
        ("source/config.py", "from golden_path import output", "source/config.py -> golden_path.output"),
    ],
)
def test_an_import_upwards_is_seen(file: str, line: str, named: str, tmp_path: Path) -> None:
    for one in modules(ROOT):
        copy = tmp_path / one.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(one.read_text())
    with (tmp_path / ENGINE / file).open("a") as changed:
        changed.write(f"\n{line}\n")
    found = upwards(tmp_path, [room for room, _ in rows()])
    assert len(found) == 1
    assert named in found[0]
