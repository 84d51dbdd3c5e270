"""How a service stands to its template: version, versions behind, drift, last upgrade."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from golden_path.rendering.render import Renderer
from golden_path.source import adoption_rules, infer, versions
from golden_path.source.ownership import Ownership
from golden_path.source.template import Templates
from golden_path.store import service
from golden_path.upgrade import moved, plan, rollback, tasks
from golden_path.upgrade.upgrade import between

CHANGED, DELETED = "changed", "deleted"


@dataclass(frozen=True)
class Status:
    """How one service stands.

    Attributes:
        path: its folder.
        template: as its answers file names it.
        version: of the template, that it has.
        newest: the newest version.
        behind: the versions after its own, oldest first.
        drift: of the files that the template manages, those that differ from what its version writes: ``changed`` or
            ``deleted``, by path; without what an adopted service has its own of.
        upgraded: the date of its last upgrade; empty where its history shows none.
        moved: a line, where the tag of the version that it has names another commit now.
        lines: how many the service has more and less than the template wrote, by path; empty where nobody asked.
    """

    path: str
    template: str
    version: str
    newest: str
    behind: tuple[str, ...]
    drift: dict[str, str]
    upgraded: str
    moved: str = ""
    lines: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def status(
    path: Path, renderer: Renderer, templates: Templates, *, answers_file: str = "", count_lines: bool = False
) -> Status:
    """Look at one service.

    Args:
        path: the root of its repository.
        renderer: a worker.
        templates: those of this run.
        answers_file: which, where there are several.
        count_lines: of the drift, which takes a moment a file.

    Raises:
        FleetError: it cannot be looked at.
    """
    opened = service.load(path, answers_file)
    source, version = opened.answers.source, opened.answers.version
    template = templates.get(source)
    newest = plan.target(template, version, "")
    release = template.at(version)
    owner = Ownership(release.config, opened.answers.values)
    with between(opened, release, release, renderer) as looked_at:
        has, wrote = looked_at.has, looked_at.known
        own = adoption_rules.choice(release.rules, wrote, has)
        drift = {
            name: CHANGED if name in has else DELETED
            for name, entry in sorted(wrote.items())
            if has.get(name) != entry
            and name != opened.answers.path
            and not owner.seeded(name)
            and (name in has or not infer.matches(own, name))
        }
        if drift and release.config.tasks:  # they make other files of a rendering
            alone = tasks.template_alone(opened, drift)
            drift = {name: what for name, what in drift.items() if name not in alone}
        diff = looked_at.store.diff
        lines = {name: _lines(diff(wrote[name], has.get(name))) for name in drift} if count_lines else {}
    _, upgraded = rollback.last_upgrade(opened)
    behind = versions.between(template.tags, version, newest)
    line = moved.line(opened, template)
    return Status(str(path), source, version, newest, tuple(behind), drift, upgraded, line, lines)


def _lines(difference: str) -> tuple[int, int]:
    """How many lines a difference adds and removes."""
    changed = [line[:1] for line in difference.split("\n")]
    return changed.count("+"), changed.count("-")
