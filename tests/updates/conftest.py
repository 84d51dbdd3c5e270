"""What the tests of the fleet engine share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from golden_path import switch
from golden_path.rendering.render import Renderer
from golden_path.store import scratch
from tests.labs.in_memory import tmp_path as tmp_path
from tests.updates import foreign
from tests.updates.commands import WORKERS


@pytest.fixture(scope="session")
def kept() -> Iterator[Path]:
    """The engine's cache: as on a user's machine it outlives a command, and has each template by its address."""
    with scratch.folder() as folder:
        yield folder
    for worker in WORKERS.values():
        worker.close()


@pytest.fixture(autouse=True)
def own_settings(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the user's: a cache of the tests' own, and no settings."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(kept))
    monkeypatch.setenv("COPIER_SETTINGS_PATH", str(tmp_path / "settings.yml"))
    (tmp_path / "settings.yml").write_text("{}\n")


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    """The worker of all tests; templates of ours run code of their own."""
    return WORKERS[True]


@pytest.fixture(scope="session")
def unpatched(kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Renderer]:
    """A worker without the speed patches."""
    folder = tmp_path_factory.mktemp("unpatched")
    source = foreign.template(folder / "template", [foreign.write("a.txt")])
    (folder / "settings.yml").write_text("{}\n")
    with Renderer(trust=True) as one, pytest.MonkeyPatch.context() as patch:
        patch.setenv(switch.SWITCH, "off")
        patch.setenv("COPIER_SETTINGS_PATH", str(folder / "settings.yml"))
        patch.setenv("XDG_CACHE_HOME", str(kept))
        foreign.render(one, source, foreign.OLD, folder / "service")  # it starts with the first job
        patch.undo()
        yield one
