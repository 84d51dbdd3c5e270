"""Whether every ``uses:`` has the pinned commit, and gives and takes what that action has.

Linters know the inputs of the popular actions by tag only; of an action pinned by commit they check nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from extensions import pins
from tests.labs.workflows import metadata
from tests.labs.workflows.references import Scope, Use, scopes

_OUTPUT = re.compile(r"""steps\.(?P<step>[\w-]+)\.outputs(?:\.(?P<dot>[\w-]+)|\[['"](?P<index>[^'"]+)['"]\])""")


def check(repository: Path, pinned: Mapping[str, str] | None = None) -> list[str]:
    """Check the workflows and composite actions of a repository.

    Args:
        repository: its folder.
        pinned: commit and version by ``owner/name``; those of ``pins.yaml`` by default.

    Returns:
        One line for each finding: file, line, what is wrong.

    Raises:
        LabError: a file is no YAML.
    """
    actions = pins.load()["actions"] if pinned is None else pinned
    return [finding for scope in scopes(repository) for finding in _scope(scope, actions)]


def _scope(scope: Scope, pinned: Mapping[str, str]) -> Iterator[str]:
    for use in scope.uses:
        if use.repository and not use.called:
            yield from (f"{scope.file}:{line}: {text}" for line, text in _use(use, pinned))
    yield from (f"{scope.file}:{line}: {text}" for line, text in _outputs(scope))


def _use(use: Use, pinned: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    if use.repository not in pinned:
        yield use.line, f"{use.repository} is not pinned: add it to pins.yaml and actions.json"
        return
    pin = pinned[use.repository]
    if f"{use.ref} # {use.comment}" != pin:
        yield use.line, f"{use.name}@{use.ref} # {use.comment} is not the pin {pin}"
    action = metadata.load().get(use.name)
    if action is None:
        yield use.line, f"{use.repository} has no action {use.name}"
        return
    # Names of inputs are not case-sensitive.
    known = {name.lower() for name in action.inputs}
    for name, line in use.inputs.items():
        if name.lower() not in known:
            yield line, f"{use.name} has no input {name}"
    given = {name.lower() for name in use.inputs}
    for name, required in action.inputs.items():
        if required and name.lower() not in given:
            yield use.line, f"{use.name} needs the input {name}"


def _outputs(scope: Scope) -> Iterator[tuple[int, str]]:
    actions = {use.id: use.name for use in scope.uses if use.id and use.repository}
    for number, line in scope.lines:
        if line.lstrip().startswith("#"):
            continue
        for match in _OUTPUT.finditer(line):
            name = actions.get(match["step"], "")
            action = metadata.load().get(name)
            output = match["dot"] or match["index"]
            if action and output.lower() not in {known.lower() for known in action.outputs}:
                yield number, f"{name} has no output {output}"
