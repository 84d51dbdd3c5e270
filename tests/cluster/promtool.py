"""Prometheus' own tool for rules, without a cluster."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.cluster.services import objects, only
from tests.labs.cluster import client, tools
from tests.labs.errors import LabError


def get() -> None:
    """Get promtool from Debian, or take the one on PATH; where there is none, the test is skipped."""
    try:
        tools.prometheus()
    except LabError as error:
        if shutil.which("promtool") is None:
            pytest.skip(f"promtool is missing: {error}")


def promtool(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run promtool; its exit code is not checked."""
    command = ["promtool", *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, env=client.environment(), capture_output=True, text=True, check=False, timeout=120
    )


def rules(service: Path, folder: Path, name: str = "rules.yaml") -> Path:
    """Write the rules of a service as Prometheus reads them, without the Kubernetes object around them.

    Args:
        service: rendered.
        folder: to write into.
        name: of the file in ``.golden-path/slo``.

    Returns:
        The file.
    """
    file = folder / name
    file.write_text(
        yaml.safe_dump(only(objects((service / ".golden-path/slo" / name).read_text()), "PrometheusRule")["spec"])
    )
    return file
