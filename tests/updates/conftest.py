"""What the tests of the fleet engine share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.render import Renderer


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of each test's own, and no settings of the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COPIER_SETTINGS_PATH", str(tmp_path / "settings.yml"))
    (tmp_path / "settings.yml").write_text("{}\n")
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def renderer() -> Iterator[Renderer]:
    """A worker for all tests; templates of ours run code of their own."""
    with Renderer(trust=True) as one:
        yield one
