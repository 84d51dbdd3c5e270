"""Every ``uses:`` of a repository's workflows and composite actions, with the place where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.labs.errors import LabError


@dataclass(frozen=True)
class Use:
    """One step, or job, that uses something.

    Attributes:
        line: where, from 1.
        name: what: ``owner/name``, ``owner/name/path`` or ``./path``.
        ref: what stands behind ``@``.
        comment: what stands behind ``#`` on the line.
        inputs: the line of each input given.
        id: the step's id, if it has one.
    """

    line: int
    name: str
    ref: str
    comment: str
    inputs: Mapping[str, int]
    id: str

    @property
    def repository(self) -> str:
        """``owner/name``; empty for a path in the own repository."""
        return "" if self.name.startswith("./") else "/".join(self.name.split("/")[:2])

    @property
    def called(self) -> bool:
        """Whether it is a workflow, and not an action, of another repository."""
        return "/.github/workflows/" in self.name


@dataclass(frozen=True)
class Scope:
    """Steps that see each other's outputs: a job, or a composite action.

    Attributes:
        file: relative to the repository.
        uses: in order.
        lines: number and text of every line of it.
    """

    file: str
    uses: tuple[Use, ...]
    lines: tuple[tuple[int, str], ...]


def files(repository: Path) -> list[Path]:
    """Return the workflows and composite actions below ``.github``.

    Raises:
        LabError: the repository has no such folder.
    """
    folder = repository / ".github"
    if not folder.is_dir():
        raise LabError(f"{repository} has no .github: give a folder of a repository with workflows")
    found = [*folder.glob("workflows/*.y*ml"), *folder.rglob("action.y*ml")]
    return sorted({path for path in found if path.suffix in (".yml", ".yaml")})


def compose(file: Path) -> yaml.Node:
    """Parse a YAML file, places kept.

    Raises:
        LabError: it is no YAML, or empty.
    """
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise LabError(f"{file} is no YAML: {' '.join(str(error).split())}") from None
    if node is None:
        raise LabError(f"{file} is empty")
    return node


def child(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """Return the value of a key of a mapping; none where there is no such key, or no mapping."""
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _text(node: yaml.Node | None) -> str:
    return node.value if isinstance(node, yaml.ScalarNode) else ""


def _use(node: yaml.Node, lines: list[str]) -> Use | None:
    uses = child(node, "uses")
    if not isinstance(uses, yaml.ScalarNode):
        return None
    name, _, ref = uses.value.partition("@")
    given = child(node, "with")
    inputs = {key.value: key.start_mark.line + 1 for key, _ in given.value} if given is not None and given.value else {}
    line = uses.start_mark.line
    return Use(line + 1, name, ref, lines[line].partition("#")[2].strip(), inputs, _text(child(node, "id")))


def _scope(file: str, scope: yaml.Node, lines: list[str]) -> Scope:
    steps = child(scope, "steps")
    nodes = [scope, *(steps.value if isinstance(steps, yaml.SequenceNode) else [])]
    uses = [use for node in nodes if (use := _use(node, lines))]
    own = range(scope.start_mark.line, scope.end_mark.line + (scope.end_mark.column > 0))
    return Scope(file, tuple(uses), tuple((number + 1, lines[number]) for number in own if number < len(lines)))


def scopes(repository: Path) -> Iterator[Scope]:
    """Find every job and composite action of a repository.

    Args:
        repository: its folder.

    Yields:
        One scope after the other.

    Raises:
        LabError: a file is no YAML.
    """
    for file in files(repository):
        root = compose(file)
        lines = file.read_text(encoding="utf-8").splitlines()
        name = str(file.relative_to(repository))
        jobs = child(root, "jobs")
        for _, job in jobs.value if isinstance(jobs, yaml.MappingNode) else []:
            yield _scope(name, job, lines)
        if runs := child(root, "runs"):
            # The outputs of a composite action stand beside its steps.
            steps = _scope(name, runs, lines)
            yield Scope(name, steps.uses, tuple((number + 1, line) for number, line in enumerate(lines)))
