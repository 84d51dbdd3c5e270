"""The way back: remove an upgrade's branch that is not merged, or make a branch that takes a merged one back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from golden_path.errors import Exit, FleetError
from golden_path.merging import merge
from golden_path.source.config import Config
from golden_path.source.ownership import Ownership
from golden_path.store import answers, branches, cache, committed, git, service
from golden_path.store.service import Service
from golden_path.store.trees import Store
from golden_path.untrusted import foreign

REMOVED, REVERTED, THERE = "removed", "reverted", "exists"


@dataclass(frozen=True)
class Outcome:
    """What ``rollback`` did.

    Attributes:
        status: ``removed``, ``reverted`` or ``exists``.
        branches: those that it removed, or the one that it made.
        version: that the service goes back to.
        conflicts: files that were changed since; they are as they were.
    """

    status: str
    branches: tuple[str, ...]
    version: str
    conflicts: tuple[str, ...] = ()


def rollback(path: Path, *, answers_file: str = "") -> Outcome:
    """Go back.

    Args:
        path: the root of the repository.
        answers_file: which, where there are several.

    Raises:
        FleetError: there is nothing to take back, or a person's work would be lost; the repository is as before.
    """
    busy = f"another golden-path process is using {path}: try again when it has finished"
    at = service.place(path)
    with cache.locked(at.common, wait=False, message=busy):
        opened = service.load(at, answers_file)
        pending = _pending(opened)
        for branch, commit in pending.items():
            branches.refuse_if_somebodys(opened, branch, commit)
        for branch, commit in pending.items():
            branches.delete(opened, branch, commit)
        if pending:
            return Outcome(REMOVED, tuple(pending), opened.answers.version)
        return revert(opened)


def _pending(opened: Service) -> dict[str, str]:
    """The upgrade branches with something that HEAD has not, by name."""
    form = "%(refname:short) %(objectname)"
    listed = git.text("for-each-ref", f"--format={form}", "--no-merged", opened.head, f"refs/heads/{branches.PREFIX}",
                      cwd=opened.path)  # fmt: skip
    found = dict(line.rsplit(" ", 1) for line in listed.splitlines())
    revert = f"{branches.PREFIX}revert-"
    return {
        branch: commit
        for branch, commit in found.items()
        if not branch.startswith(revert) and not _merged(opened, commit)
    }


def _merged(opened: Service, commit: str) -> bool:
    """Whether HEAD has the version of a branch, although not its commit: it was squashed or rebased."""
    name = opened.answers.path
    content = committed.read(opened.path, commit, name, Exit.ANSWERS)
    return content is not None and answers.parse(name, content).version == opened.answers.version


def last_upgrade(opened: Service) -> tuple[str, str]:
    """Find the commit that brought the version of the template that HEAD has, merged in whichever way.

    Returns:
        Its id and its date; empty where the service has had no other version.
    """
    name = opened.answers.path
    changed = git.text(
        "log", "-1", "--first-parent", "-m", "--no-textconv", "--text", "-G^_commit: ", "--format=%H %P %cI",
        opened.head, "--", name, cwd=opened.path,
    ).split()  # fmt: skip
    if len(changed) < 3 or git.text("ls-tree", changed[1], "--", name, cwd=opened.path) == "":
        return "", ""
    return changed[0], changed[-1]


def revert(opened: Service) -> Outcome:
    """Make a branch that takes back the upgrade which brought the version that HEAD has.

    Raises:
        FleetError: there is no such upgrade, or the branch has a person's commits.
    """
    upgrade, _ = last_upgrade(opened)
    if not upgrade:
        raise FleetError("nothing to roll back: the service has had no upgrade that its history shows", Exit.REPOSITORY)
    name = opened.answers.path
    before = answers.parse(name, committed.read(opened.path, f"{upgrade}^", name, Exit.ANSWERS) or b"")
    branch = branches.name(opened, opened.answers.version, "revert-")
    service.complete(opened.path, opened.common, upgrade, f"{upgrade}^")
    with Store(opened.objects, opened.attributes, sha256=opened.sha256) as store:
        base, ours, theirs = (store.list(one) for one in (upgrade, opened.head, f"{upgrade}^"))
        nobody = Ownership(Config(frozenset(), (), (), {}, migrations=False), {})
        result = merge.merge(store, base, ours, theirs, nobody, name)
        conflicts = tuple(sorted(result.conflicts))
        versions = (foreign.words(opened.answers.version), foreign.words(before.version))
        lines = ["Take the template back from {} to {}".format(*versions), ""]
        lines += [f"Takes back {upgrade}. What was changed since stays."]
        lines += ["", "Not taken back, since you changed them as well:", ""] if conflicts else []
        lines += [f"- [ ] {foreign.code(path)}: {foreign.words(result.conflicts[path].reason)}" for path in conflicts]
        text = "\n".join(lines) + "\n"
        commit = store.commit(store.write(result.tree), opened.head, message=text.encode(), date=opened.date)
        tip = branches.tip(opened, branch)
        if tip == commit:
            return Outcome(THERE, (branch,), before.version, conflicts)
        if tip:
            branches.refuse_if_somebodys(opened, branch, tip)
        branches.put(opened, branch, commit, tip, store)
    return Outcome(REVERTED, (branch,), before.version, conflicts)
