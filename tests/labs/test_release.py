"""What may be released, and what is refused with its reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from golden_path.source import changelog
from tests.labs.release import ReleaseError, check
from tests.labs.template import commit_all, git

PROJECT = '[project]\nname = "golden-path"\nversion = "1.2.0"\n'
CHANGES = (
    "# Changelog\n\n## 1.2.0 (2026-02-01)\n\n- news\n- [java] more\n- [go] else\n\n## 1.1.0 (2026-01-01)\n\n- old\n"
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "CHANGELOG.md").write_text(CHANGES)
    commit_all(folder)
    git(folder, "tag", "v1.1.0")
    return folder


def test_a_version_with_its_date_may_be_released(checkout: Path) -> None:
    tag, notes = check(checkout)
    assert (tag, notes) == ("v1.2.0", "- news\n- [java] more\n- [go] else\n")
    # What services are told is the same section.
    assert changelog.between(CHANGES, "v1.1.0", tag, {"language": "java"}) == "## 1.2.0\n\n- news\n- [java] more"


def test_a_prerelease_may_come_before(checkout: Path) -> None:
    for name in ("pyproject.toml", "CHANGELOG.md"):
        (checkout / name).write_text((checkout / name).read_text().replace("1.2.0", "1.2.0rc1"))
    commit_all(checkout)
    assert check(checkout)[0] == "v1.2.0rc1"
    git(checkout, "tag", "v1.2.0")
    with pytest.raises(ReleaseError, match=r"^1\.2\.0rc1 is older than v1\.2\.0: choose a later version$"):
        check(checkout)


@pytest.mark.parametrize(
    ("name", "old", "new", "reason"),
    [
        ("pyproject.toml", "1.2.0", "1.2", "version 1.2 in pyproject.toml must be X.Y.Z, or X.Y.Zrc1"),
        (
            "pyproject.toml",
            "1.2.0",
            "1.3.0",
            "must begin with '## 1.3.0 (YYYY-MM-DD)', and has '## 1.2.0 (2026-02-01)'",
        ),
        ("CHANGELOG.md", "## 1.2.0 (2026-02-01)", "## Unreleased (1.2.0)", "and has '## Unreleased (1.2.0)'"),
        ("CHANGELOG.md", "## 1.2.0", "## Unreleased (1.3.0)\n\n- x\n\n## 1.2.0", "and has '## Unreleased (1.3.0)'"),
        ("CHANGELOG.md", CHANGES, "# Changelog\n", "and has 'nothing'"),
        ("CHANGELOG.md", "- news\n- [java] more\n- [go] else\n", "", "CHANGELOG.md says nothing of 1.2.0"),
    ],
)
def test_what_does_not_fit_is_refused(name: str, old: str, new: str, reason: str, checkout: Path) -> None:
    (checkout / name).write_text((checkout / name).read_text().replace(old, new))
    commit_all(checkout)
    with pytest.raises(ReleaseError, match=re.escape(reason)):
        check(checkout)


def test_what_is_not_committed_or_tagged_already_is_refused(checkout: Path) -> None:
    git(checkout, "tag", "v1.2.0")
    with pytest.raises(ReleaseError, match=r"^v1\.2\.0 is tagged already: choose the next version"):
        check(checkout)
    (checkout / "new.txt").touch()
    with pytest.raises(ReleaseError, match=r"^there are uncommitted changes"):
        check(checkout)
