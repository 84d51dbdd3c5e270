"""Where the cluster lab keeps things."""

from __future__ import annotations

from pathlib import Path

from tests.labs.places import run_folder_of
from tests.labs.toolchains import cache_folder

HERE = Path(__file__).resolve().parent


def lab_folder() -> Path:
    """Return the folder of all that outlives ``down``: programs and definitions, no state of a cluster."""
    return cache_folder() / "cluster-lab"


def run_folder() -> Path:
    """Return the folder of the running cluster: its data, keys, logs and process records."""
    return run_folder_of(lab_folder())


def kubeconfig() -> Path:
    """Return the file that says where the API server is and who the lab's user is."""
    return run_folder() / "kubeconfig"
