"""What the engine makes in memory is gone when it ends, and when it was killed, after the next run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from golden_path.store import scratch

HOLD = """\
import sys, time
from golden_path.store import scratch
scratch.MEMORY = sys.argv[1]
with scratch.folder() as one:
    (one / "file").write_text("x")
    print(one, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in the place of ``/dev/shm``, not yet swept."""
    monkeypatch.delenv("TMPDIR", raising=False)
    place = tmp_path / "memory"
    place.mkdir()
    monkeypatch.setattr(scratch, "MEMORY", str(place))
    scratch._sweep.cache_clear()
    yield place
    scratch._sweep.cache_clear()


def age(path: Path) -> None:
    """Let a folder be made an hour ago."""
    hour_ago = time.time() - 3600
    os.utime(path, (hour_ago, hour_ago))


def test_a_folder_lasts_as_long_as_its_process(memory: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, memory], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout
        held = Path(holder.stdout.readline().strip())
        age(held)
        other = memory / "golden-path-notes"
        other.mkdir()
        age(other)
        with scratch.folder():
            assert (held / "file").exists(), "somebody works in it"
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate(timeout=180)
    young = memory / f"{scratch.PREFIX}young"
    young.mkdir()
    link = memory / f"{scratch.PREFIX}link"
    link.symlink_to(other)
    scratch._sweep.cache_clear()
    with scratch.folder() as mine:
        assert sorted(memory.iterdir()) == sorted([other, link, young, mine])
    assert not mine.exists()
