"""Make the branch of an upgrade: one commit on what is committed, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from fleet import branches, cache, git, message, moved, plan, service
from fleet.errors import Exit, FleetError
from fleet.render import Renderer
from fleet.service import Service
from fleet.template import Template, Templates
from fleet.trees import EMAIL, Store

NAMED = 5  # files in an error
CREATED, THERE, CURRENT = "created", "there already", "nothing to do"


@dataclass(frozen=True)
class Outcome:
    """What ``apply`` did.

    Attributes:
        status: one of ``created``, ``there already``, ``nothing to do``.
        plan: the upgrade; without changes where nothing was computed.
        branch: its name; empty where there is none.
        commit: of the branch.
        dirty: whether the work tree has changes that are not in the branch.
        moved: a line, where the tag of the version that the service has names another commit now.
    """

    status: str
    plan: plan.Plan
    branch: str = ""
    commit: str = ""
    dirty: bool = False
    moved: str = ""


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
    busy = f"another golden-path works on {path}: wait for its end"
    with cache.locked(service.folder_to_lock(path), wait=False, message=busy):
        opened = service.load(path, answers_file)
        dirty = service.uncommitted(opened)
        if checkout and (dirty or opened.bare):
            raise FleetError("--checkout needs a work tree without uncommitted changes: commit or stash them",
                             Exit.REPOSITORY)  # fmt: skip
        template = (templates or Templates()).get(opened.answers.source)
        done = _bring(opened, template, renderer, to, data or {}, dirty=dirty, checkout=checkout)
        if checkout and done.branch:
            _switch(opened, done.branch)
        return replace(done, moved=moved.line(opened, template))


def _bring(
    opened: Service, template: Template, renderer: Renderer, to: str, data: Mapping[str, str], *,
    dirty: bool, checkout: bool,
) -> Outcome:  # fmt: skip
    old = opened.answers.version
    new = plan.target(template, old, to)
    if new == old:
        return Outcome(CURRENT, plan.Plan(old, new), dirty=dirty)
    branch = branches.name(opened, new)
    tip = branches.tip(opened, branch)
    if tip and not data and _stands_on_head(opened, tip):
        return Outcome(THERE, plan.Plan(old, new), branch, tip, dirty)
    if tip:
        branches.refuse_if_somebodys(opened, branch, tip)
    with Store(opened.objects, opened.attributes, sha256=opened.sha256) as store:
        planned = plan.compute(opened, template, new, renderer, store, data)
        if checkout:
            _refuse_in_the_way(opened, planned)
        text = message.upgrade(opened, planned, store, template.commit(new))
        commit = store.commit(store.write(planned.tree), opened.head, message=text.encode(), date=opened.date)
        if commit == tip:
            return Outcome(THERE, planned, branch, tip, dirty)
        branches.put(opened, branch, commit, tip, store)
    return Outcome(CREATED, planned, branch, commit, dirty)


def _refuse_in_the_way(opened: Service, planned: plan.Plan) -> None:
    """Stop where a file that no commit has stands in the place of one that the branch adds, before it is made."""
    added = (one.path for one in planned.changes if one.after and (one.before is None or one.source))
    known = [name for name in added if _stands(opened.path, name)]
    if known:
        more = f" and {len(known) - NAMED} more" if len(known) > NAMED else ""
        raise FleetError(
            f"--checkout would overwrite files that are in no commit: {', '.join(known[:NAMED])}{more}: move them "
            "away, or leave --checkout out",
            Exit.REPOSITORY,
        )


def _stands(root: Path, name: str) -> bool:
    """Whether something is in the place of a file, or in that of one of its folders."""
    *folders, _ = name.split("/")
    for number in range(1, len(folders) + 1):
        place = root.joinpath(*folders[:number])
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            return not _committed(root, "/".join(folders[:number]))
    place = root / name
    return place.is_symlink() or (place.exists() and not place.is_dir())  # of a folder, git sees what is in it


def _committed(root: Path, name: str) -> bool:
    return bool(git.text("ls-files", "-z", "--", f":(literal){name}", cwd=root))


def _switch(opened: Service, branch: str) -> None:
    try:
        git.switch(opened.path, branch)
    except git.GitError as error:
        raise git.refuse(
            error, f"the branch {branch} is there, but the work tree stays as it was: git cannot switch to it",
            Exit.REPOSITORY,
        ) from None  # fmt: skip


def _stands_on_head(opened: Service, tip: str) -> bool:
    """Whether a branch is an upgrade of just what is committed, with or without commits of a person's on top."""
    added = git.text("rev-list", "--first-parent", "--reverse", tip, f"^{opened.head}", cwd=opened.path).split()
    if not added:
        return False
    facts = git.text("log", "-1", "--format=%ce %P", added[0], cwd=opened.path).split()
    return facts == [EMAIL, opened.head]
