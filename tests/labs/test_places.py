"""What is made once is made by one process, whatever becomes of it, and the others wait."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.labs.errors import LabError
from tests.labs.places import once
from tests.labs.toolchains import ROOT
from tests.labs.waiting import until

# Says that it makes, waits for the file go, and makes what its argument says.
MAKER = """
import os, sys, time
from pathlib import Path
from tests.labs.errors import LabError
from tests.labs.places import once

folder, how = Path(sys.argv[1]), sys.argv[2]

def make(partial):
    partial.mkdir()
    (partial / "half").touch()
    with (folder / "made").open("a") as log:
        log.write(f"{how}\\n")
    while not (folder / "go").exists():
        time.sleep(0.01)
    if how == "fails":
        raise LabError("cannot make it")
    (partial / "half").rename(partial / "whole")

try:
    print(*os.listdir(once(folder / "cache" / "program", make)))
except LabError as error:
    sys.exit(str(error))
"""
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started = []

    def one(how: str = "makes") -> subprocess.Popen[str]:
        command = [sys.executable, "-c", MAKER, str(tmp_path), how]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True))
        return started[-1]

    yield one
    for process in started:
        with process:
            process.kill()


def made(folder: Path) -> list[str]:
    """Return who made it, or began to."""
    file = folder / "made"
    return file.read_text(encoding="utf-8").split() if file.exists() else []


def wait_for(folder: Path, makers: list[str]) -> None:
    until(lambda: made(folder), lambda seen: seen == makers, seconds=60, pause=0.01)


def waits(process: subprocess.Popen[str]) -> bool:
    """Return whether it waits in the kernel for a lock of a file; it is waited until it does something definite."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        locks = [line.split() for line in Path("/proc/locks").read_text(encoding="ascii").splitlines()]
        if any(line[1] == "->" and line[5] == str(process.pid) for line in locks):
            return True
        time.sleep(0.01)
    return False


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "cache").iterdir())


def test_three_at_once_make_it_once(start: Start, tmp_path: Path) -> None:
    first = start()
    wait_for(tmp_path, ["makes"])
    others = [start(), start()]
    assert [waits(one) for one in others] == [True, True]
    (tmp_path / "go").touch()
    for one in (first, *others):
        assert one.communicate(timeout=180) == ("whole\n", "")
    assert made(tmp_path) == ["makes"]
    assert left(tmp_path) == ["program", "program.lock"]


def test_when_the_first_is_killed_the_next_makes_it(start: Start, tmp_path: Path) -> None:
    first = start("first")
    wait_for(tmp_path, ["first"])
    second = start("second")
    assert waits(second)
    first.kill()
    assert first.wait(180) < 0
    wait_for(tmp_path, ["first", "second"])
    (tmp_path / "go").touch()
    assert second.communicate(timeout=180) == ("whole\n", "")
    assert left(tmp_path) == ["program", "program.lock"]


def test_when_the_first_fails_it_says_why_and_the_next_makes_it(start: Start, tmp_path: Path) -> None:
    first = start("fails")
    wait_for(tmp_path, ["fails"])
    second = start("second")
    assert waits(second)
    (tmp_path / "go").touch()
    assert first.communicate(timeout=180) == ("", "cannot make it\n")
    assert second.communicate(timeout=180) == ("whole\n", "")
    assert made(tmp_path) == ["fails", "second"]
    assert left(tmp_path) == ["program", "program.lock"]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        LabError, match=r"^cannot write .*/program\.lock \(Not a directory\): set HOME or XDG_CACHE_HOME"
    ):
        once(tmp_path / "file" / "folder" / "program", Path.touch)
