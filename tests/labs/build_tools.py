"""The build tools that adopted services have of their own, installed once into the user's cache."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from extensions import pins
from tests.labs import toolchains
from tests.labs.errors import run
from tests.labs.places import digest, once

UV = Path(sys.executable).parent / "uv"
# The newest of the Yarn that most repositories have, and of the one that is developed.
YARN, BERRY = "1.22.22", "4.12.0"
# The newest of a dependency breaks it.
_BESIDE = {"pdm": ("hishel<2",)}


def on_path(tool: str) -> dict[str, str]:
    """Return the environment of a tool's language, with the tool on PATH.

    Args:
        tool: ``pnpm``, ``yarn``, ``berry``, ``poetry``, ``pdm``, ``pipenv`` or ``uv``; others are there already.

    Raises:
        LabError: it is missing, and cannot be installed.
    """
    if tool in ("pnpm", "yarn", "berry"):
        return _in_front(toolchains.environment("node"), _npm(tool) / "bin")
    python = toolchains.environment("python")
    if tool == "uv":
        return _in_front(python, once(_place("uv", version("uv")), _copied))
    return _in_front(python, _pip(tool) / "only") if tool in ("poetry", "pdm", "pipenv") else python


def _copied(target: Path) -> None:
    """Copy uv: a link would lead into this checkout, which the cache outlives."""
    target.mkdir()
    shutil.copy2(UV, target / "uv")


def _in_front(env: Mapping[str, str], folder: Path) -> dict[str, str]:
    return {**env, "PATH": f"{folder}:{env['PATH']}"}


def _place(tool: str, version: str) -> Path:
    return toolchains.cache_folder() / "toolchains" / f"{tool}-{version}-{digest(tool, version)}"


def _npm(tool: str) -> Path:
    env = toolchains.environment("node")
    wanted = {"yarn": YARN, "berry": BERRY}.get(tool) or pins.load()["tools"][tool]
    package = {"berry": "@yarnpkg/cli-dist"}.get(tool, tool)

    def install(target: Path) -> None:
        run("npm", "install", "--silent", "--prefix", target, f"{package}@{wanted}", env=env,
            failure=f"cannot install {package}")  # fmt: skip
        program = "yarn" if tool == "berry" else tool
        _link(target / "bin", {program: target.with_name(_place(tool, wanted).name) / "node_modules/.bin" / program})

    return once(_place(tool, wanted), install)


def _pip(tool: str) -> Path:
    wanted = pins.load()["tools"][tool]
    place = _place(tool, wanted)

    def install(target: Path) -> None:
        run(UV, "venv", "--quiet", "--relocatable", "--python", sys.executable, target, failure=f"no place for {tool}")
        run(
            UV,
            "pip",
            "install",
            "--quiet",
            "--python",
            target,
            f"{tool}=={wanted}",
            *_BESIDE.get(tool, ()),
            failure=f"cannot install {tool}",
        )
        _link(target / "only", {tool: place / "bin" / tool})

    return once(place, install)


def _link(folder: Path, programs: Mapping[str, Path]) -> None:
    """Make a folder with these programs alone: what else a tool brings must not be found."""
    folder.mkdir(parents=True)
    for name, program in programs.items():
        (folder / name).symlink_to(program)
