"""The file system of an image, as a container would see it."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Mapping
from typing import Any


def inspect(image: str, env: Mapping[str, str]) -> dict[str, Any]:
    """Return what the engine knows of an image (``docker image inspect``).

    Args:
        image: its reference.
        env: the environment in which ``docker`` finds its engine.
    """
    done = subprocess.run(["docker", "image", "inspect", image], env=dict(env), capture_output=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)[0]
    return found


def files(image: str, env: Mapping[str, str]) -> dict[str, bytes]:
    """Return every regular file and link of an image.

    Args:
        image: its reference.
        env: the environment in which ``docker`` finds its engine.

    Returns:
        The content by path without leading slash; that of a link is its target.
    """
    create = ["docker", "create", "--pull", "never", image]
    container = subprocess.run(create, env=dict(env), capture_output=True, text=True, check=True).stdout.strip()
    try:
        export = ["docker", "export", container]
        content = subprocess.run(export, env=dict(env), capture_output=True, check=True).stdout
    finally:
        subprocess.run(["docker", "rm", container], env=dict(env), capture_output=True, check=True)
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            if member.issym() or member.islnk():
                found[member.name] = member.linkname.encode()
            elif member.isfile() and (body := archive.extractfile(member)):
                found[member.name] = body.read()
    return found
