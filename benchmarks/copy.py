"""``copier copy`` of this template beside that of a trivial one."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks.samples import Measure, Samples, alternating
from tests.labs import template as lab

TIME = Measure("time", "ms")
CPU = Measure("CPU", "ms")
MEASURES = (TIME, CPU)
IMPORT = "import copier"
TRIVIAL = "trivial template"

Say = Callable[[str], None]
Result = dict[str, dict[Measure, Samples]]  # by subject


def trivial(folder: Path) -> Path:
    """Make a template of one question and one file, in a git repository like ours.

    Args:
        folder: where; missing.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True)
    (folder / "copier.yml").write_text("name: {type: str, default: hello}\n")
    (folder / "README.md.jinja").write_text("# {{ name }}\n")
    lab.commit_all(folder, "Template")
    lab.git(folder, "tag", lab.VERSION)
    return folder


def measure(languages: Sequence[str], template: Path, work: Path, rounds: int, say: Say) -> Result:
    """Run each subject in turn: what everybody pays for Copier, a trivial template, and ours by language.

    Args:
        languages: for which to copy ours.
        template: a snapshot of ours.
        work: a folder for what is written.
        rounds: how often, after one round that is not counted.
        say: takes a line about the progress.

    Returns:
        By subject (``import copier``, ``trivial template``, the languages), the samples of every measure.

    Raises:
        RuntimeError: ``copier copy`` failed; with its output.
    """
    small = trivial(work / "trivial-template")
    target = work / "copied"
    runs: dict[str, Callable[[], object]] = {
        IMPORT: partial(subprocess.run, [sys.executable, "-c", IMPORT], check=True),
        TRIVIAL: partial(lab.write, small, target, {}),
    }
    runs |= {one: partial(lab.write, template, target, {"language": one}) for one in languages}
    result: Result = {name: {one: Samples(one) for one in MEASURES} for name in runs}
    for run in runs.values():
        _timed(run, target)
    for number, name in alternating(list(runs), rounds):
        say(f"copier copy: round {number} of {rounds}, {name}")
        for one, value in _timed(runs[name], target).items():
            result[name][one].values.append(value)
    return result


def _timed(run: Callable[[], object], target: Path) -> dict[Measure, float]:
    shutil.rmtree(target, ignore_errors=True)
    before, start = _children_cpu(), time.monotonic()
    run()
    return {TIME: (time.monotonic() - start) * 1e3, CPU: (_children_cpu() - before) * 1e3}


def _children_cpu() -> float:
    """CPU seconds of all child processes that have ended, with theirs: copier and the git that it calls."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
