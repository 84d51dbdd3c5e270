"""Rules on dependencies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from golden_path.doctor import locks, manifests, requirements
from golden_path.doctor.locks import folder
from golden_path.doctor.manifests import GRADLE, PYTHON_LOCKS, Kind
from golden_path.doctor.repository import Repository
from golden_path.doctor.rules import ERROR, WARNING, Found, rule

_SETTINGS = ("settings.gradle", "settings.gradle.kts")


@rule("GP301", ERROR, "The dependencies are locked.", "the next build may get others", policy="R004")
def locked(repository: Repository) -> Iterator[Found]:
    """A manifest with dependencies and no lock file, and a requirements.txt that leaves versions open."""
    loose = {one.path: one for one in _loose(repository)}
    yield from loose.values()
    told = {folder(path) for path in loose}
    for kind in manifests.KINDS:
        for path in repository.shipped(*kind.files):
            if kind.locks[0] in PYTHON_LOCKS and folder(path) in told:
                continue  # said of its requirements.txt
            if _locked(repository, kind, path) or not manifests.wanted(kind, repository, path):
                continue
            told |= {folder(path)} if kind.locks[0] in PYTHON_LOCKS else set()
            names = ", ".join(kind.locks[:3])
            yield Found(path, 1, f"has dependencies and no lock file ({names}): make one, commit it")


@rule("GP302", ERROR, "The lock file is of this manifest.", "a build stops, or takes what nobody chose")
def lock_matches(repository: Repository) -> Iterator[Found]:
    """Dependencies that the lock file does not know."""
    for lock in repository.shipped(*locks.MATCHES):
        if lock.endswith("requirements.txt") and _other_locks(repository, lock):
            continue  # then it is an export, for something else
        manifest, missing = locks.missing(repository, lock)
        if missing:
            names = ", ".join(missing[:3]) + (" and more" if len(missing) > 3 else "")
            wants = manifest.rpartition("/")[2]
            yield Found(lock, 0, f"does not have what {wants} wants ({names}): lock again")


@rule("GP303", WARNING, "A lock of Python's has hashes.", "without them a mirror can send another file")
def hashed(repository: Repository) -> Iterator[Found]:
    """Requirements without a hash, in a requirements.txt that is the only lock, and is one."""
    for path in _requirements(repository):
        lines = requirements.read(repository, path)
        bare = [line for line in lines if not line.hashed]
        if bare and all(line.exact for line in lines):
            more = f" and {len(bare) - 1} more" if len(bare) > 1 else ""
            message = f"{bare[0].text}{more} has no hash: lock with hashes (uv pip compile)"
            yield Found(bare[0].path, bare[0].number, message)


def _loose(repository: Repository) -> Iterator[Found]:
    for path in _requirements(repository):
        loose = [line for line in requirements.read(repository, path) if not line.exact]
        if loose:
            more = f" and {len(loose) - 1} more" if len(loose) > 1 else ""
            message = f"{loose[0].text}{more} has no exact version: lock with versions and hashes (uv pip compile)"
            yield Found(loose[0].path, loose[0].number, message)


def _requirements(repository: Repository) -> list[str]:
    """The requirements files that nothing includes, where there is no other lock."""
    paths = repository.shipped(*requirements.FILES)
    included = requirements.included(repository, paths)
    return [path for path in paths if path not in included and not _other_locks(repository, path)]


def _other_locks(repository: Repository, path: str) -> bool:
    return any(_there(repository, f"{one}{lock}") for one in _above(path) for lock in PYTHON_LOCKS)


def _locked(repository: Repository, kind: Kind, path: str) -> bool:
    if kind is GRADLE:
        return _gradle_locked(repository, path)
    folders = _above(path) if kind.above else [folder(path)]
    return any(_there(repository, f"{one}{lock}") for one in folders for lock in kind.locks)


def _gradle_locked(repository: Repository, path: str) -> bool:
    """Gradle writes a lock beside each build file; a build of many is told of once, at its first file."""
    folders = _above(path)
    top = next((one for one in folders if any(f"{one}{name}" in repository.tree for name in _SETTINGS)), folders[0])
    inside = [one for one in repository.shipped(*GRADLE.files) if one.startswith(top)]
    wanting = [one for one in inside if manifests.wanted(GRADLE, repository, one)]
    locks_there = [one for one in repository.own("*.lockfile") if one.startswith(top) and _there(repository, one)]
    return bool(locks_there) or path != next(iter(wanting), path)


def _there(repository: Repository, path: str) -> bool:
    """A lock file that says something; an empty one locks nothing."""
    text = repository.text(path)
    return path in repository.tree and (text is None or bool(text.strip()))


def _above(path: str) -> list[str]:
    """The folder of a file and those above it, the nearest first."""
    return ["" if str(one) == "." else f"{one}/" for one in PurePosixPath(path).parents]
