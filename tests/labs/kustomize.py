"""Kustomize for a service's own verbs, as a developer's machine and GitHub's runners have it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.labs import go_tools, toolchains
from tests.labs.places import digest, once
from tests.labs.toolchains import MissingToolchainError

PACKAGE = "sigs.k8s.io/kustomize/kustomize/v5"


def target() -> Path:
    """Return the folder of the program, whether it is there or not."""
    return toolchains.cache_folder() / f"kustomize-{digest(PACKAGE, go_tools.versions()[PACKAGE])}"


def folder() -> Path:
    """Return the folder of the program, built unless it is there.

    Raises:
        LabError: it cannot be built.
        MissingToolchainError: Go is missing.
    """
    return once(target(), lambda made: go_tools.build(made, [PACKAGE], "", "Kustomize"))


def on(path: str) -> str:
    """Return a PATH on which there is a Kustomize: the same one where it has one, or where Go is missing to build it.

    Args:
        path: a PATH.
    """
    if there(path):
        return path
    try:
        return os.pathsep.join([path, str(folder())])
    except MissingToolchainError:
        return path


def there(path: str) -> bool:
    """Return whether a PATH has a Kustomize.

    Args:
        path: a PATH.
    """
    return bool(shutil.which("kustomize", path=path) or shutil.which("kubectl", path=path))
