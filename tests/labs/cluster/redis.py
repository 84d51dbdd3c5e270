"""Redis from Debian's packages, with the libraries that it was built with: those of this machine may be older."""

from __future__ import annotations

import io
import socket
import subprocess
import tarfile
from pathlib import Path

from tests.labs import costs
from tests.labs.cluster.places import lab_folder
from tests.labs.debian import SUITE, Archive
from tests.labs.errors import LabError
from tests.labs.places import digest, once

# What it is linked with, and what that is linked with.
PACKAGES = (
    "redis-tools", "libatomic1", "libc6", "libcap2", "libgcc-s1", "libjemalloc2", "liblzf1", "libssl3t64",
    "libstdc++6", "libsystemd0", "libzstd1", "zlib1g",
)  # fmt: skip
# The server is one program with the tools, and is what it is called as.
_PROGRAM, NAME = "usr/bin/redis-check-rdb", "redis-server"


def folder() -> Path:
    """Return the folder of Redis, whether it is there or not."""
    return lab_folder() / f"redis-{digest(PACKAGES, SUITE)}"


def command() -> list[str | Path]:
    """Return what starts it, got unless it is there.

    Raises:
        LabError: Debian's packages cannot be had.
    """
    target = once(folder(), _get)
    [loader] = target.glob("ld-linux*")
    return [loader, "--library-path", target, target / NAME]


def answers(port: int) -> bool:
    """Return whether the Redis at a port of loopback answers."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16) == b"+PONG\r\n"
    except OSError:
        return False


def _get(target: Path) -> None:
    target.mkdir()
    with costs.measured(target):
        for deb in Archive(lab_folder() / "apt").download(PACKAGES):
            files = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], capture_output=True, check=True).stdout
            with tarfile.open(fileobj=io.BytesIO(files)) as archive:
                _take(archive, target)
            deb.unlink()
    if not (target / NAME).exists():
        raise LabError(f"Debian {SUITE} has no {_PROGRAM} in the package {PACKAGES[0]}")


def _take(archive: tarfile.TarFile, target: Path) -> None:
    """Write the program and the libraries of a package, all into one folder."""
    for member in archive.getmembers():
        path = Path(member.name)
        name = NAME if str(path) == _PROGRAM else path.name
        library = path.match("usr/lib/*-linux-gnu*/*.so*")
        if (library or name == NAME) and (content := archive.extractfile(member) if member.isreg() else None):
            (target / name).write_bytes(content.read())
            (target / name).chmod(0o755)
        elif library and member.issym():
            (target / name).symlink_to(Path(member.linkname).name)
