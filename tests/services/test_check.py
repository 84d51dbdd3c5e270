"""The generated repository does its own verbs, from nothing."""

from __future__ import annotations

import pytest

from tests.labs import template as lab
from tests.labs.built import Built
from tests.labs.service import make
from tests.services import python_modules


@pytest.mark.models
def test_check_passes_in_a_clean_folder(checked: Built) -> None:
    assert checked.check.returncode == 0, checked.check.stdout
    own = "train" if checked.language == "model" else "contract, as consumer"
    for step in ("unit tests", own, "contract, as provider"):
        assert step in checked.check.stdout
    assert len(checked.check.stdout.splitlines()) <= 40, "the output of a good run is short"


@pytest.mark.models
def test_check_leaves_only_the_contract_behind(built: Built) -> None:
    """What `make check` makes is ignored by git, but for the contract, which is there to be committed."""
    changed = lab.git(built.folder, "status", "--porcelain", "--untracked-files=all")
    contract = ["??", f"contracts/consumed/{built.language}-orders-inventory.json"]
    assert changed.split() == ([] if built.language == "model" else contract)


def test_help_explains_every_verb(built: Built) -> None:
    done = make(built.folder, built.language, "help")
    assert done.returncode == 0
    for verb in ("setup", "lint", "format", "test", "contract", "build", "run", "check", "lock", "clean"):
        assert f"  make {verb} " in done.stdout


@pytest.mark.models
def test_second_check_does_less(built: Built) -> None:
    """Nothing is installed, or trained, twice."""
    verbs = ["setup", "train"] if built.language == "model" else ["setup"]
    done = make(built.folder, built.language, *verbs, env={"CI": "true"})
    assert done.returncode == 0
    assert done.stdout == ""


@pytest.mark.only("node")
def test_an_empty_cache_home_is_none(built: Built) -> None:
    """pnpm would keep what it knows in the repository: findings/pnpm-empty-cache-home.sh."""
    before = lab.git(built.folder, "status", "--porcelain")
    done = make(built.folder, built.language, "lock", env={"XDG_CACHE_HOME": ""})
    assert done.returncode == 0, done.stdout
    assert lab.git(built.folder, "status", "--porcelain") == before


@pytest.mark.models
@pytest.mark.only("python", "model")
def test_no_service_is_called_like_a_module(built: Built) -> None:
    file = python_modules.FILES[built.language]
    assert file.read_text() == python_modules.written(built.language, python_modules.of(built.folder))
