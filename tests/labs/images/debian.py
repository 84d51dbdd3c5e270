"""Packages of Debian 13 as layers of images.

Of a package only the files are taken: its scripts do not run, as in distroless.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.labs import debian
from tests.labs.debian import SUITE, Mirror
from tests.labs.errors import run
from tests.labs.images import system
from tests.labs.images.layers import Layer
from tests.labs.images.places import lab_folder

# What debian:trixie-slim leaves out too, but for the copyright files.
_DOCUMENTATION = re.compile(r"usr/share/(doc/(?!.*copyright)|man|info|lintian|bug|locale|groff|linda)(/|$)")
_SLIM = [
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    *(f"path-exclude=/usr/share/{name}/*" for name in ("man", "info", "lintian", "locale", "groff", "linda")),
]

# Whose they are depends on where the tar file goes.
_OWNERS = 'chown 0:0 "$1/var/cache/apt/archives/partial" "$1/var/lib/apt/lists/partial"'


def _is_documentation(path: str) -> bool:
    return _DOCUMENTATION.match(path) is not None


class Archive:
    """Debian's packages as layers."""

    def __init__(self) -> None:
        self._archive = debian.Archive(lab_folder() / "apt")

    def layer(self, packages: Sequence[str]) -> Layer:
        """Return a layer with the files of packages, and of each the record that scanners read.

        Args:
            packages: their names; what they depend on is not added.

        Raises:
            LabError: one cannot be had.
        """
        layer = Layer()
        for deb in self._archive.download(packages):
            files = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], capture_output=True, check=True).stdout
            layer.archive(files, _is_documentation)
            control = run("dpkg-deb", "--field", deb, failure=f"cannot read {deb}")
            layer.file(f"var/lib/dpkg/status.d/{deb.name.split('_')[0]}", control.encode())
            deb.unlink()
        return layer


def slim(target: Path, packages: Sequence[str]) -> None:
    """Write the tar file of a small Debian 13 with a shell and apt, as ``debian:trixie-slim`` is.

    Args:
        target: the tar file.
        packages: what it has besides.

    Raises:
        LabError: it cannot be made.
    """
    env = {**os.environ, "SOURCE_DATE_EPOCH": "0", "TMPDIR": str(target.parent), "PATH": system.path()}
    run(
        "mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--format=tar", f"--include={','.join(packages)}",
        *(f"--dpkgopt={option}" for option in _SLIM), f"--customize-hook={_OWNERS}", SUITE, target, "-",
        failure=f"cannot make a small Debian {SUITE}, check that apt can download",
        env=env, stdin=Mirror.of_this_machine().lines(),
    )  # fmt: skip
