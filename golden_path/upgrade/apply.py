"""Make the branch of an upgrade: one commit on what is committed, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from golden_path.errors import Exit, FleetError
from golden_path.rendering.render import Renderer
from golden_path.source.template import Template, Templates
from golden_path.store import branches, cache, git, in_the_way, service
from golden_path.store.reader import Reader
from golden_path.store.service import Service
from golden_path.store.trees import EMAIL
from golden_path.upgrade import message, moved, plan
from golden_path.upgrade.upgrade import between

NAMED = 5  # files in an error
CREATED, THERE, CURRENT = "created", "exists", "current"


@dataclass(frozen=True)
class Outcome:
    """What ``apply`` did.

    Attributes:
        status: one of ``created``, ``exists``, ``current`` (nothing to do).
        plan: the upgrade; without changes where nothing was computed.
        branch: its name; empty where there is none.
        commit: of the branch.
        dirty: whether the work tree has changes that are not in the branch.
        in_the_way: files that are in no commit, and that a switch to the branch would overwrite.
        moved: a line, where the tag of the version that the service has names another commit now.
        earlier: branches of earlier engines, which nobody needs any more.
    """

    status: str
    plan: plan.Plan
    branch: str = ""
    commit: str = ""
    dirty: bool = False
    in_the_way: Sequence[str] = ()
    moved: str = ""
    earlier: Sequence[str] = ()


def apply(
    path: Path,
    renderer: Renderer,
    templates: Templates | None = None,
    *,
    to: str = "",
    data: Mapping[str, str] | None = None,
    answers_file: str = "",
    checkout: bool = False,
) -> Outcome:
    """Bring a version of the template into a branch of a service.

    Args:
        path: the root of the repository.
        renderer: a worker.
        templates: those that are known, where this is one service of many.
        to: the version; the newest where there is none given.
        data: answers.
        answers_file: which, where there are several.
        checkout: switch the work tree to the branch afterwards.

    Raises:
        FleetError: it cannot be done; the repository is as before.
    """
    busy = f"another golden-path process is using {path}: try again when it has finished"
    at = service.place(path)
    with cache.locked(at.common, wait=False, message=busy), service.reader(at) as reading:
        opened = service.load(at, answers_file, reading)
        dirty = service.uncommitted(opened)
        if checkout and (dirty or opened.bare):
            raise FleetError("--checkout needs a work tree without uncommitted changes: commit or stash them",
                             Exit.REPOSITORY)  # fmt: skip
        template = (templates or Templates()).get(opened.answers.source)
        done = _bring(opened, template, renderer, to, data or {}, reading, dirty=dirty, checkout=checkout)
        if checkout and done.branch:
            _switch(opened, done.branch)
        return replace(done, moved=moved.line(opened, template), earlier=branches.earlier(opened))


def _bring(
    opened: Service, template: Template, renderer: Renderer, to: str, data: Mapping[str, str], reading: Reader, *,
    dirty: bool, checkout: bool,
) -> Outcome:  # fmt: skip
    old = opened.answers.version
    new = plan.target(template, old, to)
    if new == old:
        return Outcome(CURRENT, plan.Plan(old, new), dirty=dirty)
    branch = branches.name(opened, new)
    tip = branches.tip(opened, branch, reading)
    if tip and not data and _stands_on_head(opened, tip):
        return Outcome(THERE, plan.Plan(old, new), branch, tip, dirty)
    if tip:
        branches.refuse_if_somebodys(opened, branch, tip)
    with between(opened, template.at(old), template.at(new), renderer, data) as upgrade:
        store = upgrade.store
        planned = plan.compute(upgrade, run_tasks=True)
        added = [one.path for one in planned.changes if one.after and (one.before is None or one.source)]
        lost = [] if opened.bare else in_the_way.uncommitted(opened.path, added)
        if checkout and lost:
            raise _would_overwrite(lost)
        text = message.upgrade(opened, planned, store, upgrade.new.commit)
        tree = store.write(planned.tree)
        commit = store.commit(tree, opened.head, message=text.encode(), date=opened.date)
        if tip and (commit == tip or _is(opened, tip, tree)):
            return Outcome(THERE, planned, branch, tip, dirty)
        branches.put(opened, branch, commit, tip, store)
    return Outcome(CREATED, planned, branch, commit, dirty, lost)


def _would_overwrite(lost: Sequence[str]) -> FleetError:
    more = f" and {len(lost) - NAMED} more" if len(lost) > NAMED else ""
    return FleetError(
        f"--checkout would overwrite files that are in no commit: {', '.join(lost[:NAMED])}{more}: move them away, or "
        "leave --checkout out",
        Exit.REPOSITORY,
    )


def _switch(opened: Service, branch: str) -> None:
    try:
        git.switch(opened.path, branch)
    except git.GitError as error:
        raise git.refuse(
            error, f"the branch {branch} is there, but the work tree stays as it was: git cannot switch to it",
            Exit.REPOSITORY,
        ) from None  # fmt: skip


def _is(opened: Service, tip: str, tree: str) -> bool:
    """Whether a branch is this upgrade already, although a migration said something else when it was made."""
    return git.text("rev-parse", f"{tip}^{{tree}}", f"{tip}^@", cwd=opened.path).split() == [tree, opened.head]


def _stands_on_head(opened: Service, tip: str) -> bool:
    """Whether a branch is an upgrade of just what is committed, with or without commits of a person's on top."""
    added = git.text("rev-list", "--first-parent", "--reverse", tip, f"^{opened.head}", cwd=opened.path).split()
    if not added:
        return False
    facts = git.text("log", "-1", "--format=%ce %P", added[0], cwd=opened.path).split()
    return facts == [EMAIL, opened.head]
