"""A lab's own programs, built with Go from one pinned module."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from tests.labs import toolchains
from tests.labs.errors import run


def versions(module: Path) -> dict[str, str]:
    """Return the versions of the modules that a module requires.

    Args:
        module: its folder.
    """
    text = (module / "go.mod").read_text(encoding="utf-8")
    return dict(re.findall(r"^\t(\S+) (v\S+)", text, re.MULTILINE))


def build(target: Path, module: Path, programs: Sequence[str], link_flags: str, what: str) -> None:
    """Build programs.

    Args:
        target: the folder to make for them.
        module: the folder of the module.
        programs: their packages.
        link_flags: for the linker, besides those that leave debugging information out.
        what: names the programs in an error.

    Raises:
        LabError: they cannot be built.
        MissingToolchainError: Go is missing.
    """
    env = toolchains.environment("go") | {"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false -trimpath", "GOWORK": "off"}
    target.mkdir()
    run(
        "go", "build", "-mod=readonly", f"-ldflags=-s -w {link_flags}", "-o", f"{target}{os.sep}", *programs,
        failure=f"cannot build {what}, check that Go can download modules",
        env=env, cwd=module, timeout=3600,
    )  # fmt: skip
