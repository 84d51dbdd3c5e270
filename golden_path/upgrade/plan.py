"""What an upgrade would do to a service, file by file; nothing in its repository is touched."""

from __future__ import annotations

import functools
import posixpath
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from golden_path.errors import Exit, FleetError
from golden_path.merging import merge, structured
from golden_path.rendering import migrations
from golden_path.rendering.render import Renderer
from golden_path.source import changelog, secret, versions
from golden_path.source.config import Config
from golden_path.source.ownership import Ownership, rendered
from golden_path.source.template import Template
from golden_path.store import answers, ignored, renames
from golden_path.store.service import Service
from golden_path.store.trees import FILE, Entry, Store, Tree
from golden_path.upgrade import tasks

NEW, CLEAN, MERGED, CONFLICT, DROPPED, KEPT = "new", "clean", "merged", "conflict", "dropped", "kept"
STATUSES = (CONFLICT, MERGED, NEW, CLEAN, DROPPED, KEPT)
MIGRATED = "a migration of the template changed it"
COMMAND = 120  # characters of a task's command in a note
LOW, MEDIUM, HIGH = "low", "medium", "high"


@dataclass(frozen=True)
class Change:
    """What happens to one file.

    Attributes:
        path: the file.
        status: one of ``STATUSES``.
        reason: why, where that is not plain.
        source: where it was before, where the template moved it.
        before: in the service.
        after: in the upgrade.
        missed: of a conflict, the template's version, merged with what is not in conflict.
    """

    path: str
    status: str
    reason: str = ""
    source: str = ""
    before: Entry | None = None
    after: Entry | None = None
    missed: Entry | None = None


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


def compute(
    service: Service, template: Template, new: str, renderer: Renderer, store: Store, data: Mapping[str, str], *,
    run_tasks: bool = False, ask_secrets: bool = True,
) -> Plan:  # fmt: skip
    """Compute an upgrade.

    Args:
        service: the repository.
        template: its template, refreshed.
        new: the version to go to.
        renderer: a worker; it may have served others before.
        store: where the trees are made, for this repository.
        data: answers that the user gave.
        run_tasks: run the template's tasks, too; otherwise a note says which there are.
        ask_secrets: stop where the default of a secret would be written.

    Raises:
        FleetError: a version cannot be rendered, or a migration or task fails.
    """
    old = service.answers.version
    if new == old:
        return Plan(old, new)
    renderer.lend(store)
    has = store.list(service.head)
    wrote = _rendered(service, has, template, old, renderer, store, data)
    base = _known(store, has, wrote)
    theirs, messages = upgraded(service, has, template, new, renderer, store, data)
    if ask_secrets:
        secret.refuse_defaults(
            template.config(new), service.answers.values, data, base, theirs,
            lambda more: upgraded(service, has, template, new, renderer, store, {**data, **more},
                                  f"secret-{'-'.join(more)}")[0],
        )  # fmt: skip
    stage = functools.partial(
        migrations.stage, template=template, old=old, new=new, answers_file=service.answers.path,
        runner=renderer, store=store,
    )  # fmt: skip
    ours, said_before = stage(migrations.BEFORE, has, rendering=store.folder / "old" / service.name)
    given = _answers_in(service, template, new, theirs, store)
    owner = Ownership(template.config(new), given)
    leave_out = template.rules(new).leave_out
    base, ours, parked = migrations.set_aside(store, base, has, ours, theirs)
    if run_tasks:
        done = tasks.run(service, template, new, renderer, store, data, base, ours | parked, theirs, owner)
        say = "task run"
    else:
        done = tasks.Done(tasks.listed(service, template, new, renderer, store, data), theirs)
        say = "task that apply runs"
    result = merge.merge(store, base, ours, done.theirs, owner, service.answers.path, leave_out)
    result.tree |= parked | done.own
    left_out = _leave_ignored_out(store, has, result)
    merged = result.tree
    result.tree, said_after = stage(migrations.AFTER, merged, rendering=store.folder / "new" / service.name)
    _follow_migrated(store, result, merged)
    migrated = {*_differ(has, ours | parked), *_differ(merged, result.tree)}
    reasons = {**dict.fromkeys(result.by_keys, structured.REASON), **dict.fromkeys(done.touched, tasks.REASON),
               **dict.fromkeys(migrated, MIGRATED)}  # fmt: skip
    changes = list(_changes(base, has, done.theirs, result, migrated, reasons))
    differ = {
        name: (service.answers.values.get(name), given.get(name))
        for name in sorted({*service.answers.values, *given})
        if service.answers.values.get(name) != given.get(name)
    }
    notes = []
    if base.get(service.answers.path) != has[service.answers.path]:
        notes.append(f"{service.answers.path} is not as {old} of the template wrote it: it was edited by hand")
    notes += [f"the template says: {line}" for line in messages]
    notes += [f"the template reads {path} (_external_data), which is not committed: it has nothing of it"
              for path in _external(service, template.config(new)) if path not in has]  # fmt: skip
    notes += ignored.note([path for path in left_out if wrote.get(path) != done.theirs.get(path)])
    notes += [f"{say}: {_short(command)}" for command in done.commands]
    notes += done.notes
    notes += [f"migration: {line}" for line in (*said_before, *said_after)]
    said = changelog.between(template.file(new, "CHANGELOG.md"), old, new, given)
    if not said:
        said = "\n".join(f"- {line}" for line in template.subjects(old, new)[:50])
    return Plan(old, new, changes, result.tree, differ, notes, said, _risk(old, new, changes, bool(differ)))


def _short(command: str) -> str:
    first, *more = command.strip().splitlines() or [""]
    return f"{first[:COMMAND]}{' ...' if more or len(first) > COMMAND else ''}"


def _leave_ignored_out(store: Store, has: Tree, result: merge.Result) -> set[str]:
    """Take out what the service's rules ignore and it has not committed; ``git add`` would not take it either."""
    new = {*result.tree, *result.kept, *result.conflicts} - set(has)
    found = ignored.ignored(store, result.tree, new)
    result.tree = {path: entry for path, entry in result.tree.items() if path not in found}
    result.kept = {path: reason for path, reason in result.kept.items() if path not in found}
    result.conflicts = {path: one for path, one in result.conflicts.items() if path not in found}
    return found


def _follow_migrated(store: Store, result: merge.Result, merged: Tree) -> None:
    """Let a conflict name the file's new path, where a migration moved it after the merge."""
    if result.tree is merged or not result.conflicts:
        return
    moved = renames.find(store, merged, result.tree).moved
    result.conflicts = {moved.get(path, path): one for path, one in result.conflicts.items()}


def rendering(
    service: Service, has: Tree, template: Template, version: str, renderer: Renderer, store: Store,
    data: Mapping[str, str],
) -> Tree:  # fmt: skip
    """Render the version that a service has, with the answers that it has.

    Returns:
        What it wrote, without what the service ignores and has not committed: that it did not delete.

    Raises:
        FleetError: it cannot be rendered, for example since an answer was edited by hand to what is not accepted.
    """
    return _known(store, has, _rendered(service, has, template, version, renderer, store, data))


def _known(store: Store, has: Tree, wrote: Tree) -> Tree:
    unknown = ignored.ignored(store, has, set(wrote) - set(has))
    return {path: entry for path, entry in wrote.items() if path not in unknown}


def _rendered(
    service: Service, has: Tree, template: Template, version: str, renderer: Renderer, store: Store,
    data: Mapping[str, str],
) -> Tree:  # fmt: skip
    folder = _folder(store, "old", service, has, template, version)
    unsaved = {name: value for name, value in data.items()
               if name in template.config(version).questions and name not in service.answers.values}  # fmt: skip
    given = {**service.answers.values, **unsaved}
    return renderer.tree(template, version, folder, service.answers.path, given, store)[0]


def upgraded(
    service: Service, has: Tree, template: Template, version: str, renderer: Renderer, store: Store,
    data: Mapping[str, Any], side: str = "new",
) -> tuple[Tree, list[str]]:  # fmt: skip
    """Render another version; answers that it does not know or accept any more are left behind, as Copier does.

    Returns:
        What it writes, and what the template says to who upgrades.
    """
    folder = _folder(store, side, service, has, template, version)
    file = folder / service.answers.path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(service.answers.content)
    return renderer.tree(template, version, folder, service.answers.path, dict(data), store)


def _folder(store: Store, side: str, service: Service, has: Tree, template: Template, version: str) -> Path:
    """Make the folder for a rendering, with the files of the service that the template reads (``_external_data``)."""
    folder = store.folder / side / service.name
    folder.mkdir(parents=True)
    config = template.config(version)
    others = [name for name in has if answers.PATTERN.fullmatch(name)] if config.external else []
    for name in (*_external(service, config), *others):
        if name in has and has[name].kind == FILE and name != service.answers.path and ".." not in name.split("/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(store.read(has[name].blob))
    return folder


def _external(service: Service, config: Config) -> list[str]:
    """The files of the service that a template reads, as far as the answers say which."""
    return [posixpath.normpath(path) for path in rendered(config.external, config, service.answers.values)]


def _answers_in(service: Service, template: Template, new: str, theirs: Tree, store: Store) -> dict[str, Any]:
    found = answers.parse(service.answers.path, store.read(theirs[service.answers.path].blob))
    if template.commit(found.version) != template.commit(new):
        raise FleetError(f"version {new} of the template does not write {service.answers.path}", Exit.TEMPLATE)
    return found.values


def _differ(old: Tree, new: Tree) -> set[str]:
    return {path for path in {*old, *new} if old.get(path) != new.get(path)} if old is not new else set()


def _changes(
    base: Tree, ours: Tree, theirs: Tree, result: merge.Result, migrated: Set[str], reasons: Mapping[str, str]
) -> list[Change]:
    changes = {}
    moved = {
        new: old for new, old in result.moved.items() if new not in ours and old in ours and old not in result.tree
    }
    for path in {*ours, *result.tree} - set(moved.values()):
        source = moved.get(path, "")
        before, after = ours.get(source or path), result.tree.get(path)
        if before == after and not source:
            continue
        if before is None:
            status = NEW
        elif after is None:
            status = DROPPED
        else:
            untouched = base.get(source or path) == before or after == theirs.get(path)
            status = CLEAN if untouched else MERGED
        changes[path] = Change(path, status, reasons.get(path, ""), source, before, after)
    for path, reason in result.kept.items():
        if path in migrated:
            continue
        changes[path] = Change(path, KEPT, reason, "", ours.get(path), ours.get(path),
                               result.missed.get(path) or theirs.get(path))  # fmt: skip
    for path, one in result.conflicts.items():
        source = moved.get(path, "")
        changes[path] = Change(
            path, CONFLICT, one.reason, source, ours.get(source or path), result.tree.get(path), one.theirs
        )
    return [changes[path] for path in sorted(changes)]


def _risk(old: str, new: str, changes: Sequence[Change], asked: bool) -> str:
    """High: a conflict, or a new major version. Medium: files merged or dropped, or other answers. Low: all else."""
    low, high = versions.parse(old), versions.parse(new)
    statuses = {change.status for change in changes}
    if CONFLICT in statuses or (low and high and low.major != high.major):
        return HIGH
    return MEDIUM if asked or statuses & {MERGED, DROPPED} else LOW
