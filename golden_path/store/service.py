"""A service's repository, as its last commit has it; the work tree is not looked at."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from golden_path.errors import Exit, FleetError
from golden_path.store import answers, committed, git
from golden_path.store.reader import Reader

ATTRIBUTES = ".gitattributes"
LARGEST = 1 << 26  # bytes of a commit that is read at once
# Settings that git takes for programs when it fetches, or that let an address be one; and those of a partial clone.
_PROGRAM = re.compile(
    r"core\.(?:sshcommand|gitproxy|askpass)|credential\.(?:.+\.)?helper|remote\..+\.(?:uploadpack|vcs)|protocol\..*allow",
    re.DOTALL,
)
_DATE = re.compile(rb".*> ([1-9][0-9]{0,9} (?:\+[0-9]{4}|-(?!0000)[0-9]{4}))")
_PARTIAL = re.compile(r"\.(?:promisor|partialclone(?:filter)?)$")


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


class Place(NamedTuple):
    """Where a repository is.

    Attributes:
        path: its root.
        common: its git folder, which all its work trees share.
        objects: its object folder.
        sha256: whether it is of git's newer format.
        bare: whether it has no work tree.
    """

    path: Path
    common: Path
    objects: Path
    sha256: bool
    bare: bool


def place(path: Path) -> Place:
    """Find a repository.

    Args:
        path: its root.

    Raises:
        FleetError: it is no repository, or a folder in one.
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
    return Place(path, Path(common), Path(objects), form == "sha256", bare == "true")


def reader(at: Place) -> Reader:
    """Return what reads a repository, one git for all that is read from it.

    Args:
        at: where it is.

    Raises:
        FleetError: its own settings name a program that git would run.
    """
    _refuse_programs(at.path, at.common)
    return Reader(at.path, git.environment())


def load(path: Path | Place, answers_file: str = "", reading: Reader | None = None) -> Service:
    """Open a repository.

    Args:
        path: its root, or where it was found.
        answers_file: which answers file, where there are several.
        reading: its reader, where the caller has one.

    Raises:
        FleetError: it is no repository, has no commit, or no usable answers file.
    """
    at = path if isinstance(path, Place) else place(path)
    if reading is None:
        with reader(at) as one:
            return load(at, answers_file, one)
    opened, names = _opened(at, reading)
    found = find_answers(opened, names, answers_file)
    if found not in names:
        content = committed.read(opened.path, opened.head, found, Exit.ANSWERS) or b""
        return replace(_with_attributes(opened, names), answers=answers.parse(found, content))
    content, attributes = committed.bounded_content(reading, found, names[found], Exit.ANSWERS), b""
    if ATTRIBUTES in names:
        attributes = committed.bounded_content(reading, ATTRIBUTES, names[ATTRIBUTES], Exit.REPOSITORY)
    return replace(opened, attributes=attributes, answers=answers.parse(found, content))


def find_answers(opened: Service, names: Collection[str], wanted: str) -> str:
    """Choose the answers file of a repository, which is at its root, or where the user says.

    Args:
        opened: the repository.
        names: the files at its root.
        wanted: the one that the user named, also one in a folder.

    Raises:
        FleetError: there is none, or more than one and none was named.
    """
    place = PurePosixPath(wanted)
    if len(place.parts) > 1 and not place.is_absolute() and ".." not in place.parts:
        inside = git.text("ls-tree", "-r", "-z", "--name-only", opened.head, "--", str(place), cwd=opened.path)
        return answers.find(inside.split("\0"), str(place))
    return answers.find(list(names), str(place) if wanted else "", functools.partial(_answers_in_folders, opened))


def _answers_in_folders(opened: Service) -> list[str]:
    """The YAML files of the last commit that say where a template is."""
    found = git.text("grep", "-l", "-z", "-I", "-e", "^_src_path:", opened.head, "--", "*.yml", "*.yaml",
                     cwd=opened.path, codes=(0, 1))  # fmt: skip
    return sorted(name.partition(":")[2] for name in found.split("\0") if name)


def without_answers(path: Path | Place) -> tuple[Service, dict[str, committed.Listed]]:
    """Open a repository that may have no answers file.

    Args:
        path: its root, or where it was found.

    Returns:
        The repository, with empty answers, and what its last commit has at the root, by name.

    Raises:
        FleetError: it is no repository, or has no commit.
    """
    opened, names = _opened(path)
    return _with_attributes(opened, names), names


def _with_attributes(opened: Service, names: Mapping[str, committed.Listed]) -> Service:
    if ATTRIBUTES not in names:
        return opened
    content = committed.content(opened.path, ATTRIBUTES, names[ATTRIBUTES], Exit.REPOSITORY)
    return replace(opened, attributes=content)


def _opened(path: Path | Place, reading: Reader | None = None) -> tuple[Service, dict[str, committed.Listed]]:
    """Open a repository, without what its files say; with a reader, the names come without sizes."""
    at = path if isinstance(path, Place) else place(path)
    path = at.path
    _refuse_programs(path, at.common)
    try:
        head, date = (reading and _head(reading)) or _asked(path)
        complete(path, at.common, head)
        names = (reading and _names(reading, head)) or committed.root(path, head)
    except git.GitError as error:
        raise git.refuse(
            error, f"{path} has no commit that can be read: commit the service first", Exit.REPOSITORY
        ) from None
    opened = Service(path, at.common, at.objects, head, date, at.sha256, at.bare, b"", answers.NONE)
    return opened, names


def _asked(path: Path) -> tuple[str, str]:
    """The last commit and its date, as git says them."""
    asked = git.text("log", "-1", "--format=%H %cd", "--date=raw", "--no-show-signature", "HEAD", cwd=path)
    head, _, date = asked.partition(" ")
    return head, date or "0 +0000"  # git shows none that it cannot read


def _head(reading: Reader) -> tuple[str, str] | None:
    """The same; None where it is not as git writes it, and git has to say."""
    try:
        head, content = reading.find("HEAD^{commit}", b"commit", LARGEST)
    except FleetError:
        return None
    found = re.search(rb"\ncommitter (.*)\n", content.partition(b"\n\n")[0] + b"\n")
    date = _DATE.fullmatch(found[1]) if found else None
    return (head, date[1].decode()) if date else None


def _names(reading: Reader, head: str) -> dict[str, committed.Listed] | None:
    try:
        return committed.names(reading, head)
    except FleetError:
        return None  # git says why


def complete(path: Path, common: Path, *commits: str) -> None:
    """Fetch the files of some commits that a partial clone lacks, at once, as git does when somebody reads one.

    Args:
        path: the repository.
        common: its git folder.
        commits: of whose trees all is needed.

    Raises:
        FleetError: they cannot be fetched.
    """
    if not re.search(rb"promisor|partialclone", _settings(common), re.IGNORECASE):
        return
    remote = "its remote"
    try:
        trees = [git.text("rev-parse", "--verify", "--quiet", f"{one}^{{tree}}", cwd=path) for one in commits]
        for one in trees:
            git.run("ls-tree", "-r", "-t", one, cwd=path, reached_from=path)  # git fetches the folders that it lacks
        listed = git.text("rev-list", "--objects", "--missing=print", *trees, cwd=path)
        lacking = [line[1:] for line in listed.splitlines() if line.startswith("?")]
        if not lacking:
            return
        names = git.text("config", "--get-regexp", r"^remote\..*\.promisor$", cwd=path, codes=(0, 1)).splitlines()
        remote = names[0].partition(" ")[0].removeprefix("remote.").removesuffix(".promisor") if names else "origin"
        git.run(
            "-c", "fetch.negotiationAlgorithm=noop", "fetch", "--progress", "--no-tags", "--no-write-fetch-head",
            "--filter=blob:none", "--stdin", remote, cwd=path, data="\n".join(lacking).encode(), reached_from=path,
        )  # fmt: skip
    except git.GitError as error:
        raise git.refuse(
            error, f"{path} is a partial clone, and what it lacks cannot be fetched from {remote}: make {remote} "
            "reachable, then run again, or run 'git fetch --refetch --no-filter' there",
            Exit.REPOSITORY,
        ) from None  # fmt: skip


def _refuse_programs(path: Path, common: Path) -> None:
    """Refuse a partial clone that says itself by which program its remote is reached: git runs that for what it lacks.

    Raises:
        FleetError: it names one.
    """
    if not re.search(rb"promisor|partialclone|include|worktreeconfig", _settings(common), re.IGNORECASE):
        return
    listed = git.text("config", "--list", "--includes", "--show-scope", "--name-only", "-z", cwd=path).split("\0")
    names = {name for scope, name in zip(listed[::2], listed[1::2], strict=False) if scope in ("local", "worktree")}
    programs = sorted(name for name in names if _PROGRAM.fullmatch(name))
    if programs and any(_PARTIAL.search(name) for name in names):
        raise FleetError(
            f"{path} is a partial clone, and its own configuration says which program reaches its remote "
            f"({', '.join(programs)}), which is not run: if you trust it, move that to yours (git config --global)",
            Exit.REPOSITORY,
        )


def _settings(common: Path) -> bytes:
    """The text of a repository's own configuration files."""
    return b"".join(one.read_bytes() for one in common.glob("config*") if one.is_file())


def uncommitted(service: Service) -> bool:
    """Whether tracked files have changes that are not committed."""
    if service.bare:
        return False
    settings = _settings(service.common)
    settings += b"include" if service.common != service.path / ".git" else b""  # a work tree of its own: ask git
    try:
        return git.changed(service.path, settings)
    except git.GitError as error:
        raise git.refuse(error, f"the work tree {service.path} cannot be read", Exit.REPOSITORY) from None
