"""Who owns a file: ``managed`` follows the template, ``seeded`` is the service's once it exists, ``shared`` is merged.

A template says which files are seeded: ``_skip_if_exists`` in its ``copier.yml``, the one place that plain Copier obeys
too. A file that the service changed is shared; all others of the template are managed.
"""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from jinja2.sandbox import SandboxedEnvironment
from pathspec import PathSpec

from fleet.config import Config
from fleet.errors import Exit, FleetError

_ENVOPS = {
    "block_start_string": "{%",
    "block_end_string": "%}",
    "comment_start_string": "{#",
    "comment_end_string": "#}",
    "variable_start_string": "{{",
    "variable_end_string": "}}",
}


class Ownership:
    """The files that a template leaves to the service.

    Args:
        config: of the version that the service gets.
        answers: by question; patterns may use them.
    """

    def __init__(self, config: Config, answers: Mapping[str, Any]) -> None:
        context = {**answers, "_copier_operation": "update"}
        self._seeded = _spec(_rendered(config.skip_if_exists, config, context))
        self._excluded = _spec(_rendered(config.exclude, config, context))

    def seeded(self, path: str) -> bool:
        """Whether a file is the service's once it exists."""
        return self._seeded.match_file(_normal(path))

    def excluded(self, path: str) -> bool:
        """Whether an update does not write a file at all (``_exclude`` with ``_copier_operation``)."""
        return self._excluded.match_file(_normal(path))


def _rendered(patterns: Iterable[str], config: Config, context: Mapping[str, Any]) -> list[str]:
    wanted = {name: config.envops.get(name, default) for name, default in _ENVOPS.items()}
    try:
        environment = SandboxedEnvironment(**wanted)
    except Exception as error:  # of settings that Jinja asserts
        raise FleetError(f"_envops in the template's copier.yml cannot be used: {error}", Exit.TEMPLATE) from None
    lines = []
    for pattern in patterns:
        text = pattern
        if any(wanted[name] in pattern for name in wanted):
            # One that needs an extension of the template's, or fails, is left out: the file is merged like others.
            text = ""
            with contextlib.suppress(Exception):
                text = environment.from_string(pattern).render(context)
        lines += text.splitlines()
    return lines


def _spec(patterns: Iterable[str]) -> PathSpec[Any]:
    try:
        return PathSpec.from_lines("gitignore", map(_normal, patterns))
    except ValueError as error:
        raise FleetError(f"a pattern in the template's copier.yml cannot be read: {error}", Exit.TEMPLATE) from None


def _normal(text: str) -> str:
    return unicodedata.normalize("NFD", text)
