"""Who sees to it that an update loses nothing: the hooks of plain ``copier update``, or the tool that runs Copier."""

from __future__ import annotations

import os

from jinja2 import Environment
from jinja2.ext import Extension

SWITCH = "GOLDEN_PATH_GUARD"


def guarded() -> bool:
    """Whether the guard and the summary run, which they do unless ``GOLDEN_PATH_GUARD`` is ``off``."""
    return os.environ.get(SWITCH, "on") != "off"


class UpdatesExtension(Extension):
    """Offer ``copier.yml`` the function ``guarded``."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.globals["guarded"] = guarded
