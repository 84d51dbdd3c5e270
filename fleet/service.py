"""A service's repository, as its last commit has it; the work tree is not looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from fleet import answers, git
from fleet.errors import Exit, FleetError

ATTRIBUTES = ".gitattributes"


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
    opened, names = _open(path)
    found = answers.find(names, answers_file)
    attributes, content = _contents(opened, names, ATTRIBUTES, found)
    return replace(opened, attributes=attributes, answers=answers.parse(found, content))


def without_answers(path: Path) -> tuple[Service, list[str]]:
    """Open a repository that may have no answers file.

    Args:
        path: its root.

    Returns:
        The repository, with empty answers, and the names at its root.

    Raises:
        FleetError: it is no repository, or has no commit.
    """
    opened, names = _open(path)
    return replace(opened, attributes=_contents(opened, names, ATTRIBUTES)[0]), names


def _head(path: Path, size: int) -> tuple[str, str, list[str]]:
    """The last commit, its date, and the names at its root."""
    answer = git.run("cat-file", "--batch", cwd=path, data=b"HEAD^{commit}\nHEAD^{tree}\n")
    facts, _, answer = answer.partition(b"\n")
    if facts.endswith(b" missing"):
        raise git.GitError("cat-file", "there is no commit")
    key, _, length = facts.split(b" ")
    dated = re.search(rb"^committer .*> (\d+ [+-]\d{4})$", answer[: int(length)].partition(b"\n\n")[0], re.MULTILINE)
    date = dated[1].decode() if dated else "0 +0000"
    facts, _, tree = answer[int(length) + 1 :].partition(b"\n")
    if facts.endswith(b" missing"):
        raise git.GitError("cat-file", "its last commit has no tree")
    tree, names = tree[: int(facts.split(b" ")[2])], []
    while tree:
        name, _, tree = tree.partition(b"\0")
        names.append(name.partition(b" ")[2].decode(errors="surrogateescape"))
        tree = tree[size:]
    return key.decode(), date, names


def _contents(opened: Service, names: list[str], *wanted: str) -> list[bytes]:
    """What files at the root hold, with one git for all; empty where there is none, or no file."""
    asked = [name for name in wanted if name in names and "\n" not in name]
    if not asked:
        return [b""] * len(wanted)
    lines = "".join(f"{opened.head}:{name}\n" for name in asked).encode(errors="surrogateescape")
    answer, at, found = git.run("cat-file", "--batch", cwd=opened.path, data=lines), 0, dict.fromkeys(wanted, b"")
    for name in asked:
        end = answer.index(b"\n", at)
        facts = answer[at:end].split(b" ")
        at = end + 1
        if facts[-1].isdigit():
            size = int(facts[-1])
            found[name] = answer[at : at + size] if facts[1] == b"blob" else b""
            at += size + 1
    return [found[name] for name in wanted]


def _open(path: Path) -> tuple[Service, list[str]]:
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
        head, date, names = _head(path, 32 if form == "sha256" else 20)
    except git.GitError as error:
        raise git.refuse(
            error, f"{path} has no commit that can be read: commit the service first", Exit.REPOSITORY
        ) from None
    complete(path, Path(common), head)
    opened = Service(path, Path(common), Path(objects), head, date, form == "sha256", bare == "true", b"", answers.NONE)
    return opened, names


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
