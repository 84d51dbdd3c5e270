"""Docker's client with a configuration of the lab's own: the user's is neither read nor changed."""

from __future__ import annotations

import os
from pathlib import Path

from tests.labs.errors import LabError, run
from tests.labs.images import tools
from tests.labs.images.places import run_folder


def folder() -> Path:
    """Return the configuration folder."""
    return run_folder() / "docker"


def prepare() -> None:
    """Make the configuration folder with the lab's buildx in it."""
    plugins = folder() / "cli-plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    (folder() / "config.json").write_text("{}\n", encoding="utf-8")
    plugin = plugins / "docker-buildx"
    plugin.unlink(missing_ok=True)
    plugin.symlink_to(tools.folder() / "buildx")


def buildx(*arguments: str) -> str:
    """Run buildx with the lab's configuration.

    Args:
        arguments: what comes after ``docker buildx``.

    Returns:
        Its standard output.

    Raises:
        LabError: it failed.
    """
    env = {**os.environ, "DOCKER_CONFIG": str(folder())}
    env.pop("BUILDX_BUILDER", None)
    return run(tools.folder() / "buildx", *arguments, failure=f"docker buildx {arguments[0]} failed", env=env)


def forget(builder: str) -> None:
    """Take a builder out of the configuration, if it is there."""
    try:
        buildx("rm", "--force", builder)
    except LabError:
        return
