"""Tests that run side by side share a lab."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Collection
from pathlib import Path

import pytest

from tests.labs.started import StartedLab


class Shared(StartedLab):
    """A lab of one part, which runs while its file is there; while there is a file ``slow``, it does not end."""

    @staticmethod
    def folder() -> Path:
        return Path(os.environ["SHARED_LAB"])

    def status(self) -> dict[str, str]:
        return {"part": "file" if (self.folder() / "part").exists() else ""}

    def up(self) -> list[str]:
        if self.status()["part"]:
            return []
        (self.folder() / "part").touch()
        return ["part"]

    def down(self, names: Collection[str] | None = None) -> None:
        (self.folder() / "ending").touch()
        while (self.folder() / "slow").exists():
            time.sleep(0.01)
        for name in self.status() if names is None else names:
            (self.folder() / name).unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A variable, so that the keeper knows it, too.
    monkeypatch.setenv("SHARED_LAB", str(tmp_path / "lab"))


def test_the_last_user_ends_it_whoever_started_it() -> None:
    first, second = Shared(), Shared()
    first.__enter__()
    with second:
        first.__exit__(None, None, None)
        assert second.status() == {"part": "file"}
    assert first.status() == {"part": ""}


def test_who_found_it_up_does_not_end_it_for_the_others() -> None:
    with Shared() as first:
        with Shared():
            pass
        assert first.status() == {"part": "file"}
    assert first.status() == {"part": ""}


def test_who_comes_while_it_is_being_ended_starts_it_again() -> None:
    first, second = Shared(), Shared()
    first.__enter__()
    slow = first.folder() / "slow"
    slow.touch()
    leaving = threading.Thread(target=first.__exit__, args=(None, None, None))
    coming = threading.Thread(target=second.__enter__)
    leaving.start()
    while not (first.folder() / "ending").exists():
        time.sleep(0.01)
    coming.start()
    coming.join(0.5)
    assert (leaving.is_alive(), coming.is_alive()) == (True, True)
    slow.unlink()
    leaving.join(180)
    coming.join(180)
    assert second.status() == {"part": "file"}
    second.__exit__(None, None, None)
    assert second.status() == {"part": ""}


def test_what_was_up_before_stays_up() -> None:
    lab = Shared()
    with lab.by_hand():
        lab.up()
    with Shared(), Shared():
        pass
    assert lab.status() == {"part": "file"}


def test_what_somebody_starts_by_hand_meanwhile_stays_up() -> None:
    with Shared() as lab, Shared().by_hand():
        assert lab.up() == []
    assert lab.status() == {"part": "file"}


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
