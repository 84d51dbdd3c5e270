"""What the lab needs from the operating system: packages that it installs where they are missing, and root."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.labs.errors import LabError, run

# The program that shows that a package is there.
PACKAGES = {
    "dockerd": "docker.io",
    "docker": "docker.io",
    "iptables": "iptables",
    "ip": "iproute2",
    "runc": "runc",
    "mmdebstrap": "mmdebstrap",
}
FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def path() -> str:
    """Return PATH with the folders of the system's programs behind, which a user's PATH may lack."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), *FOLDERS])


def find(program: str) -> Path | None:
    """Return where a program is, or nothing."""
    found = shutil.which(program, path=path())
    return Path(found) if found else None


def program(name: str) -> Path:
    """Return where a program is.

    Raises:
        LabError: it is missing.
    """
    if found := find(name):
        return found
    raise LabError(f"{name} is missing: install the package {PACKAGES.get(name, name)}")


def need(programs: Sequence[str] = tuple(PACKAGES)) -> None:
    """Install the packages of those programs that are missing.

    Args:
        programs: names out of ``PACKAGES``.

    Raises:
        LabError: not root, or apt failed; it says which packages to install.
    """
    if os.geteuid() != 0:
        raise LabError("the image lab starts containers without a container engine: run it as root")
    missing = sorted({PACKAGES[name] for name in programs if find(name) is None})
    if not missing:
        return
    failure = f"install the packages {' '.join(missing)}, apt could not"
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "PATH": path()}
    # Installing an engine would start it; the lab starts its own, on a socket of its own.
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
        policy.chmod(0o755)
    try:
        run("apt-get", "update", "--quiet", failure=failure, env=env)
        run("apt-get", "install", "--quiet", "--yes", "--no-install-recommends", *missing, failure=failure, env=env)
    finally:
        if ours:
            policy.unlink()
