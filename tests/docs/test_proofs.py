"""docs/reference/proofs.md, and the table of what was mended in trust.md, name tests that are there."""

from __future__ import annotations

import re

import pytest

from tests.labs.toolchains import ROOT

PAGE = ROOT / "docs/reference/proofs.md"
# A test, a file or a folder of tests; after one with a file, a test of the same file may stand alone.
NAMED = re.compile(r"`(tests/[\w/]+(?:\.py)?)?(?:::)?(test_\w+)?`")
TRUST = ROOT / "docs/reference/trust.md"


def named(line: str) -> list[tuple[str, str]]:
    """Return the files and tests that the second column of a row names, or the fourth one where it has four."""
    found, file = [], ""
    columns = line.split("|")
    for name, test in NAMED.findall(columns[4] if len(columns) > 5 else columns[2]):
        file = name or file
        found.append((file, test))
    return found


ROWS = [line for line in PAGE.read_text().splitlines() if line.startswith("|") and "`" in line]
MENDED = [line for line in TRUST.read_text().splitlines() if line.startswith("|") and "`tests/" in line]


@pytest.mark.parametrize("row", [*ROWS, *MENDED], ids=lambda row: row.split("|")[1].strip()[:40])
def test_the_tests_of_a_row_are_there(row: str) -> None:
    pairs = named(row)
    assert pairs, "a promise without a test"
    for file, test in pairs:
        path = ROOT / file
        assert path.exists(), file
        assert not test or re.search(rf"^def {test}\(", path.read_text(), re.MULTILINE), f"{file}::{test}"


def test_every_folder_of_tests_is_named() -> None:
    text = PAGE.read_text()
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "tests").rglob("test_*.py")} - {
        path.parent.relative_to(ROOT) for path in (ROOT / "tests/docs").rglob("test_*.py")
    }
    assert [str(folder) for folder in sorted(folders) if f"`{folder}/" not in text and f"`{folder}`" not in text] == []


@pytest.mark.parametrize(
    "line",
    [
        "| x | `tests/none/test_x.py` | |",
        "| x | `tests/docs/test_proofs.py::test_no` | |",
        "| x | before | now | `tests/docs/test_proofs.py::test_the_tests_of_a_row_are_there`, `::test_no` |",
    ],
)
def test_a_name_that_is_not_there_is_seen(line: str) -> None:
    with pytest.raises(AssertionError, match=r"none|test_no"):
        test_the_tests_of_a_row_are_there(line)
