"""The data contract of a service for a model: good data pass, and of bad data the kind, column and rows are named."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.labs import toolchains
from tests.labs.built import Built
from tests.services import holding_cases as cases

pytestmark = [pytest.mark.models, pytest.mark.only("model")]

Held = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def held(built: Built) -> Held:
    """Return what becomes of a case; all are held in one process."""
    asked = [
        {"contract": yaml.safe_dump(one.contract), "now": cases.NOW, **one.data} for one in cases.ALL.values()
    ]  # fmt: skip
    script = Path(__file__).with_name("holding.py")
    done = subprocess.run(
        [built.folder / ".venv/bin/python", script, built.folder], input=json.dumps(asked), text=True,
        capture_output=True, check=False, env=toolchains.environment("model"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = dict(zip(cases.ALL, json.loads(done.stdout), strict=True))
    return lambda name: copy.deepcopy(found[name])


@pytest.mark.parametrize("name", cases.GOOD)
def test_good_data_pass(held: Held, name: str) -> None:
    found = held(name)
    assert found["broken"] == []
    assert found["rules"] > 10, "hardly anything was checked"


@pytest.mark.parametrize("name", cases.BAD)
def test_what_is_broken_is_named(held: Held, name: str) -> None:
    assert held(name)["broken"] == [list(one) for one in cases.BAD[name].broken]


@pytest.mark.parametrize("name", cases.REFUSED)
def test_a_contract_that_would_not_be_kept_is_refused(held: Held, name: str) -> None:
    assert cases.REFUSED[name].refused in held(name)["refused"]


def test_a_column_more_is_said_and_breaks_nothing(held: Held) -> None:
    assert held("a column more")["extra"] == ["colour"]
