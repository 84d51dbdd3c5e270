"""``make template-update`` in a service of this template, beside that of an older commit, and ``copier update``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.foreign import Spent, copied, cpu
from tests.labs import template as lab
from tests.labs.toolchains import ROOT

OLD, NEW = "v1.0.0", "v1.1.0"
WARM, COPIER, BEFORE = "make template-update", "copier update, with hooks", "make template-update of {}"
EMPTY = ", its cache empty"  # ours has the template and its versions, Copier's the template
COLD = f"{WARM}{EMPTY}"

Say = Callable[[str], None]


def versions(folder: Path, before: str) -> Path:
    """Make a template with two versions and, in the second, the engine of this checkout; returns the folder.

    Args:
        folder: a missing one.
        before: the commit of this checkout that the first version is; what stands here where it is empty.
    """
    if before:
        lab.git(ROOT, "clone", "--quiet", "--shared", "--no-checkout", str(ROOT), str(folder))
        lab.git(folder, "checkout", "--quiet", "--detach", before)
        for tag in lab.git(folder, "tag").split():
            lab.git(folder, "tag", "--delete", tag)
    else:
        lab.snapshot(folder)
        lab.git(folder, "tag", "--delete", lab.VERSION)
    lab.git(folder, "tag", OLD)
    for name in lab.ENGINE:
        shutil.rmtree(folder / name, ignore_errors=True)
    lab.with_engine(folder)
    files = folder / "template"
    (files / "docs" / "new.md.jinja").write_text("# New for [[ service_name ]]\n")
    makefile = files / "Makefile.jinja"
    makefile.write_text(makefile.read_text() + "# [[ service_name ]]\n")
    lab.commit_all(folder, NEW)
    lab.git(folder, "tag", NEW)
    return folder


def measure(work: Path, language: str, rounds: int, say: Say, before: str = "") -> dict[str, Spent]:
    """Upgrade copies of one service in each way, in turns.

    Args:
        work: a folder for what is written.
        language: of the service.
        rounds: how often.
        say: takes a line about the progress.
        before: a commit of this checkout, from which service and template are, and whose verb takes its turn.

    Raises:
        RuntimeError: a way fails, or two ways end in different trees.
    """
    source = f"git+file://{versions(work / 'verb-template', before)}"  # packed and unpacked, as from a server
    first = work / "verb-service"
    _run([lab.COPIER, "copy", "--trust", "--defaults", "--quiet", "--vcs-ref", OLD, "--data", f"language={language}",
          source, first], work)  # fmt: skip
    makefile = first / "Makefile"
    makefile.write_text("# Of the service.\n" + makefile.read_text())
    lab.commit_all(first)
    old = BEFORE.format(before)
    names = (WARM, COLD, *((old, f"{old}{EMPTY}") if before else ()), COPIER)
    spent = {name: Spent() for name in names}
    cache = work / "verb-cache"
    for name in (WARM, COPIER):
        _upgrade(name, copied(first, work), cache)  # fills it
    for number in range(rounds):
        say(f"verb: round {number + 1} of {rounds}")
        trees = set()
        for name, one in spent.items():
            folder = copied(first, work)
            start = cpu()
            branch = _upgrade(name, folder, Path(tempfile.mkdtemp(dir=work)) if name.endswith(EMPTY) else cache)
            one.cpu.append(cpu() - start)
            if not branch:
                lab.commit_all(folder, "Upgrade")
            trees.add(lab.git(folder, "rev-parse", f"{branch or 'HEAD'}^{{tree}}"))
        if len(trees) != 1:
            raise RuntimeError(f"the ways end in different trees: {trees}")
    return spent


def _upgrade(name: str, folder: Path, cache: Path) -> str:
    """Do it; returns the branch, and nothing where it is in the work tree."""
    kept = {"XDG_CACHE_HOME": str(cache)}
    if name == COPIER:
        _run([lab.COPIER, "update", "--trust", "--defaults", "--quiet", folder], folder, **kept)
        return ""
    if name in (WARM, COLD):
        platform = ROOT / "template" / ".golden-path"
        _run([sys.executable, platform, "template", "update", sys.executable], folder, **kept)
        return f"golden-path/{NEW}"
    _run([sys.executable, "make/template", "update", lab.COPIER], folder, **kept)
    return f"template/update-{NEW}"


def _run(command: list[str | Path], folder: Path, **variables: str) -> None:
    environment = {**os.environ, **lab.GIT, **variables}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command[:3]))} failed:\n{done.stdout}{done.stderr}")
