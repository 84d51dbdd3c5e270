"""Servers that are silent, refuse, or want to know who asks."""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from golden_path.rendering.render import Renderer
from tests.labs.template import git
from tests.updates import fleets, foreign
from tests.updates.commands import as_process, command, environment, golden_path
from tests.updates.fleets import BRANCH, Fleet


class Server:
    """Takes connections, keeps what was asked, and never answers, or always the same."""

    def __init__(self, answer: bytes = b"") -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}/template.git"
        self.asked: list[str] = []
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
                self._open.append(connection)
                self.asked.append(connection.recv(65536).decode(errors="replace"))
                if self._answer:
                    connection.sendall(self._answer)
                    connection.close()
            except OSError:
                return

    def close(self) -> None:
        for one in (self._socket, *self._open):
            one.close()

    def clients(self) -> list[str]:
        """The programs that run and name the server; none are left half a second later."""
        found = [""]
        for _ in range(50):
            lines = []
            for path in _commands():
                with contextlib.suppress(OSError):  # it has ended meanwhile
                    lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            found = [line for line in lines if str(self.port) in line and "git" in line]
            if not found:
                break
            time.sleep(0.1)
        return found


def _commands() -> Iterator[Path]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            path.read_bytes()
        except OSError:
            continue
        yield path


@pytest.fixture
def silent() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def fleet(tmp_path: Path, renderer: Renderer) -> Fleet:
    return fleets.make(tmp_path, renderer, {"one": 2})


def test_a_silent_server_is_left_after_the_limit(silent: Server, fleet: Fleet) -> None:
    """Of a template it ends the command, of a service that one's row; nothing of it keeps running."""
    text = fleet.file.read_text()
    fleet.file.write_text(text.replace(f"git: {fleet.services[0]}", f"git: {silent.address}"))
    done = golden_path("plan", "--fleet", fleet.file, GOLDEN_PATH_GIT_TIMEOUT="1")
    assert done.returncode == 4
    assert len(done.stderr.splitlines()) == 1
    assert f"golden-path: one-01: {silent.address} cannot be reached" in done.stderr
    assert "1 seconds" in done.stderr
    assert "2 services: 1 to upgrade" in done.stdout
    fleet.file.write_text(text.replace(f"template: {fleet.template}", f"template: {silent.address}"))
    done = golden_path("status", "--fleet", fleet.file, GOLDEN_PATH_GIT_TIMEOUT="1")
    assert (done.returncode, len(done.stderr.splitlines())) == (5, 1)
    assert silent.asked
    assert silent.clients() == []


def test_a_limit_that_is_no_number_is_refused(fleet: Fleet) -> None:
    done = golden_path("plan", "--fleet", fleet.file, GOLDEN_PATH_GIT_TIMEOUT="soon")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "GOLDEN_PATH_GIT_TIMEOUT must be a number of seconds" in done.stderr


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("whose", ["template", "services"])
def test_an_interruption_leaves_nothing_behind(sign: int, whose: str, silent: Server, fleet: Fleet) -> None:
    text = fleet.file.read_text()
    for one in fleet.services if whose == "services" else []:
        text = text.replace(f"git: {one}", f"git: {silent.address}{one.stem}")
    fleet.file.write_text(text if whose == "services" else text.replace(str(fleet.template), silent.address, 1))
    with subprocess.Popen(command("plan", "--fleet", fleet.file), env=environment(), stderr=subprocess.PIPE,
                          start_new_session=True, text=True) as process:  # fmt: skip
        end = time.monotonic() + 60
        while len(silent.asked) < (2 if whose == "services" else 1) and time.monotonic() < end:
            time.sleep(0.05)
        os.kill(process.pid, sign)
        assert process.wait(timeout=180) == (130 if sign == signal.SIGINT else 143)
    assert silent.asked
    assert silent.clients() == []


ACCESS = "Basic " + base64.b64encode(b"me:secret").decode()


@pytest.mark.parametrize("how", ["settings", "include", "variable", "parameters", "helper"])
def test_access_is_as_the_person_has_it(how: str, fleet: Fleet, tmp_path: Path) -> None:
    asks = b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    server = Server(asks)
    header = f"http.{server.address}.extraHeader"
    settings, env = tmp_path / "settings", {}
    included = settings.with_name("included") if how == "include" else settings
    git(tmp_path, "config", "--file", str(included), "column.ui", "always")
    if how in ("settings", "include"):
        git(tmp_path, "config", "--file", str(included), header, f"Authorization: {ACCESS}")
    if how == "include":
        git(tmp_path, "config", "--file", str(settings), "include.path", "included")
    if how == "variable":
        env = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": header, "GIT_CONFIG_VALUE_0": f"Authorization: {ACCESS}"}
    if how == "parameters":
        env = {"GIT_CONFIG_PARAMETERS": f"'{header}'='Authorization: {ACCESS}'"}
    if how == "helper":
        helper = '!f() { echo "username=me"; echo "password=secret"; }; f'
        git(tmp_path, "config", "--file", str(settings), "credential.helper", helper)
    fleet.file.write_text(fleet.file.read_text().replace(str(fleet.template), server.address, 1))
    done = golden_path("plan", "--fleet", fleet.file, GIT_CONFIG_GLOBAL=str(settings), **env)
    server.close()
    assert done.returncode == 5
    assert f"Authorization: {ACCESS}" in server.asked[-1]


REFUSALS = [
    ("echo 'refusing to allow an App to create or update workflow `.github/workflows/ci.yml` without `workflows`"
     " permission' >&2", "(refusing to allow an App to create or update workflow `.github/workflows/ci.yml` without"),
    ("printf 'error: GH006: Protected branch update failed.\\nerror: Changes must be made by a pull request.\\n' >&2",
     "(GH006: Protected branch update failed.; Changes must be made by a pull request.)"),
    ("printf 'error: GH013: Repository rule violations found\\n\\n- Cannot create ref, creations being restricted."
     "\\n' >&2", "(GH013: Repository rule violations found; - Cannot create ref, creations being restricted.)"),
    ("echo 'error: File big.bin is 120.00 MB; this exceeds the file size limit of 100.00 MB' >&2",
     "(File big.bin is 120.00 MB; this exceeds the file size limit of 100.00 MB)"),
]  # fmt: skip


@pytest.mark.parametrize(("says", "reason"), REFUSALS)
def test_a_refused_push_says_what_the_other_side_said(says: str, reason: str, fleet: Fleet) -> None:
    hook = fleet.services[0] / "hooks/update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{says}\nexit 1\n")
    hook.chmod(0o755)
    done = fleet.run("advance")
    assert done.returncode == 4
    assert len(done.stderr.splitlines()) == 1
    assert f"golden-path: one-01: refs/heads/{BRANCH} of {fleet.services[0]} cannot be written" in done.stderr
    assert reason in done.stderr
    assert BRANCH in fleets.branches(fleet.services[1])


def test_a_branch_named_as_our_folder(fleet: Fleet, tmp_path: Path) -> None:
    git(fleet.services[0], "branch", "golden-path")
    done = fleet.run("advance")
    assert "its branch 'golden-path' takes the place of a folder: rename or remove it" in done.stderr
    own = tmp_path / "first"
    git(own, "branch", "golden-path")
    before = foreign.state(own)
    done = golden_path("apply", own)
    assert (done.returncode, foreign.state(own)) == (4, before)
    assert "rename it, git branch -m golden-path NAME" in done.stderr


def test_a_ledger_that_origin_refuses_is_no_race(fleet: Fleet, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(fleet.folder), "origin.git")
    git(fleet.folder, "remote", "add", "origin", str(tmp_path / "origin.git"))
    hook = tmp_path / "origin.git/hooks/update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'error: GH006: Protected branch update failed.' >&2\nexit 1\n")
    hook.chmod(0o755)
    done = fleet.run("judge")
    assert (done.returncode, len(done.stderr.splitlines())) == (10, 1)
    assert "the ledger (golden-path/ledger) cannot be written to origin (GH006: Protected branch" in done.stderr


def test_a_configuration_that_git_cannot_read_is_one_line(fleet: Fleet, tmp_path: Path) -> None:
    (tmp_path / "broken").write_text("[core\n")
    done = as_process("plan", "--fleet", fleet.file, GIT_CONFIG_GLOBAL=str(tmp_path / "broken"))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert f"your configuration of git cannot be read: bad config line 1 in file {tmp_path}/broken" in done.stderr
