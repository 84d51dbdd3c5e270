"""Rules on a repository as a member of the fleet."""

from __future__ import annotations

import re
from collections.abc import Iterator

from golden_path.doctor.repository import Repository
from golden_path.doctor.rules import ERROR, NOTE, WARNING, Fix, Found, rule
from golden_path.source import infer
from golden_path.store.trees import FILE, Entry

_LOCAL = re.compile(r"/|~|file:")
_MARK = re.compile(r"^<{7} .*\n(?:(?!<{7} ).*\n)*?={7}\n(?:.*\n)*?>{7}(?: |$)", re.MULTILINE)


@rule(
    "GP001",
    ERROR,
    "The repository knows its template.",
    "without an answers file no upgrade ever reaches it",
    scored=False,
)
def in_the_fleet(repository: Repository) -> Iterator[Found]:
    """No answers file."""
    if not repository.member.answers_file:
        yield Found(".copier-answers.yml", 0, "is missing: bring the repository in with golden-path adopt")


@rule("GP002", ERROR, "The answers file can be read.", "an upgrade stops at one that it cannot read", scored=False)
def readable(repository: Repository) -> Iterator[Found]:
    """An answers file that is no YAML, or lacks what it must have."""
    if repository.member.problem:
        yield Found(repository.member.answers_file, 0, repository.member.problem)


@rule("GP003", WARNING, "The newest version of the template is there.", "fixes reach who upgrades", scored=False)
def up_to_date(repository: Repository) -> Iterator[Found]:
    """Versions behind."""
    if behind := repository.member.behind:
        number = f"{len(behind)} version{'s' if len(behind) > 1 else ''}"
        yield Found(repository.member.answers_file, _line(repository, "_commit"),
                    f"is {number} behind ({behind[-1]} is the newest): golden-path apply")  # fmt: skip


@rule(
    "GP004", NOTE, "What the template manages is as it wrote it.", "each edit is merged at every upgrade", scored=False
)
def no_drift(repository: Repository) -> Iterator[Found]:
    """Managed files that were changed or deleted."""
    member = repository.member
    for path, wrote in sorted(member.wrote.items()):
        has = repository.tree.get(path)
        if has == wrote or path == member.answers_file or (member.owner and member.owner.seeded(path)):
            continue
        if not member.beginning.drifts(path, there=bool(has)):
            continue  # it was theirs before, or never came
        if not has and infer.matches(member.leave_out, path):
            continue
        what = "differs from what the template wrote" if has else "was written by the template, and is deleted"
        fix = _back(repository, path, wrote) if wrote.kind == FILE and (not has or has.mode == wrote.mode) else None
        yield Found(path, 0, f"{what}: take it back, or keep it", fix)


@rule(
    "GP005",
    ERROR,
    "The template has the version that the answers name.",
    "an upgrade needs it to merge from",
    scored=False,
)
def known_version(repository: Repository) -> Iterator[Found]:
    """A template or a version that is gone, or that cannot be rendered with the answers."""
    if repository.member.lost:
        yield Found(repository.member.answers_file, _line(repository, "_commit"), repository.member.lost)


@rule(
    "GP006",
    WARNING,
    "The answers file is as Copier wrote it.",
    "an edit by hand does not change the files",
    scored=False,
)
def answers_as_written(repository: Repository) -> Iterator[Found]:
    """An answers file that was edited."""
    member = repository.member
    wrote = member.wrote.get(member.answers_file)
    if wrote and repository.tree[member.answers_file].blob != wrote.blob:
        yield Found(member.answers_file, 0, "was edited by hand: change answers with copier update",
                    _back(repository, member.answers_file, wrote))  # fmt: skip


@rule("GP007", ERROR, "No conflict is left.", "markers of a merge break what reads the file")
def no_conflicts(repository: Repository) -> Iterator[Found]:
    """Conflict markers, and what patch leaves."""
    for path, text in repository.texts():
        if found := _MARK.search(text.replace("\r\n", "\n")):
            yield Found(path, text.replace("\r\n", "\n")[: found.start()].count("\n") + 1,
                        "has conflict markers: decide, and remove them")  # fmt: skip
        elif path.endswith(".rej"):
            yield Found(path, 0, "is what a merge rejected: bring it in, and remove the file")


@rule("GP008", WARNING, "Everybody can reach the template.", "a folder of one machine is on no other", scored=False)
def reachable(repository: Repository) -> Iterator[Found]:
    """A template on this machine."""
    answers = repository.member.answers
    if answers and _LOCAL.match(answers.source):
        yield Found(answers.path, _line(repository, "_src_path"),
                    f"names the template {answers.source}, a folder of one machine: write its address")  # fmt: skip


def _back(repository: Repository, path: str, wrote: Entry) -> Fix:
    content = repository.store.read(wrote.blob)
    return Fix(path, lambda _: content, wrote.mode)


def _line(repository: Repository, key: str) -> int:
    lines = (repository.text(repository.member.answers_file) or "").splitlines()
    return next((number for number, line in enumerate(lines, 1) if line.startswith(f"{key}:")), 0)
