"""The change of a template that is rehearsed, as a version of a repository beside the old ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from golden_path.errors import Exit, FleetError
from golden_path.source import versions
from golden_path.store import git

CHANGE = "the-change"  # the name of the version that is rehearsed


def copy(source: str, folder: Path, to: str, old: Sequence[str], last: int) -> tuple[Path, str, list[str]]:
    """Make a repository with the change as a branch, the old versions as they are named, and the objects of another.

    A change under review is often on no branch: CI checks out a commit. So the refs are our own.

    Args:
        source: the template: a repository's folder, or its address.
        folder: of the repository.
        to: the change: a commit, branch or tag of the template.
        old: versions that services have.
        last: how many releases before the change, where there are none given.

    Raises:
        FleetError: the template cannot be read, or has no such versions.

    Returns:
        The repository, the commit of the change, and the names of the old versions, oldest first.
    """
    local = Path(source).expanduser()
    try:
        if not local.is_dir():
            local = folder.with_name("clone")
            git.run("clone", "--quiet", "--bare", "--", source, local)
        objects = git.text("rev-parse", "--path-format=absolute", "--git-path", "objects", cwd=local)
        tags = dict(
            line.split(" ", 1)[::-1]
            for line in git.text("for-each-ref", "--format=%(objectname) %(refname:short)", "refs/tags", cwd=local)
            .splitlines()
        )  # fmt: skip
        change = _commit(local, to)
    except git.GitError as error:
        raise git.refuse(error, f"the template {source} cannot be read", Exit.TEMPLATE) from None
    wanted = list(old) or [tag for tag in versions.releases(tags) if _is_before(local, tag, change)][-last:]
    if not wanted:
        raise FleetError("the template has no release before the change: name a version with --from", Exit.TEMPLATE)
    git.run("init", "--quiet", "--bare", "--initial-branch", CHANGE, folder)
    (folder / "objects/info/alternates").write_text(f"{objects}\n", encoding="utf-8")
    refs = {f"refs/heads/{CHANGE}": change}
    refs |= {f"refs/tags/{name}": commit for name, commit in tags.items()}
    refs |= {f"refs/heads/from-{number}": _commit(local, name) for number, name in enumerate(wanted)}
    lines = "".join(f"create {name} {commit}\n" for name, commit in refs.items())
    git.run("update-ref", "--stdin", cwd=folder, data=lines.encode())
    return folder, change, [name if name in tags else _commit(local, name) for name in wanted]


def _commit(repository: Path, name: str) -> str:
    found = git.text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", cwd=repository,
                     codes=(0, 1, 128))  # fmt: skip
    if not found:
        raise FleetError(f"the template has no version {name!r}", Exit.TEMPLATE)
    return found


def _is_before(repository: Path, tag: str, change: str) -> bool:
    commit = _commit(repository, tag)
    base = git.text("merge-base", commit, change, cwd=repository, codes=(0, 1))
    return base == commit and commit != change
