"""Who owns a file: ``managed`` follows the template, ``seeded`` is the service's once it exists, ``shared`` is merged.

A template says which files are seeded: ``_skip_if_exists`` in its ``copier.yml``, the one place that plain Copier obeys
too. A file that the service changed is shared; all others of the template are managed.
"""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from golden_path.errors import Exit, FleetError
from golden_path.source import patterns as patterns_
from golden_path.source.config import Config

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
        self._seeded = _matcher(rendered(config.skip_if_exists, config, context))
        self._excluded = _matcher(rendered(config.exclude, config, context))

    def seeded(self, path: str) -> bool:
        """Whether a file is the service's once it exists."""
        return self._seeded(_normal(path))

    def excluded(self, path: str) -> bool:
        """Whether an update does not write a file at all (``_exclude`` with ``_copier_operation``)."""
        return self._excluded(_normal(path))


def rendered(patterns: Iterable[str], config: Config, context: Mapping[str, Any]) -> list[str]:
    """Return the lines of patterns or paths of a ``copier.yml``; those that need an extension are left out.

    Args:
        patterns: that may use answers.
        config: of the template.
        context: the answers.
    """
    wanted = {name: config.envops.get(name, default) for name, default in _ENVOPS.items()}
    lines = []
    for pattern in patterns:
        plain = not any(not isinstance(mark, str) or mark in pattern for mark in wanted.values())
        lines += (pattern if plain else _render(pattern, wanted, context)).splitlines()
    return lines


def _render(pattern: str, wanted: Mapping[str, str], context: Mapping[str, Any]) -> str:
    from jinja2.sandbox import SandboxedEnvironment  # most templates have plain patterns only

    try:
        environment = SandboxedEnvironment(**wanted)
    except Exception as error:  # of settings that Jinja asserts
        raise FleetError(f"_envops in the template's copier.yml cannot be used: {error}", Exit.TEMPLATE) from None
    with contextlib.suppress(Exception):
        return environment.from_string(pattern).render(context)
    return ""  # one that needs an extension of the template's, or fails, is left out: the file is merged like others


def _matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    try:
        return patterns_.matcher([_normal(one) for one in patterns])
    except ValueError as error:
        raise FleetError(f"a pattern in the template's copier.yml cannot be read: {error}", Exit.TEMPLATE) from None


def _normal(text: str) -> str:
    return unicodedata.normalize("NFD", text)
