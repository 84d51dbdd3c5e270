"""All services of a fleet at once, each for itself: what an upgrade would do, and how they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from golden_path import unexpected
from golden_path.rendering.render import Renderer
from golden_path.rollout import forges
from golden_path.rollout.clones import Clone
from golden_path.rollout.fleet_file import Fleet, Member
from golden_path.rollout.run import each
from golden_path.rollout.steps import conflicts
from golden_path.source import pins
from golden_path.source.template import Templates
from golden_path.store import branches, service
from golden_path.store.service import Service
from golden_path.upgrade import changes, moved, plan, status
from golden_path.upgrade.upgrade import between


@dataclass(frozen=True)
class Planned:
    """What an upgrade would do to one service.

    Attributes:
        name: of the service.
        ring: its ring.
        old: the version that it has.
        new: the one that it would get.
        risk: ``low``, ``medium`` or ``high``.
        files: by path, the status and the reason.
        moved: a line, where the tag of the version that it has names another commit now.
        problem: why there is no plan; then all else is empty.
        code: the exit code for that.
    """

    name: str
    ring: str
    old: str = ""
    new: str = ""
    risk: str = ""
    files: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    moved: str = ""
    problem: str = ""
    code: int = 0

    @property
    def conflicts(self) -> int:
        """How many files a person would have to decide."""
        return sum(one == changes.CONFLICT for one, _ in self.files.values())


@dataclass(frozen=True)
class Row:
    """How one service stands.

    Attributes:
        name: of the service.
        ring: its ring.
        git: its repository.
        version: of the template, that it has.
        newest: the newest one.
        behind: the versions after its own, oldest first.
        drift: managed files that differ from what its version wrote: ``changed`` or ``deleted``, by path.
        pins: the pin that it has and the newest one, by name; None where the template has no pins.
        upgraded: date of its last upgrade.
        pull: of the pull request to the newest version ``open`` or ``closed``; empty where there is none.
        checks: of that, ``green``, ``red``, ``pending`` or empty.
        url: of that.
        conflicts: files in that which a person has to decide.
        moved: a line, where the tag of the version that it has names another commit now.
        problem: why it could not be looked at.
        code: the exit code for that.
    """

    name: str
    ring: str
    git: str
    version: str = ""
    newest: str = ""
    behind: tuple[str, ...] = ()
    drift: Mapping[str, str] = field(default_factory=dict)
    pins: Mapping[str, tuple[str, str]] | None = None
    upgraded: str = ""
    pull: str = ""
    checks: str = ""
    url: str = ""
    conflicts: int = 0
    moved: str = ""
    problem: str = ""
    code: int = 0


def plans(fleet: Fleet, renderer: Renderer, to: str, jobs: int) -> Iterator[Planned]:
    """Yield the plan of each service; only the cache is written.

    Args:
        fleet: the fleet.
        renderer: a worker.
        to: the version; the newest where there is none given.
        jobs: how many services at a time.
    """
    templates = Templates(fleet.template)
    templates.get(fleet.template).commit(to or templates.get(fleet.template).newest())
    return each("plan", fleet.members, lambda member: _planned(member, templates, renderer, to), jobs)


def _planned(member: Member, templates: Templates, renderer: Renderer, to: str) -> Planned:
    try:
        clone = Clone(member.git)
        with clone.fresh():
            opened = service.load(clone.path, member.answers_file)
            template = templates.get(opened.answers.source)
            new = plan.target(template, opened.answers.version, to)
            old = template.at(opened.answers.version)
            with between(opened, old, template.at(new), renderer, member.data) as upgrade:
                found = plan.compute(upgrade)
                line = moved.line(opened, template)
    except Exception as error:
        problem, code = unexpected.told(error)
        return Planned(member.name, member.ring, problem=problem, code=int(code))
    files = {one.path: (one.status, one.reason) for one in found.changes}
    return Planned(member.name, member.ring, found.old, found.new, found.risk, files, line)


def rows(fleet: Fleet, renderer: Renderer, jobs: int) -> Iterator[Row]:
    """Yield how each service stands; only the cache is written.

    Args:
        fleet: the fleet.
        renderer: a worker.
        jobs: how many services at a time.
    """
    templates = Templates(fleet.template)
    templates.get(fleet.template)
    return each("status", fleet.members, lambda member: _row(member, templates, renderer), jobs)


def _row(member: Member, templates: Templates, renderer: Renderer) -> Row:
    try:
        clone = Clone(member.git)
        with clone.fresh():
            found = status.status(clone.path, renderer, templates, answers_file=member.answers_file)
            opened = service.load(clone.path, member.answers_file)
            outdated = pins.behind(opened, templates.get(found.template), found.newest)
            pull, checks, url, undecided = _pull(member, clone, opened, found.newest)
    except Exception as error:
        problem, code = unexpected.told(error)
        return Row(member.name, member.ring, member.git, problem=problem, code=int(code))
    return Row(
        member.name, member.ring, member.git, found.version, found.newest, found.behind, found.drift, outdated,
        found.upgraded, pull, checks, url, undecided, found.moved,
    )  # fmt: skip


def _pull(member: Member, clone: Clone, opened: Service, newest: str) -> tuple[str, str, str, int]:
    if opened.answers.version == newest:
        return "", "", "", 0
    branch = branches.name(opened, newest)
    tip = branches.tip(opened, branch)
    if not tip:
        return "", "", "", 0
    forge = forges.of(member, clone)
    pull = forge.pull(branch, "")
    return (pull.state if pull else "", forge.checks(tip), pull.url if pull else branch, conflicts(opened, tip))


def plan_table(planned: Sequence[Planned]) -> Iterator[str]:
    """Yield the lines of a table, and one that sums it up."""
    head = ("service", "ring", "from", "to", "risk", *changes.STATUSES)
    cells = []
    for one in planned:
        if not one.problem:
            counts = [sum(state == status for state, _ in one.files.values()) for status in changes.STATUSES]
            risk = one.risk if one.old != one.new else "none"
            cells.append((one.name, one.ring, one.old, one.new, risk, *(str(number or "-") for number in counts)))
    yield from table(head, cells)
    ahead = [one for one in planned if one.old != one.new]
    undecided = sum(bool(one.conflicts) for one in ahead)
    yield (
        f"{len(planned)} services: {len(ahead)} to upgrade, {undecided} of them with conflicts, "
        f"{sum(bool(one.problem) for one in planned)} cannot be planned"
    )


def row_table(found: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of a table."""
    head = ("service", "ring", "version", "newest", "behind", "drift", "pins", "last upgrade", "pull request")
    cells = [
        (
            one.name, one.ring, one.version, one.newest, str(len(one.behind)), str(len(one.drift)),
            "-" if one.pins is None else str(len(one.pins)), one.upgraded[:10] or "none",
            " ".join(filter(None, (one.pull, one.checks, f"{one.conflicts} to decide" if one.conflicts else ""))),
        )
        for one in found
        if not one.problem
    ]  # fmt: skip
    return table(head, cells)


def table(head: Sequence[str], cells: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table in columns."""
    widths = [max(len(line[number]) for line in (head, *cells)) for number in range(len(head))]
    for line in (head, *cells):
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
