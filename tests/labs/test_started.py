"""Tests that run side by side share a lab."""

from __future__ import annotations

import threading
from collections.abc import Collection
from pathlib import Path

import pytest

from tests.labs.started import StartedLab


class Shared(StartedLab):
    """A lab of one part, which runs while its file is there."""

    where: Path

    @staticmethod
    def folder() -> Path:
        return Shared.where

    def status(self) -> dict[str, str]:
        return {"part": "file" if (self.where / "part").exists() else ""}

    def up(self) -> list[str]:
        if self.status()["part"]:
            return []
        (self.where / "part").touch()
        return ["part"]

    def down(self, names: Collection[str] | None = None) -> None:
        for name in self.status() if names is None else names:
            (self.where / name).unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> None:
    Shared.where = tmp_path / "lab"


def test_who_started_it_waits_for_the_others() -> None:
    first, second = Shared(), Shared()
    first.__enter__()
    with second:
        leaving = threading.Thread(target=first.__exit__, args=(None, None, None))
        leaving.start()
        leaving.join(0.5)
        assert leaving.is_alive()
        assert second.status() == {"part": "file"}
    leaving.join(10)
    assert not leaving.is_alive()
    assert first.status() == {"part": ""}


def test_who_found_it_up_waits_for_nobody() -> None:
    with Shared() as first:
        with Shared():
            pass
        assert first.status() == {"part": "file"}
    assert first.status() == {"part": ""}


def test_one_that_does_not_start_is_not_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Shared) -> list[str]:
        raise RuntimeError("broken")

    with monkeypatch.context() as patched:
        patched.setattr(Shared, "up", broken)
        with pytest.raises(RuntimeError, match="broken"), Shared():
            pass
    with Shared() as lab:
        assert lab.status() == {"part": "file"}
    assert lab.status() == {"part": ""}
