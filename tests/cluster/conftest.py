"""Fixtures of the tests of deployment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cluster.versions import Versions
from tests.conftest import written
from tests.labs.built import Built
from tests.labs.cluster import Lab
from tests.labs.cluster.argocd_running import ArgoCD
from tests.labs.in_memory import tmp_path as tmp_path
from tests.labs.service import make


@pytest.fixture(scope="session")
def runnable(language: str, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The service after ``make build`` alone: it runs beside the tests that have it checked."""
    folder = written(language, template, tmp_path_factory.mktemp("runnable") / f"{language}-orders")
    done = make(folder, language, "build", env={"CI": "true"})
    assert done.returncode == 0, done.stdout
    return Built(language, folder, done)


@pytest.fixture
def versions(runnable: Built) -> Iterator[Versions]:
    with ExitStack() as stack:
        yield Versions(stack, runnable)


@pytest.fixture(scope="module")
def argo(cluster_lab: Lab) -> Iterator[ArgoCD]:
    """Argo CD in the cluster lab, up, for the tests of one file."""
    with ArgoCD(cluster_lab) as running:
        yield running
