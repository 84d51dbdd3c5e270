"""Services that the tests share: each written, committed, checked and built once a session."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
