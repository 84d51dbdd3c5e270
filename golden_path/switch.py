"""The switch of the speed patches to Copier, which are off for a Copier that no test has seen."""

from __future__ import annotations

import functools
import importlib.util
import os
import re
from pathlib import Path

SWITCH = "GOLDEN_PATH_PATCHES"
# Of Copier: the tests compare what both write, with and without the patches. Others, too, give the same without them.
OLDEST, NEWEST = "9.18.0", "9.19.1"


def wanted() -> bool:
    """Whether the patches are on: not with ``GOLDEN_PATH_PATCHES=off``, nor with a Copier that no test has seen."""
    return os.environ.get(SWITCH, "on") != "off" and tested()


@functools.cache
def tested() -> bool:
    """Whether the installed Copier is between the oldest and the newest that the patches were tested with."""
    return _numbers(OLDEST) <= _numbers(copier()) <= _numbers(NEWEST)


def copier() -> str:
    """Return the version of the installed Copier; empty where there is none."""
    found = importlib.util.find_spec("copier")
    for place in found.submodule_search_locations or () if found else ():
        # By the name of the folder with its facts: to read them takes most of a hundred times as long.
        for facts in Path(place).parent.glob("copier-*.dist-info"):
            return facts.name.removeprefix("copier-").removesuffix(".dist-info")
    from importlib import metadata  # seldom needed, and slow to import

    try:
        return metadata.version("copier")
    except metadata.PackageNotFoundError:
        return ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:3]))
