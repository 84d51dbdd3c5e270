"""Fixtures of the tests of deployment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.cluster.versions import Versions
from tests.labs.built import Built


@pytest.fixture
def versions(built: Built) -> Iterator[Versions]:
    with ExitStack() as stack:
        yield Versions(stack, built)
