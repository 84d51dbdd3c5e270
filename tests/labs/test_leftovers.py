"""What a run started ends with it, however it ends; a lab that somebody started by hand stays up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.labs import leftovers, toolchains, waiting
from tests.labs.toolchains import ROOT

# Two labs of one program each. The second is started by hand: python tiny.py up.
LABS = """
import os, sys
from pathlib import Path
from tests.labs import command
from tests.labs.daemon import Daemon
from tests.labs.places import alone
from tests.labs.started import StartedLab

class Tiny(StartedLab):
    @classmethod
    def folder(cls):
        return Path(os.environ["TINY"], cls.__name__)

    @property
    def daemon(self):
        return Daemon("part", self.folder)

    def status(self):
        return {"part": f"process {pid}" if (pid := self.daemon.pid) else ""}

    def up(self):
        with alone(self.folder()):
            if self.daemon.pid is None:
                self.daemon.start(["sleep", "1000"], lambda: True, os.environ)
                return ["part"]
            return []

    def down(self, names=None):
        with alone(self.folder()):
            self.daemon.stop()

class ByHand(Tiny):
    pass

if __name__ == "__main__":
    sys.exit(command.main(ByHand(), "tiny", lambda: "", lambda _: {}))
"""
# As tests/conftest.py does, without its choice of tests.
CONFTEST = """
from tests.labs import leftovers

def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        leftovers.end_with_this()
"""
# Each of the two starts a program as tests do, says who it is, and waits.
TESTS = """
import os, subprocess, time
from pathlib import Path
import pytest
import tiny

@pytest.fixture(scope="session", autouse=True)
def labs():
    with tiny.Tiny(), tiny.ByHand():
        yield

@pytest.mark.parametrize("name", ["a", "b"])
def test_waits(name):
    subprocess.Popen(["sleep", "1000"])
    folder = Path(os.environ["TINY"])
    (folder / f"{name}.partial").write_text(str(os.getpid()))
    (folder / f"{name}.partial").rename(folder / f"worker-{name}")
    while not (folder / "go").exists():
        time.sleep(0.01)
"""
SECONDS = 120


def running(folder: Path) -> dict[int, str]:
    """Return the processes of a run, with its watcher, keeper and labs: all have its folder in their environment."""
    found = {}
    for one in Path("/proc").glob("[0-9]*"):
        try:
            if f"TINY={folder}".encode() in (one / "environ").read_bytes().split(b"\0"):
                found[int(one.name)] = (one / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    return found


def await_(reached: Callable[[], bool], what: Callable[[], object]) -> None:
    waiting.until(reached, otherwise=lambda _: what(), seconds=SECONDS, pause=0.05)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the tests and the labs, of which one runs."""
    monkeypatch.setenv("TINY", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{tmp_path}")
    for name, text in {"tiny.py": LABS, "conftest.py": CONFTEST, "test_tiny.py": TESTS}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    subprocess.run([sys.executable, "tiny.py", "up"], cwd=tmp_path, stdout=subprocess.DEVNULL, check=True)
    yield tmp_path
    for pid in running(tmp_path):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def by_hand(folder: Path) -> dict[int, str]:
    """What runs without the tests: the lab that was started by hand, and nothing that started it."""
    # A program that is just being started shows no environment.
    await_(lambda: list(running(folder).values()) == ["sleep 1000 "], lambda: running(folder))
    return running(folder)


def heed_hangups() -> None:
    """Take back what nohup has set, in a run of the tests that is started with it."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def run(folder: Path, by_hand: dict[int, str]) -> subprocess.Popen[bytes]:
    """A run of the tests by two workers, which both wait; it uses both labs."""
    pytest_ = [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", "--numprocesses", "2"]
    process = subprocess.Popen(
        pytest_, cwd=folder, start_new_session=True, stdout=subprocess.DEVNULL, preexec_fn=heed_hangups
    )
    await_(lambda: all((folder / f"worker-{name}").exists() for name in "ab"), lambda: process.poll())
    # Both labs, one program of each test, the run and its two workers, its watcher, and the keeper of the first lab.
    await_(lambda: len(running(folder)) == len(by_hand) + 1 + 2 + 3 + 1 + 1, lambda: running(folder))
    return process


def interrupt(process: subprocess.Popen[bytes]) -> None:
    """Do what Ctrl-C does."""
    os.killpg(process.pid, signal.SIGINT)


def close_terminal(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGHUP)


@pytest.mark.parametrize(
    "end", [interrupt, close_terminal, subprocess.Popen.terminate, subprocess.Popen.kill], ids=lambda end: end.__name__
)
def test_nothing_is_left_of_a_run_that_is_ended(
    end: Callable[[subprocess.Popen[bytes]], None], run: subprocess.Popen[bytes], by_hand: dict[int, str], folder: Path
) -> None:
    end(run)
    assert run.wait(SECONDS) != 0
    await_(lambda: running(folder) == by_hand, lambda: running(folder))


def test_a_lab_stays_up_for_its_other_users(
    run: subprocess.Popen[bytes], by_hand: dict[int, str], folder: Path
) -> None:
    """Of the same run, one of whose workers is killed, and of another run."""
    lab = int(subprocess.check_output([sys.executable, "-c", "import tiny; print(tiny.Tiny().daemon.pid)"]))
    script = "import tiny\nwith tiny.Tiny(): print(flush=True); input()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", script], stdin=pipe, stdout=pipe) as other:
        assert other.stdin
        assert other.stdout
        other.stdout.readline()
        os.kill(int((folder / "worker-a").read_text()), signal.SIGKILL)
        # Another worker comes.
        await_(lambda: len(running(folder)) == len(by_hand) + 1 + 2 + 3 + 1 + 1 + 1, lambda: running(folder))
        assert lab in running(folder)
        (folder / "go").touch()
        assert run.wait(SECONDS) == 1
        # The other user, the lab and its keeper.
        await_(lambda: len(running(folder)) == len(by_hand) + 3, lambda: running(folder))
        assert lab in running(folder)
        other.stdin.close()
        assert other.wait(SECONDS) == 1
    await_(lambda: running(folder) == by_hand, lambda: running(folder))


def test_what_does_not_end_when_it_is_asked_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "SECONDS", 0.5)
    script = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
    env = {**os.environ, leftovers.MARK: "test"}
    with subprocess.Popen(["bash", "-c", script], env=env, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        leftovers.end("test")
        assert process.wait(SECONDS) == -signal.SIGKILL


def test_a_service_carries_the_mark_and_what_outlives_the_run_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(leftovers.MARK, "test")
    monkeypatch.setattr(toolchains, "locate", lambda _: {})
    assert toolchains.environment("go")[leftovers.MARK] == "test"
    assert leftovers.mark() == {leftovers.MARK: "test"}
    assert leftovers.MARK not in leftovers.unmarked(os.environ)


# make demo without a template and a toolchain.
DEMO = """
import os, sys
from tests.labs import demo
demo.toolchains.locate = lambda _: {}
demo.toolchains.environment = lambda _: dict(os.environ)
demo.write = lambda *_: None
sys.exit(demo.main())
"""


@pytest.mark.parametrize("end", [interrupt, subprocess.Popen.terminate, subprocess.Popen.kill],
                         ids=lambda end: end.__name__)  # fmt: skip
def test_nothing_is_left_of_a_demo_that_is_ended(
    end: Callable[[subprocess.Popen[bytes]], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINY", str(tmp_path))
    service = tmp_path / "hello-go"
    service.mkdir()
    (service / "Makefile").write_text("setup:\nrun:\n\t@touch runs && sleep 1000\n")
    demo = subprocess.Popen([sys.executable, "-c", DEMO, "--folder", tmp_path], cwd=ROOT, start_new_session=True)
    await_(lambda: (service / "runs").exists(), lambda: demo.poll())
    end(demo)
    assert demo.wait(SECONDS) != 0
    await_(lambda: not running(tmp_path), lambda: running(tmp_path))
