"""The checks of the rules on how a repository stands to its template."""

from __future__ import annotations

import re
from collections.abc import Iterator

from golden_path.doctor.repository import Repository
from golden_path.rules import members  # noqa: F401 - it registers these rules
from golden_path.rules.book import Fix, Found, check_of
from golden_path.source import infer
from golden_path.store.trees import FILE, Entry

_LOCAL = re.compile(r"/|~|file:")


@check_of("GP001")
def in_the_fleet(repository: Repository) -> Iterator[Found]:
    """No answers file."""
    if not repository.member.answers_file:
        yield Found(".copier-answers.yml", 0, "is missing: bring the repository in with golden-path adopt")


@check_of("GP002")
def readable(repository: Repository) -> Iterator[Found]:
    """An answers file that is no YAML, or lacks what it must have."""
    if repository.member.problem:
        yield Found(repository.member.answers_file, 0, repository.member.problem)


@check_of("GP003")
def up_to_date(repository: Repository) -> Iterator[Found]:
    """Versions behind."""
    if behind := repository.member.behind:
        number = f"{len(behind)} version{'s' if len(behind) > 1 else ''}"
        yield Found(repository.member.answers_file, _line(repository, "_commit"),
                    f"is {number} behind ({behind[-1]} is the newest): golden-path apply")  # fmt: skip


@check_of("GP004")
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


@check_of("GP005")
def known_version(repository: Repository) -> Iterator[Found]:
    """A template or a version that is gone, or that cannot be rendered with the answers."""
    if repository.member.lost:
        yield Found(repository.member.answers_file, _line(repository, "_commit"), repository.member.lost)


@check_of("GP006")
def answers_as_written(repository: Repository) -> Iterator[Found]:
    """An answers file that was edited."""
    member = repository.member
    wrote = member.wrote.get(member.answers_file)
    if wrote and repository.tree[member.answers_file].blob != wrote.blob:
        yield Found(member.answers_file, 0, "was edited by hand: change answers with copier update",
                    _back(repository, member.answers_file, wrote))  # fmt: skip


@check_of("GP008")
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
