"""A service's repository, as its last commit has it; the work tree is not looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from fleet import answers, committed, git
from fleet.errors import Exit, FleetError


@dataclass(frozen=True)
class Service:
    """A repository with an answers file.

    Attributes:
        path: its folder.
        common: its git folder.
        objects: its object folder.
        head: the last commit.
        date: of that commit, in git's raw form: seconds since 1970 and the time zone.
        sha256: whether it is of git's newer format.
        bare: whether it has no work tree.
        attributes: its ``.gitattributes``.
        answers: what its answers file says.
    """

    path: Path
    common: Path
    objects: Path
    head: str
    date: str
    sha256: bool
    bare: bool
    attributes: bytes
    answers: answers.Answers

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.path.name.removesuffix(".git") or "service"


def folder_to_lock(path: Path) -> Path:
    """Return the git folder of a repository, which all its work trees share.

    Args:
        path: its root.

    Raises:
        FleetError: it is no repository.
    """
    if not path.is_dir():
        raise FleetError(f"{path}: there is no such folder", Exit.REPOSITORY)
    try:
        return Path(git.text("rev-parse", "--path-format=absolute", "--git-common-dir", cwd=path))
    except git.GitError as error:
        raise git.refuse(error, f"{path} is not a git repository that can be read", Exit.REPOSITORY) from None


def load(path: Path, answers_file: str = "") -> Service:
    """Open a repository.

    Args:
        path: its root.
        answers_file: which answers file, where there are several.

    Raises:
        FleetError: it is no repository, has no commit, or no usable answers file.
    """
    opened, names = without_answers(path)
    found = answers.find(names, answers_file)
    content = committed.read(opened.path, opened.head, found, Exit.ANSWERS)
    return replace(opened, answers=answers.parse(found, content or b""))


def without_answers(path: Path) -> tuple[Service, list[str]]:
    """Open a repository that may have no answers file.

    Args:
        path: its root.

    Returns:
        The repository, with empty answers, and the names at its root.

    Raises:
        FleetError: it is no repository, or has no commit.
    """
    path = path.resolve()
    if not path.is_dir():
        raise FleetError(f"{path}: there is no such folder", Exit.REPOSITORY)
    ask = ("rev-parse", "--path-format=absolute")
    try:
        facts = git.text(*ask, "--git-common-dir", "--git-path", "objects", "--show-object-format",
                         "--is-bare-repository", "--show-cdup", cwd=path).split("\n")  # fmt: skip
    except git.GitError as error:
        raise git.refuse(error, f"{path} is not a git repository that can be read", Exit.REPOSITORY) from None
    common, objects, form, bare, up = facts[0], facts[1], facts[2], facts[3], "".join(facts[4:])
    if up and Path(path, up).resolve() != path:
        raise FleetError(f"{path} is not the root of its repository: name {Path(path, up).resolve()}", Exit.REPOSITORY)
    try:
        asked = git.text("log", "-1", "--format=%H %cd", "--date=raw", "--no-show-signature", "HEAD", cwd=path)
        head, _, date = asked.partition(" ")
        date = date or "0 +0000"  # git shows none that it cannot read
        names = git.text("ls-tree", "-z", "--name-only", head, cwd=path).split("\0")
    except git.GitError as error:
        raise git.refuse(
            error, f"{path} has no commit that can be read: commit the service first", Exit.REPOSITORY
        ) from None
    attributes = b""
    if ".gitattributes" in names:
        attributes = committed.read(path, head, ".gitattributes", Exit.REPOSITORY) or b""
    opened = Service(
        path, Path(common), Path(objects), head, date, form == "sha256", bare == "true", attributes, answers.NONE
    )
    return opened, names


def uncommitted(service: Service) -> bool:
    """Whether tracked files have changes that are not committed."""
    if service.bare:
        return False
    return bool(git.text("status", "--porcelain", "--untracked-files=no", cwd=service.path))
