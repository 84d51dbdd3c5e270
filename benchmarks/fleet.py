"""The fleet engine beside ``copier update`` in a loop, over services of this template."""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from fleet import apply
from fleet.render import Renderer
from fleet.template import Templates
from tests.labs import template as lab

OLD, NEW = "v1.0.0", "v2.0.0"
ENGINE, UNPATCHED, COPIER = "golden-path apply", "the same, patches off", "copier update, one after the other"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Cost:
    """What the upgrade of all services took.

    Attributes:
        services: how many.
        time: in seconds.
        cpu: of all processes, in seconds.
        memory: what was resident after each service, in MiB: of the engine and its worker; empty for Copier, whose
            processes last for one service.
    """

    services: int
    time: float
    cpu: float
    memory: Sequence[float] = ()


def history(template: Path) -> None:
    """Give a snapshot of this template a second version: a file renamed, one changed, one added, one removed."""
    lab.git(template, "tag", OLD)
    lab.git(template, "tag", "--delete", lab.VERSION)
    files = template / "template"
    (files / "make" / "help.awk").rename(files / "make" / "usage.awk")
    (files / "make" / "syft.txt").unlink()
    (files / "docs" / "new.md.jinja").write_text("# New for [[ service_name ]]\n")
    makefile = files / "Makefile.jinja"
    makefile.write_text(makefile.read_text().replace("help.awk", "usage.awk") + "# [[ service_name ]]\n")
    lab.commit_all(template, NEW)
    lab.git(template, "tag", NEW)


def first_ones(template: Path, folder: Path, languages: Sequence[str]) -> list[Path]:
    """Write a service of each language of the first version, with an edit that the second has to be merged with."""
    made = []
    for language in languages:
        known = folder / f"first-{language}"
        done = lab.copier("copy", "--trust", "--defaults", "--quiet", "--vcs-ref", OLD,
                          "-d", f"language={language}", "-d", "service_name=orders", template, known)  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"copier copy failed:\n{done.stderr}")
        makefile = known / "Makefile"
        makefile.write_text("# Of the service.\n" + makefile.read_text())
        lab.commit_all(known)
        made.append(known)
    return made


def services(known: Sequence[Path], folder: Path, number: int) -> list[Path]:
    """Write services that are copies of these in turn."""
    made = []
    for index in range(number):
        target = folder / f"service-{index:04}"
        shutil.copytree(known[index % len(known)], target, symlinks=True)
        made.append(target)
    return made


def measure(
    template: Path, work: Path, languages: Sequence[str], number: int, copied: int, say: Say
) -> dict[str, Cost]:
    """Upgrade the same services in each way, and compare the trees.

    Args:
        template: a snapshot of this template, with one tag.
        work: a folder for what is written.
        languages: of the services.
        number: of services.
        copied: of these through ``copier update``, and with patches off; fewer, since they take long.
        say: takes a line about the progress.

    Returns:
        The cost by way.

    Raises:
        RuntimeError: a service cannot be upgraded, or two ways end in different trees.
    """
    if lab.VERSION in lab.git(template, "tag").split():
        history(template)
    say(f"fleet: writing a service in {', '.join(languages)}")
    known = first_ones(template, Path(tempfile.mkdtemp(dir=work)), languages)
    folders = {}
    for name, count in ((ENGINE, number), (UNPATCHED, copied), (COPIER, copied)):
        say(f"fleet: writing {count} services for {name}")
        folders[name] = services(known, Path(tempfile.mkdtemp(dir=work)), count)
    own = {"GOLDEN_PATH_GUARD": "off", "XDG_CACHE_HOME": str(work / "cache")}  # our guard is not Copier's cost
    result = {}
    say(f"fleet: {ENGINE} on {number} services, and between them {COPIER} on {copied}")
    with mock.patch.dict(os.environ, own, GOLDEN_PATH_PATCHES="on"):
        result[ENGINE], result[COPIER] = _side_by_side(folders[ENGINE], folders[COPIER])
    say(f"fleet: {UNPATCHED}, {copied} services")
    with mock.patch.dict(os.environ, own, GOLDEN_PATH_PATCHES="off"):
        result[UNPATCHED], _ = _side_by_side(folders[UNPATCHED], [])
    for index in range(copied):
        trees = {name: lab.git(by[index], "rev-parse", "upgraded^{tree}") for name, by in folders.items()}
        if len(set(trees.values())) != 1:
            raise RuntimeError(f"service {index} differs by way: {trees}")
    return {name: result[name] for name in (ENGINE, UNPATCHED, COPIER)}


def _side_by_side(ours: Sequence[Path], theirs: Sequence[Path]) -> tuple[Cost, Cost]:
    """Upgrade some through the engine, one with Copier, and so on, so that a machine that slows down slows both.

    The engine's worker is one process for all; its CPU time is known when it has ended, and so is taken as the rest.
    """
    templates = Templates()
    memory: list[float] = []
    copier_time = copier_cpu = 0.0
    cpu, start = _cpu(), time.monotonic()
    with Renderer(trust=True) as renderer:
        for index, folder in enumerate(ours):
            done = apply.apply(folder, renderer, templates)
            lab.git(folder, "branch", "upgraded", done.branch)
            memory.append(_resident())
            for other in theirs[index * len(theirs) // len(ours) : (index + 1) * len(theirs) // len(ours)]:
                before, began = _cpu(), time.monotonic()
                _copier(other)
                copier_time += time.monotonic() - began
                copier_cpu += _cpu() - before
    engine = Cost(len(ours), time.monotonic() - start - copier_time, _cpu() - cpu - copier_cpu, memory)
    return engine, Cost(len(theirs), copier_time, copier_cpu)


def _resident() -> float:
    """Return the MiB of memory that this process and its children hold, read from Linux."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    pages = sum(int(Path("/proc", pid, "statm").read_text().split()[1]) for pid in ("self", *children))
    return pages * resource.getpagesize() / 2**20


def _copier(folder: Path) -> None:
    done = lab.copier("update", "--trust", "--defaults", "--quiet", folder)
    if done.returncode != 0:
        raise RuntimeError(f"copier update failed:\n{done.stderr}")
    lab.git(folder, "switch", "--quiet", "--create", "upgraded")
    lab.commit_all(folder, "Upgrade")


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
