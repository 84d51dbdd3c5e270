"""The one way in which the engine writes to a repository: objects first, then a branch, at once."""

from __future__ import annotations

from golden_path.errors import Exit, FleetError
from golden_path.store import git, packs
from golden_path.store.reader import LargeError, MissingError, Reader
from golden_path.store.service import LARGEST, Service
from golden_path.store.trees import EMAIL, Store

PREFIX = "golden-path/"
TAKEN = PREFIX.rstrip("/")  # a branch of this name leaves no room for ours
EARLIER = "template/update-"  # what 'make template-update' of 0.1.0 called its branches
DEFAULT_ANSWERS = (".copier-answers.yml", ".copier-answers.yaml")


def name(service: Service, version: str, kind: str = "") -> str:
    """Return the name of the branch of an upgrade.

    Args:
        service: the repository.
        version: the version it goes to.
        kind: ``revert-`` for the way back.
    """
    layer = ""
    if service.answers.path not in DEFAULT_ANSWERS:
        layer = (
            service.answers.path.removeprefix(".copier-answers.").rsplit(".", 1)[0].replace("/", "-").strip(".") + "-"
        )
    return f"{PREFIX}{kind}{layer}{version}"


def tip(service: Service, branch: str, reading: Reader | None = None) -> str:
    """Return the commit of a branch; empty where there is none.

    Args:
        service: the repository.
        branch: its name.
        reading: the repository's reader, where the caller has one.
    """
    try:
        if reading:
            return reading.find(f"refs/heads/{branch}^{{commit}}", b"commit", LARGEST)[0]
    except MissingError:
        return ""
    except LargeError:
        pass
    return git.text(
        "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}", cwd=service.path, codes=(0, 1)
    )


def earlier(service: Service) -> list[str]:
    """Return the branches of upgrades that engines of before have left, here and as the remotes had them."""
    return git.text(
        "for-each-ref", "--format=%(refname:short)", f"refs/heads/{EARLIER}*", f"refs/remotes/*/{EARLIER}*",
        cwd=service.path,
    ).splitlines()  # fmt: skip


def ours_alone(service: Service, commit: str) -> bool:
    """Whether all commits of a branch that HEAD has not are the engine's."""
    emails = git.text("log", "--format=%ce", commit, f"^{service.head}", cwd=service.path).split()
    return all(email == EMAIL for email in emails)


def refuse_if_somebodys(service: Service, branch: str, commit: str) -> None:
    """Stop where a branch holds a person's work, or is checked out.

    Raises:
        FleetError: it does, or is.
    """
    if not ours_alone(service, commit):
        raise FleetError(
            f"the branch {branch} has commits of a person's: merge it, or delete it with 'git branch -D {branch}'",
            Exit.REPOSITORY,
        )
    place = git.text("for-each-ref", "--format=%(worktreepath)", f"refs/heads/{branch}", cwd=service.path)
    if place:
        raise FleetError(f"the branch {branch} is checked out in {place}: switch to another one first", Exit.REPOSITORY)


def put(service: Service, branch: str, commit: str, old: str, store: Store) -> None:
    """Write a commit and let a branch name it; whoever interrupts this leaves the branch as it was, or complete.

    Args:
        service: the repository.
        branch: its name.
        commit: in the store.
        old: the commit that the branch has now; empty where there is no branch.
        store: that holds what the commit needs.

    Raises:
        FleetError: the repository cannot be written, or the branch was moved meanwhile.
    """
    pack = packs.pack(store, commit, service.head)
    try:
        git.run("-c", "core.fsync=all", "unpack-objects", "-q", cwd=service.path, data=pack)
        git.run("update-ref", "-m", "golden-path", f"refs/heads/{branch}", commit, old, cwd=service.path)
    except git.GitError as error:
        reason = "is the disk full, or the repository read-only?"
        if tip(service, TAKEN):
            reason = f"a branch {TAKEN!r} takes the place of its folder: rename it, git branch -m {TAKEN} NAME"
        raise git.refuse(error, f"the branch {branch} cannot be written: {reason}", Exit.REPOSITORY) from None


def delete(service: Service, branch: str, commit: str) -> None:
    """Remove a branch that still names a commit.

    Raises:
        FleetError: it cannot be removed.
    """
    try:
        git.run("update-ref", "-d", f"refs/heads/{branch}", commit, cwd=service.path)
    except git.GitError as error:
        raise git.refuse(error, f"the branch {branch} cannot be removed", Exit.REPOSITORY) from None
