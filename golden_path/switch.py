"""The switch of the speed patches to Copier."""

from __future__ import annotations

import os

SWITCH = "GOLDEN_PATH_PATCHES"


def wanted() -> bool:
    """Whether the patches are on, which they are unless ``GOLDEN_PATH_PATCHES`` is ``off``."""
    return os.environ.get(SWITCH, "on") != "off"
