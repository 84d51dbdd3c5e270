"""What ci.yml asks: whether a pull request needs a build, and what the repository has not configured."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.labs import template as lab

RULESETS = {"golden-path": "ruleset.json", "golden-path-tags": "ruleset-tags.json"}


@pytest.fixture(scope="module")
def first(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = lab.render(template, tmp_path_factory.mktemp("changes") / "orders", {"language": "go"})
    (folder / "docs/guide").mkdir()
    (folder / "docs/guide/old.md").write_text(
        "A page that is as long as a page must be for git to know it again.\n" * 9
    )
    lab.commit_all(folder)
    return folder


@pytest.fixture
def service(first: Path, tmp_path: Path) -> Path:
    lab.git(tmp_path, "clone", "--quiet", str(first), "orders")
    return tmp_path / "orders"


def verb(service: Path, *arguments: str, **env: str) -> str:
    """Run a verb of ci.yml's; return its output."""
    command = ["make", "--silent", *arguments]
    done = subprocess.run(
        command, cwd=service, env={**os.environ, **env}, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def changed(service: Path, event: str = "pull_request") -> str:
    lab.commit_all(service, "A change")
    return verb(service, "ci-changes", GITHUB_EVENT_NAME=event)


def written(*names: str) -> Callable[[Path], None]:
    def write(service: Path) -> None:
        for name in names:
            file = service / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("changed\n")

    return write


def moved(before: str, after: str) -> Callable[[Path], None]:
    def move(service: Path) -> None:
        (service / after).parent.mkdir(parents=True, exist_ok=True)
        (service / before).rename(service / after)

    return move


def linked(service: Path) -> None:
    (service / "README.md").unlink()
    (service / "README.md").symlink_to("internal/items/item.go")


def executable(service: Path) -> None:
    (service / "README.md").chmod(0o755)


@pytest.mark.parametrize(
    "change",
    [
        written("README.md", "CONTRIBUTING.md", "docs/runbook.md", "docs/guide/a picture.PNG"),
        written("LICENSE"),
        moved("docs/guide/old.md", "docs/new.md"),
        lambda service: (service / "docs/runbook.md").unlink(),
    ],
    ids=["changed", "licence", "moved", "removed"],
)
def test_documents_need_no_build(service: Path, change: Callable[[Path], None]) -> None:
    change(service)
    assert changed(service) == "code=false\n"


@pytest.mark.parametrize(
    "change",
    [
        written("cmd/service/README.go"),
        written("internal/items/README.md"),
        written(".github/workflows/README.yml"),
        written(".golden-path/LICENSE.mk"),
        written("docs/conf.py"),
        written("docs/Makefile"),
        written("SECURITY"),
        written("requirements.txt"),
        written("README.md", "internal/items/item.go"),
        written("docs/\udce9.go"),
        moved("internal/items/item.go", "docs/item.go"),
        moved("internal/items/item.go", "docs/item.md"),
        moved("docs/guide/old.md", "internal/items/item.go"),
        lambda service: (service / "internal/items/item.go").unlink(),
        linked,
        executable,
    ],
    ids=[
        "source", "document in a package", "workflow", "verb", "program among documents", "recipe among documents",
        "no document", "lock", "both", "name that is no text", "moved into docs", "moved and renamed",
        "moved out of docs", "removed", "link", "program",
    ],
)  # fmt: skip
def test_all_else_is_built(service: Path, change: Callable[[Path], None]) -> None:
    change(service)
    assert changed(service) == "code=true\n"


def test_what_git_cannot_compare_is_built(service: Path) -> None:
    written("README.md")(service)
    lab.commit_all(service, "A change")
    shallow = service.parent / "shallow"
    lab.git(service.parent, "clone", "--quiet", "--depth=1", f"file://{service}", str(shallow))
    assert verb(shallow, "ci-changes", GITHUB_EVENT_NAME="pull_request") == "code=true\n"
    assert verb(service, "ci-changes", GITHUB_EVENT_NAME="merge_group") == "code=true\n"


@pytest.mark.parametrize("there", [(), ("golden-path",), ("golden-path", "golden-path-tags")])
def test_rulesets_that_are_missing_are_named(service: Path, there: tuple[str, ...]) -> None:
    programs = service.parent / "programs"
    programs.mkdir()
    (programs / "gh").write_text(f'#!/bin/sh\ncase "$*" in *rulesets*) printf "%s\\n" {" ".join(there)};; esac\n')
    (programs / "gh").chmod(0o755)
    said = verb(service, "ci-summary", PATH=f"{programs}:{os.environ['PATH']}", GITHUB_STEP_SUMMARY="")
    for name, file in RULESETS.items():
        assert (service / ".golden-path" / file).exists()
        assert (f"rulesets --input .golden-path/{file}" in said) is (name not in there), said
