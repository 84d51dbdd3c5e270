"""A registry on loopback, and putting the stand-ins into it."""

from __future__ import annotations

import json
import os
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.labs.daemon import Daemon
from tests.labs.debian import architecture
from tests.labs.errors import LabError, run
from tests.labs.images.bases import Base
from tests.labs.images.places import lab_folder, run_folder
from tests.labs.images.tools import folder as tools_folder
from tests.labs.places import remove
from tests.labs.service import free_port

DAEMON = Daemon("registry", run_folder)
_KEY = "golden-path.stand-in"
_LARGEST = 8 * 2**30


def _port_file() -> Path:
    return lab_folder() / "registry.port"


def address() -> str:
    """Return host and port of the registry, the same in every run.

    Raises:
        LabError: it has never run.
    """
    try:
        return f"127.0.0.1:{_port_file().read_text(encoding='utf-8').strip()}"
    except OSError:
        raise LabError("the image lab has no registry yet: run python -m tests.labs.images up") from None


def answers(where: str) -> bool:
    """Return whether a registry answers there."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{where}/v2/", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _occupied(where: str) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(where.rpartition(":")[2])))
        except OSError:
            return True
    return False


def _limit(folder: Path) -> None:
    """Empty what has grown too large; the stand-ins come back from their layers, the images of services with builds."""
    if sum(path.stat().st_blocks * 512 for path in folder.rglob("*")) > _LARGEST:
        remove(folder)


def start() -> str:
    """Start the registry unless it runs; what it holds outlives it.

    Returns:
        Host and port.

    Raises:
        LabError: it did not start.
    """
    if DAEMON.pid is not None:
        return address()
    _limit(lab_folder() / "registry")
    port = _port_file()
    if not port.exists() or _occupied(address()):
        port.parent.mkdir(parents=True, exist_ok=True)
        port.write_text(str(free_port()), encoding="utf-8")
    settings = {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(lab_folder() / "registry")}, "delete": {"enabled": True}},
        "http": {"addr": address()},
    }
    run_folder().mkdir(parents=True, exist_ok=True)
    file = run_folder() / "registry.yml"
    file.write_text(json.dumps(settings), encoding="utf-8")
    # Variables of these names are settings to it, and it would send traces.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "REGISTRY_"))}
    env["OTEL_TRACES_EXPORTER"] = "none"
    DAEMON.start([tools_folder() / "registry", "serve", file], lambda: answers(address()), env)
    return address()


@contextmanager
def fresh(folder: Path) -> Iterator[str]:
    """Run an empty registry that nobody else uses, for minutes at most; what it holds ends with it.

    Args:
        folder: where its log goes.

    Yields:
        Host and port.

    Raises:
        LabError: it did not start.
    """
    where = f"127.0.0.1:{free_port()}"
    daemon = Daemon("fresh-registry", lambda: folder, of_the_run=True)
    command: list[str | Path] = ["timeout", "900", tools_folder() / "crane", "registry", "serve", "--address", where]
    daemon.start(command, lambda: answers(where), os.environ)
    try:
        yield where
    finally:
        daemon.stop()


def holds(image: str, base: Base) -> bool:
    """Return whether the registry has this very stand-in."""
    try:
        config = run(tools_folder() / "crane", "config", image, failure="not there")
    except LabError:
        return False
    return bool(json.loads(config)["config"].get("Labels", {}).get(_KEY) == base.key)


def push(image: str, base: Base) -> None:
    """Put a stand-in into the registry.

    Args:
        image: its name there.
        base: what it is made of.

    Raises:
        LabError: a layer cannot be made, or the registry refuses it.
    """
    crane = tools_folder() / "crane"
    failure = f"cannot put {image} into the registry"
    layers = [part for layer in base.layers for part in ("--new_layer", str(layer.build()))]
    run(crane, "append", "--oci-empty-base", *layers, "--new_tag", image, failure=failure)
    settings = ["--set-platform", f"linux/{architecture()}", "--user", base.user, "--workdir", base.workdir]
    settings += [part for name, value in base.env.items() for part in ("--env", f"{name}={value}")]
    settings += [part for pair in {**base.labels, _KEY: base.key}.items() for part in ("--label", "=".join(pair))]
    if base.entrypoint:
        settings += ["--entrypoint", base.entrypoint.replace(" ", ",")]
    run(crane, "mutate", image, *settings, "--tag", image, failure=failure)
