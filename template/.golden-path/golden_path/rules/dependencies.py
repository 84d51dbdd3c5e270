"""Rules on dependencies."""

from __future__ import annotations

from collections.abc import Iterator

from golden_path.rules import locks, packages, requirements
from golden_path.rules.book import ERROR, SERVICE, WARNING, Found, rule
from golden_path.rules.files import Files, above, folder
from golden_path.rules.packages import GRADLE, PYTHON_LOCKS, Kind

CHECKSUMS = ".mvn/checksums/checksums.sha256"
_SETTINGS = ("settings.gradle", "settings.gradle.kts")


@rule("GP301", ERROR, "Dependencies are locked.", "without a lock the next build may use other versions", former="R004")
def locked(files: Files) -> Iterator[Found]:
    """A manifest with dependencies and no lock file, and a requirements.txt that leaves versions open."""
    loose = {one.path: one for one in _loose(files)}
    yield from loose.values()
    told = {folder(path) for path in loose}
    for kind in packages.KINDS:
        for path in files.shipped(*kind.files):
            if kind.locks[0] in PYTHON_LOCKS and folder(path) in told:
                continue  # said of its requirements.txt
            if _locked(files, kind, path) or not packages.wanted(kind, files, path):
                continue
            told |= {folder(path)} if kind.locks[0] in PYTHON_LOCKS else set()
            names = ", ".join(kind.locks[:3])
            yield Found(path, 1, f"has dependencies and no lock file ({names}): make one, commit it")


@rule(
    "GP302", ERROR, "The lock file matches the manifest.", "otherwise a build fails, or uses versions that nobody chose"
)
def lock_matches(files: Files) -> Iterator[Found]:
    """Dependencies that the lock file does not know."""
    for lock in files.shipped(*locks.MATCHES):
        if lock.endswith("requirements.txt") and _other_locks(files, lock):
            continue  # then it is an export, for something else
        manifest, missing = locks.missing(files, lock)
        if missing:
            names = ", ".join(missing[:3]) + (" and more" if len(missing) > 3 else "")
            wants = manifest.rpartition("/")[2]
            yield Found(lock, 0, f"does not have what {wants} wants ({names}): lock again")


@rule("GP303", WARNING, "Python locks have hashes.", "without them a mirror can send another file")
def hashed(files: Files) -> Iterator[Found]:
    """Requirements without a hash, in a requirements.txt that is the only lock, and is one."""
    for path in _requirements(files):
        lines = requirements.read(files, path)
        bare = [line for line in lines if not line.hashed]
        if bare and all(line.exact for line in lines):
            more = f" and {len(bare) - 1} more" if len(bare) > 1 else ""
            message = f"{bare[0].text}{more} has no hash: lock with hashes (uv pip compile)"
            yield Found(bare[0].path, bare[0].number, message)


@rule(
    "GP305",
    ERROR,
    "Maven checks the checksums of what it downloads.",
    "otherwise a mirror can send another file",
    scope=SERVICE,
    former="R004",
)
def checksums(files: Files) -> Iterator[Found]:
    """A pom.xml at the root without the checksums of its artifacts."""
    if files.has("pom.xml") and not _there(files, CHECKSUMS):
        yield Found("pom.xml", 1, f"{CHECKSUMS} is missing: run 'make lock' and commit it")


def _loose(files: Files) -> Iterator[Found]:
    for path in _requirements(files):
        loose = [line for line in requirements.read(files, path) if not line.exact]
        if loose:
            more = f" and {len(loose) - 1} more" if len(loose) > 1 else ""
            message = f"{loose[0].text}{more} has no exact version: lock with versions and hashes (uv pip compile)"
            yield Found(loose[0].path, loose[0].number, message)


def _requirements(files: Files) -> list[str]:
    """The requirements files that nothing includes, where there is no other lock."""
    paths = files.shipped(*requirements.FILES)
    included = requirements.included(files, paths)
    return [path for path in paths if path not in included and not _other_locks(files, path)]


def _other_locks(files: Files, path: str) -> bool:
    return any(_there(files, f"{one}{lock}") for one in above(path) for lock in PYTHON_LOCKS)


def _locked(files: Files, kind: Kind, path: str) -> bool:
    if kind is GRADLE:
        return _gradle_locked(files, path)
    folders = above(path) if kind.above else [folder(path)]
    return any(_there(files, f"{one}{lock}") for one in folders for lock in kind.locks)


def _gradle_locked(files: Files, path: str) -> bool:
    """Gradle writes a lock beside each build file; a build of many is told of once, at its first file."""
    folders = above(path)
    top = next((one for one in folders if any(files.has(f"{one}{name}") for name in _SETTINGS)), folders[0])
    inside = [one for one in files.shipped(*GRADLE.files) if one.startswith(top)]
    wanting = [one for one in inside if packages.wanted(GRADLE, files, one)]
    locks_there = [one for one in files.own("*.lockfile") if one.startswith(top) and _there(files, one)]
    return bool(locks_there) or path != next(iter(wanting), path)


def _there(files: Files, path: str) -> bool:
    """A lock file that says something; an empty one locks nothing."""
    text = files.text(path)
    return files.has(path) and (text is None or bool(text.strip()))
