"""Every test belongs to one suite, and `make test` takes only what needs no lab."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.labs.toolchains import ROOT
from tests.selection.suites import LABS, SUITES, language_of, suite_of

FILES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py"))


@pytest.mark.parametrize("markers", [(), ("images",), ("cluster",), ("cluster", "images")], ids="-".join)
def test_every_file_has_a_suite(markers: tuple[str, ...]) -> None:
    for file in FILES:
        suite = suite_of(file, markers)
        # Tests of labs' own parts and of the engine have no such marker.
        assert not (suite.quick and markers and set(suite.without) & set(markers)), file


def test_what_needs_a_lab_is_not_quick() -> None:
    for suite in SUITES:
        if suite.quick and any("services" in one or "cluster" in one or "workflows" in one for one in suite.files):
            assert set(suite.without) & set(LABS), suite.name


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_what_a_suite_names_is_there(suite: object) -> None:
    [known] = [one for one in SUITES if one is suite]
    for pattern in known.files:
        if "docs" not in pattern:
            assert any(fnmatchcase(file, pattern) for file in FILES), pattern
    for path in known.reads:
        assert (ROOT / path).exists(), path


def test_a_file_that_no_suite_names_is_refused() -> None:
    with pytest.raises(LookupError, match=r"tests/new/test_x.py belongs to no suite: add it to tests/selection"):
        suite_of("tests/new/test_x.py", ())


def test_the_first_suite_that_takes_a_test_has_it() -> None:
    conformance = "tests/services/conformance/test_api.py"
    assert suite_of(conformance, ("images", "parametrize")).name == "images"
    assert suite_of(conformance, ("parametrize",)).name == "service"
    assert suite_of("tests/services/test_events.py", ()).name == "services"
    assert suite_of("tests/deploy/test_freeze.py", ("cluster",)).name == "cluster"


def test_language() -> None:
    assert language_of({"language": "go", "name": "x"}) == "go"
    assert language_of({"language": "cobol"}) == ""
    assert language_of({}) == ""
    assert Path(ROOT, "template", "[[ go ]]").is_dir()
