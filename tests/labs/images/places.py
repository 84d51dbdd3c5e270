"""Where the image lab keeps things."""

from __future__ import annotations

from pathlib import Path

from tests.labs.places import run_folder_of
from tests.labs.toolchains import cache_folder

HERE = Path(__file__).resolve().parent


def lab_folder() -> Path:
    """Return the folder of all that outlives ``down``."""
    return cache_folder() / "lab"


def run_folder() -> Path:
    """Return the folder of sockets, process records and settings."""
    return run_folder_of(lab_folder())
