"""On what the numbers were taken."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import load
from extensions import pins
from tests.labs import template as lab
from tests.labs import toolchains

_VERSIONS = {
    "go": ("go", "version"),
    "java": ("java", "-version"),
    "node": ("node", "--version"),
    "python": (f"python{pins.load()['runtimes']['python']}", "--version"),
}


def facts(languages: Sequence[str]) -> list[str]:
    """Return lines about the machine, the checkout and the tools; none holds a path or the machine's name."""
    cpu = re.search(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    busy = os.getloadavg()[0]
    lines = [
        f"{datetime.now(UTC):%Y-%m-%d}, commit {_commit()}",
        f"{os.cpu_count()} cores ({cpu[1] if cpu else 'unknown CPU'}), {memory:.0f} GiB of memory; "
        f"load average {busy:.1f} before the start",
        f"load: bombardier {load.VERSION}, on the same cores",
    ]
    return [*lines, *(_version(language) for language in languages)]


def _commit() -> str:
    return lab.git(toolchains.ROOT, "describe", "--always", "--dirty", "--abbrev=12")


def _version(language: str) -> str:
    done = subprocess.run(
        _VERSIONS[language],
        env=toolchains.environment(language),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return f"{language}: {(done.stdout + done.stderr).splitlines()[0]}"
