"""One service of somebody else's template: ``golden-path apply`` beside ``copier update``, a process each."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.labs import template as lab
from tests.labs.toolchains import ROOT

FILES, QUESTIONS, CHANGED = 120, 100, 10
OLD, NEW = "v1.0.0", "v2.0.0"
WARM, COLD, COPIER = "golden-path apply", "the same, without its cache", "copier update"

Say = Callable[[str], None]


@dataclass
class Spent:
    """What one way took.

    Attributes:
        cpu: of all processes, in seconds, by round.
    """

    cpu: list[float] = field(default_factory=list)


def template(folder: Path) -> Path:
    """Write a template without tasks, with two versions; returns the folder."""
    files = folder / "template"
    for number in range(FILES - 1):
        place = files / f"part-{number % 12}"
        place.mkdir(parents=True, exist_ok=True)
        lines = [f"line {line} of file {number}" for line in range(40)]
        if number % 3:  # the others are copied as they are
            lines[::5] = [f"{text}: {{{{ question_{_text(number + 7 * at)} }}}}" for at, text in enumerate(lines[::5])]
        (place / f"file-{number}.txt{'.jinja' if number % 3 else ''}").write_text("\n".join(lines) + "\n")
    (files / "{{ _copier_conf.answers_file }}.jinja").write_text("{{ _copier_answers|to_nice_yaml -}}\n")
    asked = "".join(f"question_{number}: {_question(number)}\n" for number in range(QUESTIONS))
    (folder / "copier.yml").write_text(f"_subdirectory: template\n{asked}")
    lab.commit_all(folder, OLD)
    lab.git(folder, "tag", OLD)
    for file in sorted(files.glob("*/file-*"))[:: FILES // CHANGED]:
        file.write_text(file.read_text().replace("line 7 ", "line seven "))
    lab.commit_all(folder, NEW)
    lab.git(folder, "tag", NEW)
    return folder


def _text(number: int) -> int:
    """The question of a text that is nearest."""
    return number % QUESTIONS // 4 * 4


def _question(number: int) -> str:
    return (
        f"{{type: str, default: value {number}, help: Question {number}}}",
        "{type: bool, default: false}",
        "{type: str, choices: [one, two, three], default: one}",
        f'{{type: int, default: {number}, when: "{{{{ question_{number - 2} }}}}"}}',
    )[number % 4]


def measure(work: Path, rounds: int, say: Say) -> dict[str, Spent]:
    """Upgrade copies of one service in each way, in turns.

    Args:
        work: a folder for what is written.
        rounds: how often.
        say: takes a line about the progress.

    Raises:
        RuntimeError: a way fails, or two ways end in different trees.
    """
    source = template(work / "foreign")
    first = work / "foreign-service"
    _run(["-m", "copier", "copy", "--defaults", "--quiet", "--vcs-ref", OLD, source, first])
    edited = first / "part-1" / "file-1.txt"
    edited.write_text(edited.read_text().replace("line 20 ", "line twenty "))
    lab.commit_all(first)
    spent = {name: Spent() for name in (WARM, COLD, COPIER)}
    cache = work / "foreign-cache"
    _upgrade(WARM, copied(first, work), cache)  # fills it
    for number in range(rounds):
        say(f"foreign: round {number + 1} of {rounds}")
        trees = set()
        for name, one in spent.items():
            folder = copied(first, work)
            before = cpu()
            _upgrade(name, folder, Path(tempfile.mkdtemp(dir=work)) if name == COLD else cache)
            one.cpu.append(cpu() - before)
            if name == COPIER:
                lab.commit_all(folder, "Upgrade")
            trees.add(lab.git(folder, "rev-parse", f"{'HEAD' if name == COPIER else f'golden-path/{NEW}'}^{{tree}}"))
        if len(trees) != 1:
            raise RuntimeError(f"the ways end in different trees: {trees}")
    return spent


def copied(first: Path, work: Path) -> Path:
    """Copy a service into a fresh folder; returns the copy."""
    return shutil.copytree(first, Path(tempfile.mkdtemp(dir=work), "service"), symlinks=True)


def _upgrade(name: str, folder: Path, cache: Path) -> None:
    if name == COPIER:
        _run(["-m", "copier", "update", "--defaults", "--quiet", folder])
    else:
        _run(["-m", "golden_path", "apply", folder], XDG_CACHE_HOME=str(cache))


def _run(arguments: Sequence[str | Path], **variables: str) -> None:
    environment = {**os.environ, **lab.GIT, "PYTHONPATH": str(ROOT), **variables}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, arguments[:3]))} failed:\n{done.stderr}")


def cpu() -> float:
    """Return the CPU of the children that have ended, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
