"""A change of any kind that can change how tests end is seen; another change is not."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.labs.toolchains import ROOT
from tests.selection import inputs
from tests.selection.inputs import Checkout
from tests.selection.observed import COPYING
from tests.selection.suites import SUITES, Suite

MACHINE = {"": ["git version 2"], "go": ["go1.26.8"], "java": ["25"]}
TESTS = ["tests/services/conformance/test_api.py::test_item[process-go]"]


def suite(name: str) -> Suite:
    return next(one for one in SUITES if one.name == name)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this checkout as git sees it."""
    target = tmp_path_factory.mktemp("checkout") / "golden-path"
    sys.audit(COPYING, True)
    for name in Checkout(ROOT).files:
        if not name.startswith("tests/render/golden/"):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    sys.audit(COPYING, False)
    return target


@pytest.fixture
def checkout(original: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Checkout]:
    """Read the copy anew; it is no repository, so its files are those that are there."""

    def read() -> Checkout:
        found = Checkout(original)
        names = {str(path.relative_to(original)) for path in original.rglob("*") if path.is_file()}
        monkeypatch.setitem(found.__dict__, "files", frozenset(names))
        monkeypatch.setitem(found.__dict__, "links", Checkout(ROOT).links)
        return found

    return read


def key(checkout: Checkout, name: str = "service", language: str = "go", tests: list[str] = TESTS) -> str:
    files = inputs.files_of(checkout, suite(name), language, sorted({one.partition("::")[0] for one in tests}))
    return inputs.key(checkout, files, tests, MACHINE, language)


SEEN = {
    "a source of the language": "template/[[ go ]]/go.mod.jinja",
    "a file that all services have": "template/Makefile.jinja",
    "the questions": "copier.yml",
    "a pin": "pins.yaml",
    "the packages of the tests": "requirements.txt",
    "an extension": "extensions/pins.py",
    "a hook": "hooks/guard.py",
    "a piece of the README": "partials/example-go.md.jinja",
    "the test itself": "tests/services/conformance/test_api.py",
    "the fixtures beside it": "tests/services/conformance/conftest.py",
    "the fixtures of all": "tests/conftest.py",
    "a lab that it imports": "tests/labs/peers.py",
    "a lab that the fixtures import": "tests/labs/images/buildkit.py",
    "a module of Go that a lab builds": "tests/labs/go/go.mod",
    "a program that a lab starts": "tests/labs/keeper.py",
    "the engine that renders": "golden_path/rendering/render.py",
    "the worker that it starts": "golden_path/rendering/worker.py",
    "what the worker imports": "golden_path/rendering/patches.py",
    "the choice of tests": "tests/selection/suites.py",
}
UNSEEN = {
    "a source of another language": "template/[[ node ]]/package.json.jinja",
    "a piece of another README": "partials/example-node.md.jinja",
    "a page": "docs/reference/benchmarks.md",
    "another test": "tests/workflows/test_ci.py",
    "the changelog": "CHANGELOG.md",
    "the fleet's report": "golden_path/pages/page.js",
}


@pytest.mark.parametrize(
    ("file", "seen"), [(file, True) for file in SEEN.values()] + [(f, False) for f in UNSEEN.values()]
)
def test_a_changed_file(checkout: Callable[[], Checkout], original: Path, file: str, seen: bool) -> None:
    before = key(checkout())
    path = original / file
    text = path.read_bytes()
    try:
        path.write_bytes(text + b"\n# changed\n")
        assert (key(checkout()) != before) is seen
    finally:
        path.write_bytes(text)
    assert key(checkout()) == before


def test_a_file_that_is_new_or_gone_or_executable(checkout: Callable[[], Checkout], original: Path) -> None:
    before = key(checkout())
    new = original / "template/[[ go ]]/new.go"
    new.write_text("package new\n")
    with_new = key(checkout())
    new.chmod(0o755)
    executable = key(checkout())
    new.unlink()
    assert len({before, with_new, executable}) == 3
    assert key(checkout()) == before


def test_other_tests_tools_and_settings(checkout: Callable[[], Checkout], monkeypatch: pytest.MonkeyPatch) -> None:
    found = checkout()
    files = inputs.files_of(found, suite("service"), "go", ["tests/services/test_check.py"])
    before = inputs.key(found, files, TESTS, MACHINE, "go")
    assert inputs.key(found, files, [*TESTS, "tests/services/test_check.py::test_x[go]"], MACHINE, "go") != before
    assert inputs.key(found, files, TESTS, {**MACHINE, "go": ["go1.27"]}, "go") != before
    assert inputs.key(found, files, TESTS, {**MACHINE, "": ["git version 3"]}, "go") != before
    assert inputs.key(found, files, TESTS, {**MACHINE, "java": ["26"]}, "go") == before
    # Tests without a language may use any.
    assert inputs.key(found, files, TESTS, {**MACHINE, "java": ["26"]}, "") != inputs.key(
        found, files, TESTS, MACHINE, ""
    )
    told = inputs.tools([])
    monkeypatch.setenv("GOLDEN_PATH_IMAGE_LAB", "docker")
    assert inputs.tools([]) != told


def test_suites_that_cross_languages_see_all_of_them(checkout: Callable[[], Checkout]) -> None:
    name = "template/[[ node ]]/package.json.jinja"
    found = checkout()
    assert name in inputs.files_of(found, suite("contracts"), "go", [])
    assert name not in inputs.files_of(found, suite("service"), "go", [])
    assert name in inputs.files_of(found, suite("service"), "node", [])


def test_a_tool_that_is_not_there_is_a_fact_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git: No such file or directory" in inputs.tools([])[""]


def test_what_services_run_is_found_behind_the_link() -> None:
    found = Checkout(ROOT).imported("tests/cluster/test_objectives.py")
    package = "template/.golden-path/golden_path"
    assert {f"{package}/service/slo.py", f"{package}/service/__init__.py"} <= found
    verbs = Checkout(ROOT).imported(f"{package}/service/main.py")
    assert f"{package}/service/promote.py" in verbs, "by its name, as a text"
