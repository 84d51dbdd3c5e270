"""Which test files need what: read from the fixtures that they take and the modules that they import."""

from __future__ import annotations

import ast
import functools
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.labs.toolchains import ROOT

TESTS = ROOT / "tests"
_LABS = "tests.labs"


@dataclass(frozen=True)
class _Source:
    """What one file of the tests says.

    Attributes:
        imports: names of modules, and of what is imported out of them, with their module's.
        fixtures: what each fixture in it takes.
        taken: the fixtures that its tests take.
    """

    imports: frozenset[str]
    fixtures: dict[str, frozenset[str]]
    taken: frozenset[str]


def imports(tree: ast.AST) -> Iterator[str]:
    """Yield the names of the modules that a file imports, and of what it imports out of them, with their module's.

    Args:
        tree: the file, parsed.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _asked(tree: ast.AST) -> Iterator[str]:
    """Yield the fixtures that are asked for by name: ``usefixtures("a")``, ``getfixturevalue("a")``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("usefixtures", "getfixturevalue")):
            yield from (str(part.value) for part in node.args if isinstance(part, ast.Constant))


def _is_fixture(function: ast.FunctionDef) -> bool:
    return any("fixture" in ast.unparse(decorator).partition("(")[0] for decorator in function.decorator_list)


@functools.cache
def _source(file: Path) -> _Source:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    takes = {one.name: frozenset({*(part.arg for part in one.args.args), *_asked(one)}) for one in functions}
    fixtures = {one.name: takes[one.name] for one in functions if _is_fixture(one)}
    tests = [takes[one.name] for one in functions if one.name.startswith("test_")]
    return _Source(frozenset(imports(tree)), fixtures, frozenset(_asked(tree)).union(*tests))


def _file(module: str) -> Path | None:
    base = ROOT.joinpath(*module.split("."))
    return next((file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()), None)


def _sources(*files: Path) -> Iterator[_Source]:
    """Yield files and what they import of the tests outside the labs."""
    waiting = list(files)
    seen: set[Path] = set()
    while waiting:
        one = waiting.pop()
        if one not in seen and one.is_file():
            seen.add(one)
            yield _source(one)
            names = (name for name in _source(one).imports if name.startswith("tests.") and not name.startswith(_LABS))
            waiting += [found for name in names if (found := _file(name))]


def _fixtures(file: Path) -> set[str]:
    """Return the fixtures that the tests of a file take, and those that these take."""
    seen = [folder / "conftest.py" for folder in file.parents if folder.is_relative_to(TESTS)]
    known = {name: takes for source in _sources(file, *seen) for name, takes in source.fixtures.items()}
    taken: set[str] = set()
    waiting = list(_source(file).taken)
    while waiting:
        if (name := waiting.pop()) not in taken:
            taken.add(name)
            waiting += known.get(name, ())
    return taken


def test_files(fixtures: Collection[str], modules: Collection[str]) -> list[str]:
    """Return the test files that take one of the fixtures, or import one of the modules themselves.

    A fixture may be taken by another, and a module be imported by one that the test file imports, outside the labs.

    Args:
        fixtures: their names.
        modules: their names.

    Returns:
        Paths from the checkout's root.
    """
    return [
        str(file.relative_to(ROOT))
        for file in sorted(TESTS.rglob("test_*.py"))
        if _fixtures(file) & set(fixtures) or any(source.imports & set(modules) for source in _sources(file))
    ]
