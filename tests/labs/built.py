"""Services that the tests share: each written, committed, checked and built once a session."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.labs import template as lab

UPSTREAM = "inventory"
VERSION = "v1.2.3"


@dataclass(frozen=True)
class Built:
    """A service of one language in a folder of its own, checked and built.

    Attributes:
        language: its language.
        folder: where it is.
        check: how ``make check`` ended, in a folder where nothing had run before.
    """

    language: str
    folder: Path
    check: subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Image:
    """The image of a service, in the image lab's Docker engine.

    Attributes:
        language: the service's language.
        folder: the service.
        name: reference of the image.
        env: the environment in which ``docker`` and the service's verbs find the lab.
    """

    language: str
    folder: Path
    name: str
    env: Mapping[str, str]

    @property
    def repository(self) -> str:
        """Its name without the tag: what the service's verbs take as ``IMAGE``."""
        return self.name.rpartition(":")[0]


def clone(folder: Path, target: Path, umask: int = 0o022) -> Path:
    """Clone a service, so that nothing that was built counts, as a user with this umask does.

    Args:
        folder: the service.
        target: where the clone goes; missing.
        umask: the user's.

    Returns:
        The clone.
    """
    before = os.umask(umask)
    try:
        lab.git(folder.parent, "clone", "--quiet", str(folder), str(target))
    finally:
        os.umask(before)
    return target
