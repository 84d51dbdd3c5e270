"""A person who opens a service sees their service: what is the platform's is in one folder, and a forge knows it."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.labs import template as lab
from tests.render import linguist

FOLDER = ".golden-path/"
# Files and lines of a service of v0.1.0 (commit e02277c) on default answers, without locks.
BEFORE = {"go": (139, 8755), "java": (156, 9088), "node": (146, 8263), "python": (144, 8296)}
LOCKS = re.compile(r"(^|/)(go\.sum|pnpm-lock\.yaml|requirements(-dev)?\.txt|checksums\.sha256)$|^\.golden-path/locks/")
LANGUAGE = {"go": "Go", "java": "Java", "node": "TypeScript", "python": "Python"}
VERB = re.compile(r"^  make ([a-z-]+) ", re.MULTILINE)


@pytest.fixture(scope="module")
def service(template: Path, language: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = lab.render(template, tmp_path_factory.mktemp("folder") / "orders", {"language": language})
    lab.commit_all(folder)
    return folder


def lines(folder: Path) -> dict[str, int]:
    """The lines of each file that is no lock."""
    names = lab.git(folder, "ls-files").splitlines()
    return {name: (folder / name).read_bytes().count(b"\n") for name in names if not LOCKS.search(name)}


def test_files_and_lines_outside_of_the_folder(service: Path, language: str) -> None:
    outside = {name: count for name, count in lines(service).items() if not name.startswith(FOLDER)}
    files, whole = BEFORE[language]
    assert len(outside) <= files * 0.6
    assert sum(outside.values()) <= whole * 0.5


def share(found: Counter[str], language: str) -> float:
    return found[LANGUAGE[language]] / found.total()


def test_a_forge_counts_the_language(service: Path, language: str) -> None:
    found = linguist.counted(service)
    assert share(found, language) >= 0.85, found
    with (service / ".gitattributes").open("a") as file:
        file.write(f"{FOLDER}** -linguist-vendored -linguist-generated\n")
    unmarked = linguist.counted(service)
    lab.git(service, "checkout", "--quiet", ".gitattributes")
    assert share(unmarked, language) < share(found, language), "the attributes make no difference"


def test_the_root_has_what_the_owner_reads_or_changes(service: Path) -> None:
    makefile = (service / "Makefile").read_text(encoding="utf-8").splitlines()
    assert len(makefile) <= 12
    assert not (service / "make").exists()
    assert lab.git(service, "ls-files", "policy").splitlines() == ["policy/signature.yaml"]


def listed(service: Path, **variables: str) -> list[str]:
    arguments = [f"{name}={value}" for name, value in variables.items()]
    done = subprocess.run(["make", "help", *arguments], cwd=service, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return VERB.findall(done.stdout)


def test_help_shows_what_is_used_and_all_the_rest_on_request(service: Path) -> None:
    shown, every = listed(service), listed(service, ALL="1")
    assert {"setup", "check", "run", "help"} <= set(shown)
    assert len(shown) <= 15
    assert set(shown) < set(every)
    assert {"policy", "freeze", "verify", "deploy-event"} <= set(every)
    texts = [path.read_text(encoding="utf-8") for path in (service / FOLDER).glob("*.mk")]
    explained = {verb for text in texts for verb in re.findall(r"^([a-z][a-z-]*):.* ##+ ", text, re.MULTILINE)}
    assert set(every) == explained


def test_help_shows_own_verbs(service: Path) -> None:
    own = service / "local.mk"
    own.write_text("own: ## Mine\n\t@true\n")
    try:
        assert "own" in listed(service)
    finally:
        own.unlink()
