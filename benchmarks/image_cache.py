"""What building an image costs an empty builder with the cache of the registry: ours beside cache mounts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import images
from benchmarks.samples import Measure, Samples, alternating
from tests.labs import template as lab
from tests.labs.images import Lab
from tests.labs.service import make

CPU = Measure("CPU", "s")
DOCKERFILES = (images.OURS, images.CACHE_MOUNTS)

COLD = "cold"
NOTHING = "no change"
SOURCE = "source change"
DEPENDENCY = "dependency change"
CHANGES = (COLD, NOTHING, SOURCE, DEPENDENCY)
# Measured once: what the rest of a pipeline adds.
COLD_UNWRITTEN = "cold, the cache not written"
SOURCE_WRITTEN = "source change, the cache written"
COLD_ATTESTED = "cold, attested"
NOTHING_ATTESTED = "no change, attested"
SOURCE_ATTESTED = "source change, attested"
EXTRAS = (COLD_UNWRITTEN, SOURCE_WRITTEN, COLD_ATTESTED, NOTHING_ATTESTED, SOURCE_ATTESTED)

# A source file of each language, and what is written at its end.
_SOURCE = {
    "go": ("cmd/service/main.go", "\nfunc init() { println() }\n"),
    "java": ("src/main/java/**/Application.java", "\nfinal class Changed {}\n"),
    "node": ("src/main.ts", '\nprocess.emitWarning("changed");\n'),
    "python": ("src/*/app.py", "\nCHANGED = 1\n"),
}
# A dependency of each language in the file that names it, and the version that it moves to; `make lock` does the rest.
_DEPENDENCY = {
    "go": ("go.mod", r"(exporters/prometheus )v\S+", r"\1v0.68.0"),
    "java": ("pom.xml", r"(<properties>)", r"\1\n    <snakeyaml.version>2.4</snakeyaml.version>"),
    "node": ("package.json", r'("pino": )"[^"]+"', r'\1"10.3.0"'),
    "python": ("pyproject.toml", r'"structlog~=[^"]+"', '"structlog==25.5.0"'),
}

_COMMIT_TIME = 1_767_225_600  # 2026-01-01

Say = Callable[[str], None]
Result = dict[str, dict[str, Samples]]  # by Dockerfile and change


def change_source(folder: Path, language: str) -> None:
    """Add to one source file of a service, and commit it."""
    pattern, text = _SOURCE[language]
    [file] = folder.glob(pattern)
    file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")
    lab.commit_all(folder, "Source")


def edit_dependency(folder: Path, language: str) -> None:
    """Move one dependency of a service to another version, in the file that names it.

    Raises:
        RuntimeError: the service names no such dependency.
    """
    name, pattern, other = _DEPENDENCY[language]
    file = folder / name
    text, count = re.subn(pattern, other, file.read_text(encoding="utf-8"), count=1)
    if not count:
        raise RuntimeError(f"{name} of the {language} service has nothing like {pattern}")
    file.write_text(text, encoding="utf-8")


def change_dependency(folder: Path, language: str) -> None:
    """Move one dependency of a service to another version, lock it and commit it.

    Raises:
        RuntimeError: the service names no such dependency, or it cannot be locked.
    """
    edit_dependency(folder, language)
    done = make(folder, language, "lock")
    if done.returncode != 0:
        raise RuntimeError(f"the {language} service cannot be locked:\n{done.stdout[-5000:]}")
    lab.commit_all(folder, "Dependency")


@dataclass(frozen=True)
class Subject:
    """A service with one Dockerfile.

    Attributes:
        language: its language.
        folders: its checkout, by what changed in it.
        name: of the image, with the registry; the cache is beside it.
    """

    language: str
    folders: Mapping[str, Path]
    name: str

    def build(self, what: str) -> tuple[Path, images.Build]:
        """Return what to build and how: after a change with the version and the time of another commit.

        Args:
            what: a change, or one of the extra measurements.
        """
        change = next(one for one in CHANGES if what.startswith(one))
        number = 0 if change in (COLD, NOTHING) else CHANGES.index(change)
        variables = {"VERSION": f"1.0.{number}", "COMMIT_TIME": str(_COMMIT_TIME + 3600 * number)}
        if change != COLD:
            variables["CACHE_FROM"] = f"{self.name}-cache:main"
        if what in (COLD, COLD_ATTESTED):
            variables["CACHE_TO"] = f"{self.name}-cache:main"
        if what == SOURCE_WRITTEN:
            variables["CACHE_TO"] = f"{self.name}-cache:next"
        attested = what in (COLD_ATTESTED, NOTHING_ATTESTED, SOURCE_ATTESTED)
        return self.folders[change], images.Build(self.name, variables, attested)


def prepare(
    language: str, template: Path, work: Path, registry: str, dockerfiles: Sequence[str] = DOCKERFILES
) -> dict[str, Subject]:
    """Write the service with each Dockerfile, and what it is after each change.

    Args:
        language: ``go``, ``java``, ``node`` or ``python``.
        template: a snapshot of the template.
        work: a folder for all of it.
        registry: the lab's, or a folder in it.
        dockerfiles: which; all by default.

    Returns:
        The subjects by Dockerfile.

    Raises:
        RuntimeError: it cannot be written or changed.
    """
    service = images.write_service(language, template, work / "cache" / f"{language}-service")
    subjects = {}
    for kind in dockerfiles:
        top = work / "cache" / kind
        folders = {
            change: images.with_dockerfile(service, language, kind, top / change.split()[0] / service.name)
            for change in (COLD, SOURCE, DEPENDENCY)
        }
        change_source(folders[SOURCE], language)
        change_dependency(folders[DEPENDENCY], language)
        folders[NOTHING] = folders[COLD]
        subjects[kind] = Subject(language, folders, f"{registry}/benchmark/{service.name}-{kind}")
    return subjects


def measure(subjects: Mapping[str, Subject], image_lab: Lab, rounds: int, say: Say, *, extras: bool = True) -> Result:
    """Build each after each change, every time with an empty builder; the cold build writes the cache for the others.

    Args:
        subjects: what ``prepare`` returned.
        image_lab: the lab, up.
        rounds: how often.
        say: takes a line about the progress.
        extras: whether to measure the extras too, once.

    Returns:
        By Dockerfile, the samples of every change, and of the extras.

    Raises:
        RuntimeError: one does not build.
    """
    whats = (*CHANGES, *(EXTRAS if extras else ()))
    result: Result = {kind: {what: Samples(CPU) for what in whats} for kind in subjects}
    for number, kind in alternating(list(subjects), rounds):
        for what in whats if number == 1 else CHANGES:
            say(f"{subjects[kind].language}: round {number} of {rounds}, {kind}, {what}")
            result[kind][what].values.append(_once(subjects[kind], what, image_lab))
    return result


def _once(subject: Subject, what: str, image_lab: Lab) -> float:
    folder, build = subject.build(what)
    with image_lab.fresh_builder() as builder:
        images.push(image_lab, builder, folder, subject.language, build)
        return builder.cpu_seconds()
