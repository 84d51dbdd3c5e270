"""Each hard case through plain ``copier update`` and through the engine: what was lost, what went unsaid.

``python -m tests.updates.hard_cases`` writes the table into docs/reference/fleet-cases.md.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from golden_path.errors import Exit, FleetError
from golden_path.rendering.render import Renderer
from golden_path.store.trees import BINARY
from golden_path.untrusted.foreign import GAP
from golden_path.upgrade import apply
from golden_path.upgrade.changes import CONFLICT as CONFLICTS
from golden_path.upgrade.changes import KEPT
from tests.labs.template import git
from tests.labs.toolchains import ROOT
from tests.labs.warm import copier
from tests.updates import cases, foreign
from tests.updates.cases import CASES, REFUSED, Case

TABLE = ROOT / "docs" / "reference" / "fleet-cases.md"
BARE, HOOKED, ENGINE, VERB, WORKFLOW = range(1, 6)  # the table's columns
SAME, REFUSED_TOO, NOT_RUN = "same commit", "same refusal", "not run"
# The cases that are run through the workflow: one of each kind. It calls the verb, and a run takes ten times as long.
RUN = (
    "both change a file, at different lines",
    "the person set a mode bit of a file that the template renames",
    "the template renames and changes a file at the line that was edited",
    "both change a binary file",
    "a new question has no default",
)
KINDS = ("lost edit", "silent conflict", "dirty repository")

Files = dict[str, tuple[int, bytes]]  # mode and content (a link's is where it goes), by path


@dataclass(frozen=True)
class Ended:
    """How a tool left the service.

    Attributes:
        code: its exit code.
        files: the result.
        said: the files that it reported.
        dirty: whether half of its work is lying about.
        decide: those of the reported files of which it promises to keep both sides.
        told: its report, where the template's side of these is.
    """

    code: int
    files: Files
    said: frozenset[str]
    dirty: bool
    decide: frozenset[str] = frozenset()
    told: bytes = b""


def read(folder: Path) -> Files:
    """Read a folder's files, those of git and the answers apart."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if name.startswith(".git/") or name == foreign.ANSWERS or (path.is_dir() and not path.is_symlink()):
            continue
        content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        found[name] = (0o120000 if path.is_symlink() else path.stat().st_mode & 0o100, content)
    return found


def _lines(files: Files, name: str) -> set[bytes]:
    if name not in files:
        return set()
    mode, content = files[name]
    text = mode != 0o120000 and b"\0" not in content
    return {line.rstrip(b"\r") for line in content.split(b"\n")} - {b""} if text else {content}


def problems(case: Case, base: Files, ours: Files, theirs: Files, ended: Ended) -> set[str]:
    """Judge what a tool did, from the files alone.

    Args:
        case: the case.
        base: what the service's version wrote.
        ours: the service.
        theirs: what the new version writes.
        ended: the outcome.

    Returns:
        Those of ``KINDS`` that happened.
    """
    found = set()
    if ended.dirty:
        found.add("dirty repository")
    if case.ends == REFUSED:
        return found | ({"silent conflict"} if ended.code == 0 else set())
    everything = {line for name in ended.files for line in _lines(ended.files, name)}
    known = {line for name in base for line in _lines(base, name)}
    for name in {*base, *ours}:
        if name not in ours:
            lost = name in ended.files and name not in ended.said
        elif ours[name] == base.get(name):
            continue
        elif name not in base and name not in ended.files:
            lost = name not in ended.said
        else:
            lost = not _lines(ours, name) - known <= everything or not _form_kept(name, base, ours, theirs, ended.files)
        if lost:
            found.add("lost edit")
    missing = False
    told = {line[1:].rstrip(b"\r") for line in ended.told.split(b"\n") if line.startswith(b"+")}
    for name in set(theirs) - (ended.said - ended.decide):
        seeded = re.match(r"seeded\.", name) or (name in base and name not in ours)
        there = everything | (told if name in ended.decide else set())
        binary = name in ended.decide and b"\0" in theirs[name][1] and BINARY.encode() in ended.told
        if not seeded and not binary and not _lines(theirs, name) - known <= there:
            missing = True
    if missing or (case.ends == cases.CONFLICT and ended.code == 0):
        found.add("silent conflict")
    return found


def _form_kept(name: str, base: Files, ours: Files, theirs: Files, files: Files) -> bool:
    """Whether a mode bit, a kind or line ends of the person's are there, or where the template moved the file."""
    before, mine = base.get(name), ours[name]
    places = [name] if name in files else [one for one in files if one in theirs and one not in base]
    if before and mine[0] != before[0] and not any(files[one][0] == mine[0] for one in places):
        return False
    ends = b"\r\n" in mine[1] and b"\0" not in mine[1]
    return not ends or any(files[one][1].count(b"\r\n") == files[one][1].count(b"\n") for one in places)


def with_engine(service: Path, renderer: Renderer) -> Ended:
    """Run ``apply``, and look at its branch."""
    before = foreign.state(service)
    try:
        done = apply.apply(service, renderer)
    except FleetError as error:
        return Ended(int(error.code), read(service), frozenset(), foreign.state(service) != before)
    said = {name for one in done.plan.changes if one.status in (CONFLICTS, KEPT) for name in (one.path, one.source)}
    dirty = foreign.state(service)[1:] != before[1:]
    git(service, "switch", "--quiet", done.branch)
    files = read(service)
    dirty = dirty or bool(git(service, "status", "--porcelain")) or any(marked(*one) for one in files.values())
    decide = frozenset(name for one in done.plan.conflicts for name in (one.path, one.source) if name)
    told = git(service, "log", "-1", "--format=%B").replace(GAP, "").encode()  # it keeps @name and #1 from acting
    return Ended(int(Exit.CONFLICT if done.plan.conflicts else 0), files, frozenset(said), dirty, decide, told)


def with_copier(service: Path) -> Ended:
    """Run ``copier update``, and look at the work tree."""
    before = foreign.state(service)
    done = copier("update", "--defaults", "--quiet", service)
    files = read(service)
    left = any(marked(*one) for one in files.values()) or any(name.endswith(".rej") for name in files)
    dirty = left or (done.returncode != 0 and foreign.state(service) != before)
    return Ended(done.returncode, files, frozenset(), dirty)


def marked(_: int, content: bytes) -> bool:
    """Whether a file has conflict markers."""
    return re.search(rb"^(<<<<<<<|>>>>>>>) ", content, re.MULTILINE) is not None


def pair(case: Case, folder: Path, renderer: Renderer, *more: foreign.Step) -> tuple[Path, Path]:
    """Make the template of a case and the service; returns both.

    Args:
        case: which.
        folder: an empty one, or with what the template has besides in ``template``, a repository.
        renderer: a worker.
        more: steps of the template's first version.
    """
    source = foreign.template(folder / "template", [*cases.FIRST, *more], case.template)
    if case.questions:
        (source / "copier.yml").write_text(foreign.SETTINGS + foreign.QUESTIONS + case.questions)
        git(source, "commit", "--quiet", "--all", "--message", "Question")
        git(source, "tag", "--force", foreign.NEW)
    return source, foreign.service(renderer, source, folder / "service", *case.person)


def run(case: Case, folder: Path, renderer: Renderer, *, plain: bool) -> tuple[set[str], set[str], Ended]:
    """Run one case.

    Args:
        case: which.
        folder: an empty one.
        renderer: a worker.
        plain: through ``copier update`` as well.

    Returns:
        The problems of ``copier update`` and of the engine, and how the engine ended.
    """
    source, service = pair(case, folder, renderer)
    base = read(foreign.render(renderer, source, foreign.OLD, folder / "base" / "service"))
    theirs = (
        base
        if case.ends == REFUSED
        else read(foreign.render(renderer, source, foreign.NEW, folder / "new" / "service"))
    )
    git(folder, "clone", "--quiet", str(service), "plain")
    ours = read(service)
    ended = with_engine(service, renderer)
    engine = problems(case, base, ours, theirs, ended)
    bare = problems(case, base, ours, theirs, with_copier(folder / "plain")) if plain else set()
    return bare, engine, ended


def column(number: int) -> dict[str, str]:
    """Return what the table says, by case.

    Args:
        number: of the column.
    """
    rows = [re.split(r" *\| *", line.strip("| ")) for line in TABLE.read_text(encoding="utf-8").splitlines()
            if re.match(r"\| (?!case )[^*`|]", line)]  # fmt: skip
    return {row[0]: row[number] for row in rows}


def through_the_verb(case: Case) -> str:
    """Return what the verb does, as test_entrances.py holds it."""
    return REFUSED_TOO if case.ends == REFUSED else SAME


def table(rows: Mapping[str, tuple[set[str], str, set[str]]]) -> str:
    """Return the page.

    Args:
        rows: the problems of ``copier update``, what it does with the hooks, and the problems of the engine, by case.
    """

    def shown(found: set[str]) -> str:
        return ", ".join(kind for kind in KINDS if kind in found) or "-"

    lines = [
        "# Hard cases, side by side",
        "",
        "What a template and a person did to the same service, through each way to an update. Written by `python -m "
        "tests.updates.hard_cases`; tests run all columns but the first.",
        "",
        "- lost edit: something that the person wrote, deleted, moved or set is not in the result.",
        "- silent conflict: a person has to decide something, and the exit code is 0; or a change of the template's "
        "did not arrive, and nothing says so.",
        "- dirty repository: conflict markers or `.rej` files lie about, or a failure left half an update.",
        "",
        "With this template's [hooks](migrations.md), `copier update` loses none of it:",
        "",
        "- stopped: before anything is written, in one line that names the files and the way that keeps them;",
        "- named: done, with exit code 1, and the files to decide on by name. Copier's conflict markers are in the "
        "work tree where it says dirty;",
        "- `-`: done, and nothing is to be decided.",
        "",
        "`make template-update` and `template-update.yml` are the engine: they make the same commit, on the same "
        "branch, or refuse with the same line. All cases are run through the verb; through the workflow, under "
        "[act](../how-to/workflow-lab.md), one of each kind, since it calls the verb, and all would take many minutes.",
        "",
        "| case | `copier update` | with the hooks | `golden-path apply` | `make template-update` "
        "| `template-update.yml` |",
        "|---|---|---|---|---|---|",
        *(f"| {case.name} | {shown(bare)} | {told} | {shown(engine)} | {through_the_verb(case)} | "
          f"{through_the_verb(case) if case.name in RUN else NOT_RUN} |"
          for case, (bare, told, engine) in ((case, rows[case.name]) for case in CASES if case.name in rows)),
    ]  # fmt: skip
    for kind in KINDS:
        bare, told, engine = [sum(kind in found[side] for found in rows.values()) for side in range(3)]
        lines.append(f"| **{kind}, of {len(rows)} cases** | **{bare}** | **{told}** | **{engine}** | **{engine}** | |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run all cases, and write the page."""
    from tests.updates import hooked  # it judges with what is here

    rows = {}
    with tempfile.TemporaryDirectory() as folder, Renderer() as renderer:
        os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
        for number, case in enumerate(CASES):
            sys.stderr.write(f"{case.name}\n")
            place = Path(folder, str(number))
            place.mkdir()
            bare, engine, _ = run(case, place, renderer, plain=True)
            source, service = hooked.pair(case, place / "hooked", renderer)
            told = hooked.updated(case, source, service, renderer)
            rows[case.name] = (bare, told, engine)
    TABLE.write_text(table(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
