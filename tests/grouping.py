"""Which tests run in one process, where several run side by side (pytest-xdist)."""

from __future__ import annotations

import re

from xdist.scheduler import LoadScopeScheduling

from tests.labs.toolchains import KINDS, LANGUAGES

# Canaries mostly wait, and have a service of their own: they go beside the tests of its language.
_ROLLOUTS = re.compile(r"/test_(canary|drift_canary|blue_green)\.py::")
# The longest first, so that none is left over for one process in the end.
_FIRST = ("go", "rollouts", "java", "workflows", "node", "python", "model")


def group(nodeid: str) -> str:
    """Return the language in which a test runs, whose service and image are changed by one process only; else its file.

    Args:
        nodeid: of the test, with its parameters.
    """
    if _ROLLOUTS.search(nodeid):
        return "rollouts"
    file, _, name = nodeid.partition("::")
    named = [part for part in re.split(r"[\[\]-]", name.partition("[")[2]) if part in {*LANGUAGES, *KINDS}]
    # Most workflows are run in Go, each in a clone of its own.
    if named == ["go"] and file.startswith("tests/workflows/"):
        return "workflows"
    return named[0] if named else file


def rank(nodeid: str) -> int:
    """Return when a test comes, less is earlier."""
    name = group(nodeid)
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)


class Grouped(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """Hands out whole groups. With pytest 9.2, the marks of ``--dist loadgroup`` do not reach xdist 3.8."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)
