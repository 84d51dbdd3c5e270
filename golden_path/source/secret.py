"""Secrets of a template (``secret: true``): no file keeps their answers, so an upgrade would write their defaults."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from golden_path.errors import Exit, FleetError
from golden_path.source.config import Config
from golden_path.source.ownership import rendered
from golden_path.store.trees import Tree

_OTHERS: dict[str, Any] = {"int": 918273645, "float": 918273.645}
_OTHER = "golden-path-918273645"
_NO = frozenset({"", "0", "f", "false", "n", "no", "off", "none", "null", "~"})


def refuse_defaults(
    config: Config, answers: Mapping[str, Any], data: Mapping[str, str], base: Tree, theirs: Tree,
    render: Callable[[Mapping[str, Any]], Tree],
) -> None:  # fmt: skip
    """Stop where an upgrade would write a secret's default, since nobody gave its answer.

    Args:
        config: of the version that the service gets.
        answers: that the service has.
        data: answers that the user gave.
        base: the rendering of the version that the service has.
        theirs: the rendering of the other one.
        render: renders that with one answer more, in a folder of its own.

    Raises:
        FleetError: a task or a file that the upgrade changes depends on such a secret, or nobody can tell.
    """
    missing = {}
    for name in sorted(set(config.secrets) - set(data) - set(answers)):
        if not _asked(config, name, answers):
            continue
        if any(re.search(rf"\b{re.escape(name)}\b", task) for task in config.tasks):
            missing[name] = "a task"
            continue
        try:
            other = render({name: _other(config.secrets[name])})
        except FleetError:
            other = {}  # another answer is not accepted, so any file may depend on it
        paths = [path for path in sorted(theirs) if theirs[path] != other.get(path) and theirs[path] != base.get(path)]
        if paths:
            missing[name] = paths[0] if other else ""
    if missing:
        named = ", ".join(f"{name!r} ({path} depends on it)" if path else f"{name!r}" for name, path in missing.items())
        given = " ".join(f"--data {name}=VALUE" for name in missing)
        raise FleetError(
            f"no file keeps the answer to a secret, and the upgrade needs {named}: pass {given}", Exit.ANSWERS
        )


def _asked(config: Config, name: str, answers: Mapping[str, Any]) -> bool:
    """Whether a question is asked; one whose condition needs an extension of the template's is taken to be."""
    when = config.secrets[name].get("when", True)
    if not isinstance(when, str):
        return bool(when)
    said = rendered([when], config, answers)
    return not said or said[0].strip().casefold() not in _NO


def _other(question: Mapping[str, Any]) -> Any:
    """An answer that is not the default."""
    kind = str(question.get("type", "str"))
    if kind == "bool":
        return not question.get("default")
    return _OTHERS.get(kind, _OTHER)
