"""Bring a repository that no template wrote, or whose answers file is lost, into the fleet: a branch, or nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from golden_path.adopting import adopt_text, lost
from golden_path.adopting.adoption import (
    DIFFERS,
    NEW,
    NOTHING,
    SHOWN,
    Adoption,
    Outcome,
)
from golden_path.adopting.bringing import Bringing
from golden_path.errors import Exit, FleetError
from golden_path.rendering.render import Renderer
from golden_path.source import address
from golden_path.source.template import Templates
from golden_path.store import answers, branches, cache, committed, git, in_the_way, service
from golden_path.store.answers import Answers
from golden_path.store.service import Service
from golden_path.store.trees import Store, raw
from golden_path.untrusted import credentials
from golden_path.upgrade.apply import CREATED, THERE


def adopt(
    path: Path,
    renderer: Renderer,
    templates: Templates | None = None,
    *,
    source: str = "",
    to: str = "",
    data: Mapping[str, str] | None = None,
    answers_file: str = "",
    wanted: Sequence[str] = (),
    only: Sequence[str] = (),
    show: bool = False,
) -> Outcome:
    """Bring a repository into the fleet; or, with ``only``, more of the template into one that is there.

    Args:
        path: the root of the repository.
        renderer: a worker.
        templates: those that are known, where this is one repository of many.
        source: the template; that of a lost answers file where there is none given.
        to: the version of it; the one that the repository is most like where there is none given.
        data: answers, which come before those that are found.
        answers_file: how to call it; as the template does where nothing is given.
        wanted: patterns of files that come though they would be left out.
        only: names of parts; those that they need come, too. All where there is none.
        show: change nothing; compute the differences.

    Raises:
        FleetError: it cannot be done; the repository is as before.
    """
    busy = f"another golden-path process is using {path}: try again when it has finished"
    at = service.place(path)
    with cache.locked(at.common, wait=False, message=busy):
        opened, names = service.without_answers(at)
        if only and (there := _adopted(opened, names, answers_file, source)):
            opened = service.load(at, there)
            if data or to not in ("", opened.answers.version):
                raise FleetError(
                    f"the repository has {opened.answers.version}, and its answers: first golden-path apply, with --to "
                    "and --data, then adopt --only without both",
                    Exit.USAGE,
                )
            template = (templates or Templates()).get(opened.answers.source)
            with Store(opened.objects, opened.attributes, sha256=opened.sha256) as store:
                adding = Bringing(opened, template, renderer, store, {}, opened.answers, wanted, only).more()
                return _write(opened, adding, store, show=show)
        before = lost.find(opened, answers_file)
        origin = _source(source, before)
        template = (templates or Templates()).get(origin)
        target = to or template.newest()
        name = answers_file or (before.path if before else template.at(target).config.answers_file)
        _refuse_adopted(opened, names, name, origin)
        if before and address.fetched(before.source) != address.fetched(origin):
            before = None
        found = Answers(name, origin, target, {}, b"")
        with Store(opened.objects, opened.attributes, sha256=opened.sha256) as store:
            ready = replace(opened, answers=found)
            adoption = Bringing(ready, template, renderer, store, data or {}, before, wanted, only).run(to)
            done = replace(opened, answers=replace(found, version=adoption.version))
            return _write(done, adoption, store, show=show)


def _write(opened: Service, adoption: Adoption, store: Store, *, show: bool) -> Outcome:
    dirty = service.uncommitted(opened)
    branch = branches.name(opened, adoption.version, "-".join(["adopt", *adoption.parts, ""]))
    if adoption.parts and not any(one.status == NEW for one in adoption.files):
        return Outcome(NOTHING, adoption, "", dirty=dirty)
    if show:
        diffs = {one.path: store.diff(one.ours, one.theirs) for one in adoption.files if one.status in (DIFFERS, NEW)}
        return Outcome(SHOWN, adoption, branch, diffs=diffs, dirty=dirty)
    text = adopt_text.message(adoption)
    commit = store.commit(store.write(adoption.tree), opened.head, message=raw(text), date=opened.date)
    tip = branches.tip(opened, branch)
    added = [one.path for one in adoption.files if one.status == NEW]
    lost = [] if opened.bare else in_the_way.uncommitted(opened.path, [*added, adoption.answers_file])
    if tip and commit in git.text("rev-list", tip, f"^{opened.head}", cwd=opened.path).split():
        return Outcome(THERE, adoption, branch, tip, dirty=dirty, in_the_way=lost)
    if tip:
        branches.refuse_if_somebodys(opened, branch, tip)
    branches.put(opened, branch, commit, tip, store)
    return Outcome(CREATED, adoption, branch, commit, dirty=dirty, in_the_way=lost)


def _source(source: str, before: Answers | None) -> str:
    if not source and not before:
        raise FleetError("name the template with --template: the history has no answers file either", Exit.USAGE)
    if not source and before:
        return before.source
    if reason := credentials.reason(source):
        raise FleetError(f"--template {reason}", Exit.USAGE)
    return _local(source)


def _local(source: str) -> str:
    """Return the whole path of a template on this machine, as an answers file has it; other addresses as they are."""
    local = Path(source).expanduser()
    return str(local.resolve()) if source and local.is_dir() else source


def _adopted(opened: Service, names: Collection[str], wanted: str, source: str) -> str:
    """Return the answers file that a repository has of a template; of any, where none is named."""
    source = _local(source)
    for name in sorted(name for name in names if answers.PATTERN.fullmatch(name) or name == wanted):
        there = answers.parse(name, committed.read(opened.path, opened.head, name, Exit.ANSWERS) or b"")
        if wanted in ("", name) and (not source or address.fetched(there.source) == address.fetched(source)):
            return name
    return ""


def _refuse_adopted(opened: Service, names: Collection[str], wanted: str, source: str) -> None:
    for name in sorted(name for name in names if answers.PATTERN.fullmatch(name) or name == wanted):
        content = committed.read(opened.path, opened.head, name, Exit.ANSWERS)
        there = answers.parse(name, content or b"")
        if name == wanted or address.fetched(there.source) == address.fetched(source):
            raise FleetError(
                f"{name} is there already: the repository has {there.version} of {there.source}; "
                "go on with golden-path plan",
                Exit.ANSWERS,
            )
