"""Running ``golden-path`` as a user does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.labs.template import GIT
from tests.labs.toolchains import ROOT


def command(*arguments: str | Path) -> list[str]:
    """Return the command line."""
    return [sys.executable, "-m", "fleet", *map(str, arguments)]


def environment(**more: str) -> dict[str, str]:
    """Return the environment: git without settings of the user's."""
    return {**os.environ, **GIT, "PYTHONPATH": str(ROOT), **more}


def golden_path(*arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run it; the exit code is not checked."""
    return subprocess.run(
        command(*arguments), env=environment(**more), capture_output=True, text=True, check=False, timeout=300
    )


def as_json(*arguments: str | Path) -> Any:
    """Run it with ``--json``, and return what it says."""
    return json.loads(golden_path(*arguments, "--json").stdout)
