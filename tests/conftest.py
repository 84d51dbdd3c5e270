"""Fixtures that all tests share, and the choice of languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.labs import template as lab
from tests.labs.toolchains import LANGUAGES


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--languages", default=",".join(LANGUAGES), help="languages to test, separated by commas")


def chosen(config: pytest.Config) -> list[str]:
    names: list[str] = config.getoption("--languages").split(",")
    if unknown := sorted(set(names) - set(LANGUAGES)):
        raise pytest.UsageError(f"--languages: unknown {', '.join(unknown)}; there are {', '.join(LANGUAGES)}")
    return names


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "language" in metafunc.fixturenames:
        metafunc.parametrize("language", chosen(metafunc.config), scope="session")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of the template as it stands, tagged."""
    return lab.snapshot(tmp_path_factory.mktemp("template") / "golden-path")
