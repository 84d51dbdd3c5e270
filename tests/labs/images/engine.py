"""A Docker engine for ``docker run``; images are built by BuildKit beside it and pulled from the lab's registry."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.labs.daemon import Daemon
from tests.labs.errors import run
from tests.labs.images import mounts, system
from tests.labs.images.cgroup import Group
from tests.labs.images.places import lab_folder, run_folder

DAEMON = Daemon("dockerd", run_folder)
GROUP = Group("engine")
# What the names of images begin with that only one run of the tests has.
OF_ONE_RUN = "golden-path.test"


def host() -> str:
    """Return where the engine listens."""
    return f"unix://{run_folder()}/docker.sock"


def _root() -> Path:
    return lab_folder() / "engine"


def _run() -> Path:
    return run_folder() / "engine"


def _bridge() -> str:
    """Return the bridge of the engine's default network: one of its own, on docker0 two would give the same addresses.

    A network there must be, so that ports can be published on loopback.
    """
    return f"gp-{run_folder().name.rpartition('-')[2]}"


def _answers() -> bool:
    command = [system.program("docker"), "--host", host(), "version", "--format", "{{.Server.Version}}"]
    done = subprocess.run([str(part) for part in command], capture_output=True, check=False, timeout=180)
    return done.returncode == 0


def start() -> None:
    """Start the engine unless it runs.

    It changes no firewall rule: a published port goes through Docker's proxy on loopback, and containers on the bridge
    reach no other machine.

    Raises:
        LabError: it did not start.
    """
    if DAEMON.pid is not None:
        return
    # One that was killed left containerd and containers.
    stop()
    run_folder().mkdir(parents=True, exist_ok=True)
    run(system.program("ip"), "link", "add", _bridge(), "type", "bridge", failure="cannot make the engine's bridge")
    # Not the machine's own settings, which may contradict these.
    settings = run_folder() / "dockerd-settings.json"
    settings.write_text("{}\n", encoding="utf-8")
    options = (
        "--config-file", str(settings),
        "--data-root", str(_root()),
        "--exec-root", str(_run()),
        "--pidfile", str(_run() / "dockerd.pid"),
        "--host", host(),
        "--bridge", _bridge(),
        "--cgroup-parent", f"{GROUP.path}/containers",
        "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false",
        "--shutdown-timeout", "5",
        "--log-level", "warn",
    )  # fmt: skip
    DAEMON.start(
        [*GROUP.command(), system.program("dockerd"), *options], _answers, {**os.environ, "PATH": system.path()}
    )
    _forget_former_runs()


def _docker(*arguments: str) -> list[str]:
    command = [str(system.program("docker")), "--host", host(), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def _forget_former_runs() -> None:
    """Remove the images of runs that have ended, as all have when the engine starts."""
    names = _docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
    if left := [name for name in names if OF_ONE_RUN in name]:
        _docker("image", "rm", "--force", *left)


def stop() -> None:
    """End the engine and every container; images stay."""
    DAEMON.stop()
    GROUP.remove()
    mounts.unmount(_run())
    mounts.unmount(_root())
    # Its records of processes would keep the next engine from starting its own.
    shutil.rmtree(_run(), ignore_errors=True)
    subprocess.run([str(system.program("ip")), "link", "delete", _bridge()], capture_output=True, check=False)
