"""The fleet engine beside ``copier update`` in a loop, over services of this template."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from golden_path.rendering.render import Renderer
from golden_path.source.template import Template
from tests.labs import template as lab
from tests.labs.toolchains import ROOT

OLD, NEW = "v1.0.0", "v2.0.0"
ENGINE, BEFORE, UNPATCHED, COPIER = (
    "golden-path apply", "golden-path apply of {}", "the same, patches off", "copier update, one after the other",
)  # fmt: skip

Say = Callable[[str], None]


@dataclass
class Cost:
    """What the upgrade of all services took.

    Attributes:
        services: how many.
        time: in seconds.
        cpu: of all processes, in seconds.
        memory: what was resident after each service, in MiB: of the engine and its worker; empty for Copier, whose
            processes last for one service.
    """

    services: int = 0
    time: float = 0.0
    cpu: float = 0.0
    memory: list[float] = field(default_factory=list)


def history(template: Path) -> None:
    """Give a snapshot of this template a second version: a file renamed, one changed, one added, one removed."""
    lab.git(template, "tag", OLD)
    lab.git(template, "tag", "--delete", lab.VERSION)
    files = template / "template"
    (files / ".golden-path/help.awk").rename(files / ".golden-path/usage.awk")
    (files / ".golden-path/locks/syft.txt").unlink()
    (files / "docs" / "new.md.jinja").write_text("# New for [[ service_name ]]\n")
    verbs, makefile = files / ".golden-path/service.mk", files / "Makefile.jinja"
    verbs.write_text(verbs.read_text().replace("help.awk", "usage.awk"))
    makefile.write_text(makefile.read_text() + "# [[ service_name ]]\n")
    lab.commit_all(template, NEW)
    lab.git(template, "tag", NEW)


def services(template: Path, folder: Path, languages: Sequence[str], number: int, names: int = 0) -> list[Path]:
    """Write services of the first version, each with an edit that the second is merged with.

    Args:
        template: with two versions.
        folder: for the services.
        languages: that they are in, in turn.
        number: of services.
        names: how many names they have; one each where it is 0.
    """
    known = Template(str(template))
    known.refresh()
    made = []
    with Renderer(trust=True) as renderer:
        for index in range(number):
            target = folder / f"service-{index:04}"
            answers = {
                "language": languages[index % len(languages)],
                "service_name": f"orders-{index % (names or number)}",
            }
            renderer.render(known.at(OLD), target, ".copier-answers.yml", answers)
            makefile = target / "Makefile"
            makefile.write_text("# Of the service.\n" + makefile.read_text())
            lab.commit_all(target)
            made.append(target)
    return made


def measure(
    template: Path,
    work: Path,
    languages: Sequence[str],
    number: int,
    copied: int,
    say: Say,
    before: str = "",
    names: int = 0,
) -> dict[str, Cost]:
    """Upgrade the same services in each way, and compare the trees.

    Args:
        template: a snapshot of this template, with one tag.
        work: a folder for what is written.
        languages: of the services.
        number: of services.
        copied: of these through ``copier update``, and with patches off; fewer, since they take long.
        say: takes a line about the progress.
        before: a commit of this checkout, whose engine takes its turn as well.
        names: how many names the services have; one each where it is 0.

    Returns:
        The cost by way.

    Raises:
        RuntimeError: a service cannot be upgraded, or two ways end in different trees.
    """
    if before:  # an older engine may not know all that is in it
        (template / "adopt.yml").unlink(missing_ok=True)
        lab.commit_all(template)
    if lab.VERSION in lab.git(template, "tag").split():
        history(template)
    own = {"GOLDEN_PATH_GUARD": "off", "XDG_CACHE_HOME": str(work / "cache")}  # our guard is not Copier's cost
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, own))
        say(f"fleet: writing {number} services in {', '.join(languages)}")
        known = services(template, Path(tempfile.mkdtemp(dir=work)), languages, number, names)
        ways: dict[str, Engine | Copier] = {ENGINE: Engine(ROOT)}
        if before:
            ways[BEFORE.format(before)] = Engine(_checkout(before, work))
        ways[UNPATCHED] = Engine(ROOT, GOLDEN_PATH_PATCHES="off")
        ways[COPIER] = Copier()
        folders = {name: _copies(known, work) for name in ways}
        say("fleet: filling the caches")
        for way in ways.values():
            if isinstance(way, Engine):
                way.warm_up(_copies(known[: len(languages)], work))
        say(f"fleet: {', '.join(ways)}, taking turns; the last two on {copied} services")
        for way in ways.values():
            stack.enter_context(way)
        few = {index * number // copied for index in range(copied)}  # at even distances
        for index in range(number):
            for name, way in ways.items():
                if name not in (UNPATCHED, COPIER) or index in few:
                    way.upgrade(folders[name][index])
    for index in range(number):
        trees = {name: lab.git(by[index], "rev-parse", "upgraded^{tree}") for name, by in folders.items()
                 if name not in (UNPATCHED, COPIER) or index in few}  # fmt: skip
        if len(set(trees.values())) != 1:
            raise RuntimeError(f"service {index} differs by way: {trees}")
    return {name: way.cost for name, way in ways.items()}


def _copies(known: Sequence[Path], work: Path) -> list[Path]:
    folder = Path(tempfile.mkdtemp(dir=work))
    made = [shutil.copytree(one, folder / one.name, symlinks=True) for one in known]
    for one in made:
        lab.git(one, "status")  # else git reads each file again, which it does not in a work tree that is used
    return made


def _checkout(commit: str, work: Path) -> Path:
    """Check an older engine out."""
    folder = work / "engine-before"
    lab.git(ROOT, "clone", "--quiet", "--shared", "--no-checkout", str(ROOT), str(folder))
    lab.git(folder, "checkout", "--quiet", "--detach", commit)
    return folder


class Engine:
    """An engine in a process of its own, while it is asked for one service after the other.

    Args:
        checkout: the engine's.
        variables: of its environment, besides.

    Attributes:
        cost: so far; the CPU is known at the end.
    """

    def __init__(self, checkout: Path, **variables: str) -> None:
        self.cost = Cost()
        self._checkout, self._variables = checkout, variables

    def __enter__(self) -> Engine:
        script = Path(__file__).with_name("engine.py")
        environment = {**os.environ, **lab.GIT, "PYTHONPATH": str(self._checkout), **self._variables}
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(script)], env=environment, cwd=self._checkout, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        return self

    def __exit__(self, *error: object) -> None:
        with self._process:
            if self._process.stdin and not self._process.stdin.closed:
                self._process.stdin.close()
            if not any(error):
                self.cost.cpu = float(self._answer()["cpu"])

    def warm_up(self, folders: Sequence[Path]) -> None:
        """Upgrade services that do not count, in a process before: then the cache has the template's versions."""
        with Engine(self._checkout, **self._variables) as one:
            for folder in folders:
                one.upgrade(folder)

    def upgrade(self, folder: Path) -> None:
        """Upgrade a service."""
        start = time.monotonic()
        if self._process.stdin:
            self._process.stdin.write(f"{folder}\n")
            self._process.stdin.flush()
        answer = self._answer()
        self.cost.time += time.monotonic() - start
        self.cost.services += 1
        self.cost.memory.append(float(answer["memory"]))
        lab.git(folder, "branch", "upgraded", str(answer["branch"]))

    def _answer(self) -> Mapping[str, float]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError(f"the engine of {self._checkout.name} ended")
        found: Mapping[str, float] = json.loads(line)
        return found


class Copier:
    """``copier update``, a process for each service.

    Attributes:
        cost: so far.
    """

    def __init__(self) -> None:
        self.cost = Cost()

    def __enter__(self) -> Copier:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing runs on."""

    def upgrade(self, folder: Path) -> None:
        """Upgrade a service."""
        with _spent(self.cost):
            done = lab.copier("update", "--trust", "--defaults", "--quiet", folder)
        if done.returncode != 0:
            raise RuntimeError(f"copier update failed:\n{done.stderr}")
        lab.git(folder, "switch", "--quiet", "--create", "upgraded")
        lab.commit_all(folder, "Upgrade")


@contextlib.contextmanager
def _spent(cost: Cost) -> Iterator[None]:
    before, start = _cpu(), time.monotonic()
    yield
    cost.time += time.monotonic() - start
    cost.cpu += _cpu() - before
    cost.services += 1


def _cpu() -> float:
    """CPU of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
