"""The labs' programs: all from one module, what each costs, and what the documentation says of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.labs import costs, go_tools, needs, programs
from tests.labs.cluster import external_secrets, kyverno
from tests.labs.cluster import tools as cluster
from tests.labs.images import tools as images
from tests.labs.toolchains import ROOT

PAGE = ROOT / "docs/reference/lab-programs.md"
_ROW = re.compile(r"^\| (\S+) \| (\S+) \| (\S+) \| ([\d.]+) \| (\d+) \| (.+) \|$", re.MULTILINE)


def names(packages: tuple[str, ...]) -> set[str]:
    """Return what programs are called, as ``go build`` does."""
    return {package.rpartition("/")[2] for package in packages}


def test_every_program_is_in_its_group() -> None:
    made = {group: {one.name for one in programs.GROUPS[group].programs()} for group in programs.GROUPS}
    assert made["images"] == {*names(images.PROGRAMS), "syft"}
    assert made["cluster"] == {*names(cluster.PROGRAMS), *cluster.DEBIAN}
    # The second is built in a workspace of both. ORAS is nobody else's: to move it builds nothing else anew.
    modules = {str(file.parent.relative_to(ROOT)) for file in ROOT.glob("tests/**/go.mod")}
    assert modules == {"tests/labs/go", f"tests/labs/go/{external_secrets.NAME}", "tests/labs/oras"}


def test_the_page_says_what_every_program_costs() -> None:
    told = {(name, version, source, purpose): float(cpu) for name, version, source, cpu, _, purpose in
            _ROW.findall(PAGE.read_text(encoding="utf-8"))}  # fmt: skip
    there = [one for group in programs.GROUPS.values() for one in group.programs()]
    assert list(told) == [(one.name, one.version, one.source, one.purpose) for one in there]
    assert all(told.values())


def test_the_page_says_which_tests_need_them() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert not [line for line in programs.need_table() if line not in lines], "see --table of tests.labs.programs"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A few tests of somebody else."""
    files = {
        "conftest.py": "@fixture\ndef lab(): ...\n@pytest.fixture()\ndef image(lab): ...\n@fixture\ndef other(): ...",
        "test_takes.py": "def test_it(image): ...",
        "test_marks.py": 'pytestmark = [pytest.mark.usefixtures("lab")]',
        "test_asks.py": 'def test_it(request):\n    request.getfixturevalue("image")',
        "test_takes_another.py": "def test_it(other): ...",
        "helper.py": "from tests.labs.wanted import it",
        "test_imports.py": "from tests.labs import wanted",
        "deep/test_by_another.py": "from tests.helper import it",
        "deep/conftest.py": "@pytest.fixture(scope='module')\ndef own(lab): ...\n",
        "deep/test_own.py": "class TestIt:\n    def test_it(self, own): ...",
        "test_lab_imports.py": "from tests.labs.between import it",
        "labs/between.py": "from tests.labs.wanted import it",
        "labs/wanted.py": "it = 1",
    }
    for name, content in files.items():
        file = tmp_path / "tests" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    monkeypatch.setattr(needs, "ROOT", tmp_path)
    monkeypatch.setattr(needs, "TESTS", tmp_path / "tests")
    return tmp_path


@pytest.mark.usefixtures("tree")
def test_who_takes_a_fixture_or_imports_a_module_needs_it() -> None:
    takes = ["deep/test_own.py", "test_asks.py", "test_marks.py", "test_takes.py"]
    imports = ["deep/test_by_another.py", "test_imports.py"]
    assert needs.test_files(["lab"], []) == [f"tests/{one}" for one in takes]
    assert needs.test_files([], ["tests.labs.wanted"]) == [f"tests/{one}" for one in imports]
    assert needs.test_files([], []) == []


@pytest.mark.only("go")
@pytest.mark.usefixtures("language")
def test_programs_are_built_with_their_cost(tmp_path: Path) -> None:
    go_tools.build(tmp_path / "made", ["./scanner"], "", "the scanner")
    cost = costs.kept(tmp_path / "made")
    assert 0 < cost.parts["scanner"] <= cost.cpu + 0.1
    assert cost.wall > 0
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["cost.json", "scanner"]
    ended = subprocess.run([tmp_path / "made" / "scanner"], capture_output=True, text=True, check=False)
    assert "scanner:" in ended.stderr


@pytest.mark.only("go")
@pytest.mark.usefixtures("language")
def test_kyverno_gets_what_it_names_and_the_api_server_what_kubernetes_names() -> None:
    def version_of(path: str, *where: str) -> str:
        form = "{{with .Replace}}{{.Path}} {{.Version}}{{end}}"
        done = subprocess.run(
            ["go", "list", "-mod=readonly", *where, "-m", "-f", form, path],
            cwd=go_tools.MODULE, env=go_tools.environment(), capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.strip()

    with go_tools.definition(kyverno.REPLACEMENTS) as definition:
        for one in kyverno.REPLACEMENTS:
            assert version_of(one.path, f"-modfile={definition}") == f"{one.by} {one.version}"
            assert version_of(one.path) not in ("", f"{one.by} {one.version}")


def test_what_several_programs_are_built_from_counts_for_the_first(tmp_path: Path) -> None:
    second = 1_000_000_000
    graph = [
        {"ID": 0, "Mode": "go build", "Deps": [1, 2]},
        {"ID": 1, "Mode": "link-install", "Target": "/made/first", "Deps": [3]},
        {"ID": 2, "Mode": "link-install", "Target": "/made/second", "Deps": [4]},
        {"ID": 3, "Mode": "link", "Deps": [5], "CmdUser": 2 * second, "CmdSys": second},
        {"ID": 4, "Mode": "link", "Deps": [5, 6], "CmdUser": second},
        {"ID": 5, "Mode": "build", "CmdUser": 10 * second},
        {"ID": 6, "Mode": "build", "Deps": [5], "CmdUser": 4 * second},
    ]
    (tmp_path / "graph").write_text(json.dumps(graph))
    assert go_tools.split(tmp_path / "graph") == {"first": 13, "second": 5}


def test_the_cost_is_that_of_what_was_started(tmp_path: Path) -> None:
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    with costs.measured(tmp_path):
        subprocess.run([sys.executable, "-c", busy], check=True)
    cost = costs.kept(tmp_path)
    assert 0.3 <= round(cost.cpu, 2) < 5
    assert cost.wall >= 0.3


def test_what_failed_has_no_cost(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), costs.measured(tmp_path):
        _ = 1 / 0
    assert not list(tmp_path.iterdir())


def test_an_unknown_group_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        programs.main(["image"])
    assert "there is no group image, there are workflows," in capsys.readouterr().err
