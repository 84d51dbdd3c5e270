"""What an upgrade would do to a service, file by file; nothing in its repository is touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from golden_path.errors import Exit, FleetError
from golden_path.merging import merge, structured
from golden_path.merging.result import Result
from golden_path.source import changelog, secret, versions
from golden_path.source.ownership import Ownership
from golden_path.source.template import Template
from golden_path.store import answers, ignored, renames
from golden_path.store.trees import Store, Tree
from golden_path.upgrade import changes, migrated, tasks
from golden_path.upgrade.changes import CONFLICT, DROPPED, MERGED, Change
from golden_path.upgrade.upgrade import Upgrade

COMMAND = 120  # characters of a task's command in a note
LOW, MEDIUM, HIGH = "low", "medium", "high"


@dataclass(frozen=True)
class Plan:
    """An upgrade.

    Attributes:
        old: the version that the service has.
        new: the version that it gets.
        changes: by file, sorted by path.
        tree: of the service with the upgrade.
        answers: by question, the answer before and after, of those that change; None where there is none.
        notes: what else a person should know.
        changelog: what the template's changelog says to this service.
        risk: ``low``, ``medium`` or ``high``.
    """

    old: str
    new: str
    changes: Sequence[Change] = ()
    tree: Tree = field(default_factory=dict)
    answers: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    notes: Sequence[str] = ()
    changelog: str = ""
    risk: str = LOW

    @property
    def current(self) -> bool:
        """Whether there is nothing to do."""
        return self.old == self.new

    @property
    def conflicts(self) -> list[Change]:
        """What a person has to decide."""
        return [change for change in self.changes if change.status == CONFLICT]


def target(template: Template, current: str, wanted: str) -> str:
    """Choose the version to go to.

    Args:
        template: the template.
        current: the version that the service has.
        wanted: the one that the user named, or nothing for the newest.

    Returns:
        The version; ``current`` where there is none after it.

    Raises:
        FleetError: there is no such version, or it is older.
    """
    have = template.commit(current)
    version = versions.parse(current)
    new = wanted or template.newest(prereleases=bool(version and version.is_prerelease))
    want = template.commit(new)
    if want == have:
        return current
    other = versions.parse(new)
    older = bool(version and other and other < version) or template.contains(have, want)
    if older and wanted:
        raise FleetError(
            f"{new} is older than {current}, which the service has: to go back, see golden-path rollback",
            Exit.TEMPLATE,
        )
    return current if older else new


def compute(upgrade: Upgrade, *, run_tasks: bool = False, ask_secrets: bool = True) -> Plan:
    """Compute an upgrade.

    Args:
        upgrade: of which service, from which version to which.
        run_tasks: run the template's tasks, too; otherwise a note says which there are.
        ask_secrets: stop where the default of a secret would be written.

    Raises:
        FleetError: a version cannot be rendered, or a migration or task fails.
    """
    old, new = upgrade.old.version, upgrade.new.version
    if new == old:
        return Plan(old, new)
    has, store, had = upgrade.has, upgrade.store, upgrade.service.answers
    base = upgrade.known
    theirs, messages = upgrade.writes()
    if ask_secrets:
        secret.refuse_defaults(
            upgrade.new.config, had.values, upgrade.data, base, theirs,
            lambda more: upgrade.writes(more, f"secret-{'-'.join(more)}")[0],
        )  # fmt: skip
    ours, said_before = migrated.before(upgrade)
    given = answers_in(upgrade, theirs)
    owner = Ownership(upgrade.new.config, given)
    base, ours, parked = migrated.set_aside(store, base, has, ours, theirs)
    if run_tasks:
        done = tasks.run(upgrade, base, ours | parked, theirs, owner)
        say = "task run"
    else:
        done = tasks.Done(tasks.listed(upgrade), theirs)
        say = "task that apply runs"
    result = merge.merge(store, base, ours, done.theirs, owner, had.path, upgrade.new.rules)
    result.tree |= parked | done.own
    left_out = _leave_ignored_out(store, has, result)
    merged = result.tree
    result.tree, said_after = migrated.after(upgrade, merged)
    _follow_migrated(store, result, merged)
    moved = {*changes.differ(has, ours | parked), *changes.differ(merged, result.tree)}
    reasons = {**dict.fromkeys(result.by_keys, structured.REASON), **dict.fromkeys(done.touched, tasks.REASON),
               **dict.fromkeys(moved, migrated.REASON)}  # fmt: skip
    found = changes.of(base, has, done.theirs, result, moved, reasons)
    other = {name: (had.values.get(name), given.get(name)) for name in sorted({*had.values, *given})
             if had.values.get(name) != given.get(name)}  # fmt: skip
    notes = []
    if base.get(had.path) != has[had.path]:
        notes.append(f"{had.path} is not as {old} of the template wrote it: it was edited by hand")
    notes += [f"the template says: {line}" for line in messages]
    notes += [f"the template reads {path} (_external_data), which is not committed: it has nothing of it"
              for path in upgrade.external(upgrade.new) if path not in has]  # fmt: skip
    notes += ignored.note([path for path in left_out if upgrade.wrote.get(path) != done.theirs.get(path)])
    notes += [f"{say}: {_short(command)}" for command in done.commands]
    notes += done.notes
    notes += [f"migration: {line}" for line in (*said_before, *said_after)]
    said = changelog.between(upgrade.new.file("CHANGELOG.md"), old, new, given)
    if not said:
        said = "\n".join(f"- {line}" for line in upgrade.new.template.subjects(old, new)[:50])
    return Plan(old, new, found, result.tree, other, notes, said, _risk(old, new, found, bool(other)))


def _short(command: str) -> str:
    first, *more = command.strip().splitlines() or [""]
    return f"{first[:COMMAND]}{' ...' if more or len(first) > COMMAND else ''}"


def _leave_ignored_out(store: Store, has: Tree, result: Result) -> set[str]:
    """Take out what the service's rules ignore and it has not committed; ``git add`` would not take it either."""
    new = {*result.tree, *result.kept, *result.conflicts} - set(has)
    found = ignored.ignored(store, result.tree, new)
    result.tree = {path: entry for path, entry in result.tree.items() if path not in found}
    result.kept = {path: reason for path, reason in result.kept.items() if path not in found}
    result.conflicts = {path: one for path, one in result.conflicts.items() if path not in found}
    return found


def _follow_migrated(store: Store, result: Result, merged: Tree) -> None:
    """Let a conflict name the file's new path, where a migration moved it after the merge."""
    if result.tree is merged or not result.conflicts:
        return
    moved = renames.find(store, merged, result.tree).moved
    result.conflicts = {moved.get(path, path): one for path, one in result.conflicts.items()}


def answers_in(upgrade: Upgrade, theirs: Tree) -> dict[str, Any]:
    path = upgrade.service.answers.path
    found = answers.parse(path, upgrade.store.read(theirs[path].blob))
    if upgrade.new.template.commit(found.version) != upgrade.new.commit:
        raise FleetError(f"version {upgrade.new.version} of the template does not write {path}", Exit.TEMPLATE)
    return found.values


def _risk(old: str, new: str, changes: Sequence[Change], asked: bool) -> str:
    """High: a conflict, or a new major version. Medium: files merged or dropped, or other answers. Low: all else."""
    low, high = versions.parse(old), versions.parse(new)
    statuses = {change.status for change in changes}
    if CONFLICT in statuses or (low and high and low.major != high.major):
        return HIGH
    return MEDIUM if asked or statuses & {MERGED, DROPPED} else LOW
