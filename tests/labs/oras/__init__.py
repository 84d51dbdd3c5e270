"""ORAS for the verbs of models: its own module, since what it is built from is nobody else's here."""

from __future__ import annotations

from pathlib import Path

from tests.labs import go_tools, toolchains
from tests.labs.places import digest, once

MODULE = Path(__file__).resolve().parent
PACKAGE = "oras.land/oras/cmd/oras"


def version() -> str:
    """Return the version that is built."""
    return go_tools.versions(MODULE)["oras.land/oras"]


def target() -> Path:
    """Return the folder of the program, whether it is there or not."""
    return toolchains.cache_folder() / f"oras-{digest(*go_tools.sources((PACKAGE,), MODULE))}"


def folder() -> Path:
    """Return the folder of the program, built unless it is there.

    Raises:
        LabError: it cannot be built.
        MissingToolchainError: Go is missing.
    """
    return once(target(), lambda made: go_tools.build(made, [PACKAGE], "", "ORAS", module=MODULE))
