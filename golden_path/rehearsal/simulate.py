"""Rehearse the upgrade to a change of a template, over synthetic services, before anybody has to live with it."""

from __future__ import annotations

import contextlib
import re
import statistics
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from golden_path.errors import Exit, FleetError
from golden_path.rehearsal import scenarios
from golden_path.rehearsal.scenarios import Scenarios
from golden_path.rendering import surroundings
from golden_path.rendering.render import Renderer
from golden_path.source import versions
from golden_path.source.ownership import Ownership
from golden_path.source.template import Template
from golden_path.store import git, processes, service
from golden_path.store.trees import Store
from golden_path.untrusted import credentials
from golden_path.upgrade import plan
from golden_path.upgrade.changes import CONFLICT, MERGED
from golden_path.upgrade.upgrade import between

ANSWERS = ".copier-answers.yml"
NAME = "orders"  # of the folder of each service
CHANGE = "the-change"  # the name of the version that is rehearsed
TIMEOUT = 1800  # seconds for a check
READ = 1 << 20  # bytes of what a check prints, from its end
_AUTHOR = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "simulate"), ("EMAIL", "simulate@noreply.invalid"), ("DATE", "2026-01-01T00:00:00Z"))
} | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}


@dataclass(frozen=True)
class Row:
    """One upgrade of one service.

    Attributes:
        old: the version that it has.
        answers: what it answered, all else being at its default.
        edited: whether people did something to it.
        conflicts: the reason by file.
        merged: files that both sides changed and nobody has to look at.
        lines: added and removed by the upgrade.
        broken: the last line of a check that failed; empty where it passed, or was not run.
        problem: why the upgrade could not be computed; empty where it could.
    """

    old: str
    answers: Mapping[str, Any]
    edited: bool
    conflicts: Mapping[str, str] = field(default_factory=dict)
    merged: int = 0
    lines: int = 0
    broken: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Outcome:
    """A rehearsal.

    Attributes:
        change: the commit that is rehearsed.
        rows: the upgrades.
        refused: answers that the template does not accept, with its reason.
    """

    change: str
    rows: Sequence[Row]
    refused: Sequence[tuple[Mapping[str, Any], str]] = ()

    @property
    def rate(self) -> float:
        """The share of edited services with a conflict, in percent; of all, where none was edited."""
        some = [row for row in self.rows if row.edited] or list(self.rows)
        return 100 * sum(bool(row.conflicts) for row in some) / len(some) if some else 0.0

    @property
    def broken(self) -> list[Row]:
        """Those whose check failed."""
        return [row for row in self.rows if row.broken]

    @property
    def problems(self) -> list[Row]:
        """Those whose upgrade could not be computed."""
        return [row for row in self.rows if row.problem]

    @property
    def files(self) -> list[tuple[str, int]]:
        """How often each file was in conflict, the most frequent first."""
        return Counter(path for row in self.rows for path in row.conflicts).most_common()


def simulate(
    source: str,
    renderer: Renderer,
    *,
    to: str = "HEAD",
    old: Sequence[str] = (),
    last: int = 2,
    given: Scenarios | None = None,
    services: int = 12,
    edits: int = 6,
    seed: str = "0",
    check: str = "",
    progress: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Rehearse.

    Args:
        source: the template: a repository's folder, or its address.
        renderer: a worker.
        to: the change: a commit, branch or tag of the template.
        old: versions that services have; the last releases before the change where there are none given.
        last: how many releases.
        given: answers and edits.
        services: at most, a version; for answers that are not given.
        edits: at random, a service.
        seed: of these.
        check: a command for the shell, run in each upgraded service that nobody edited.
        progress: is told what comes next.

    Raises:
        FleetError: the template has no such versions, or a given answer is not accepted.
    """
    given = given or Scenarios()
    with tempfile.TemporaryDirectory(prefix="golden-path-simulate-") as place:
        folder = Path(place)
        if reason := credentials.reason(source):
            raise FleetError(f"the template's address {reason}", Exit.USAGE)
        copy, change, olds = _copy(source, folder / "template.git", to, old, last)
        template = Template(str(copy), folder / "cache")
        template.refresh()
        rows: list[Row] = []
        refused: list[tuple[Mapping[str, Any], str]] = []
        asked = given.answers or scenarios.pairwise(template.at(olds[-1]).config, services)
        nothing: dict[str, str] = {}  # why a set was refused, by version; of those of which none was accepted
        for number, (version, answers) in enumerate((version, one) for version in olds for one in asked):
            progress(f"{number + 1} of {len(olds) * len(asked)}: {version}, {shown(answers)}")
            rehearsal = _Rehearsal(folder / str(number), template, version, answers, renderer)
            try:
                rehearsal.write(strict=bool(given.answers))
            except FleetError as error:
                reason = _how_to_answer(error)
                if given.answers:
                    raise FleetError(f"{shown(answers)}: {reason}", error.code) from None
                if version == olds[-1]:
                    refused.append((answers, reason))
                if all(row.old != version for row in rows):
                    nothing.setdefault(version, f"{shown(answers)}: {reason}")
                continue
            nothing.pop(version, None)
            rows.append(rehearsal.upgrade(check=check))
            if edits or given.edits:
                rehearsal.edit(given.edits, edits, f"{seed} {number}")
                rows.append(rehearsal.upgrade(edited=True))
    if not rows:
        reason = next(iter(nothing.values()), "")
        raise FleetError(f"nothing was rehearsed, since every set of answers was refused: {reason}", Exit.ANSWERS)
    rows += [Row(version, {}, edited=False, problem=f"every set of answers was refused: {reason}")
             for version, reason in nothing.items()]  # fmt: skip
    return Outcome(change, rows, refused)


def _how_to_answer(error: FleetError) -> str:
    """Return a reason that names the way in which a rehearsal is given answers."""
    return re.sub(r"pass --data (\w+)=VALUE.*", r"answer \1 in a file with --answers FILE", str(error))


def shown(answers: Mapping[str, Any]) -> str:
    """Return answers as one short text."""
    return ", ".join(f"{name}={value}" for name, value in answers.items()) or "defaults"


def _copy(source: str, folder: Path, to: str, old: Sequence[str], last: int) -> tuple[Path, str, list[str]]:
    """Make a repository with the change as a branch, the old versions as they are named, and the objects of another.

    A change under review is often on no branch: CI checks out a commit. So the refs are our own.

    Returns:
        The repository, the commit of the change, and the names of the old versions, oldest first.
    """
    local = Path(source).expanduser()
    try:
        if not local.is_dir():
            local = folder.with_name("clone")
            git.run("clone", "--quiet", "--bare", "--", source, local)
        objects = git.text("rev-parse", "--path-format=absolute", "--git-path", "objects", cwd=local)
        tags = dict(
            line.split(" ", 1)[::-1]
            for line in git.text("for-each-ref", "--format=%(objectname) %(refname:short)", "refs/tags", cwd=local)
            .splitlines()
        )  # fmt: skip
        change = _commit(local, to)
    except git.GitError as error:
        raise git.refuse(error, f"the template {source} cannot be read", Exit.TEMPLATE) from None
    wanted = list(old) or [tag for tag in versions.releases(tags) if _is_before(local, tag, change)][-last:]
    if not wanted:
        raise FleetError("the template has no release before the change: name a version with --from", Exit.TEMPLATE)
    git.run("init", "--quiet", "--bare", "--initial-branch", CHANGE, folder)
    (folder / "objects/info/alternates").write_text(f"{objects}\n", encoding="utf-8")
    refs = {f"refs/heads/{CHANGE}": change}
    refs |= {f"refs/tags/{name}": commit for name, commit in tags.items()}
    refs |= {f"refs/heads/from-{number}": _commit(local, name) for number, name in enumerate(wanted)}
    lines = "".join(f"create {name} {commit}\n" for name, commit in refs.items())
    git.run("update-ref", "--stdin", cwd=folder, data=lines.encode())
    return folder, change, [name if name in tags else _commit(local, name) for name in wanted]


def _commit(repository: Path, name: str) -> str:
    found = git.text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", cwd=repository,
                     codes=(0, 1, 128))  # fmt: skip
    if not found:
        raise FleetError(f"the template has no version {name!r}", Exit.TEMPLATE)
    return found


def _is_before(repository: Path, tag: str, change: str) -> bool:
    commit = _commit(repository, tag)
    base = git.text("merge-base", commit, change, cwd=repository, codes=(0, 1))
    return base == commit and commit != change


class _Rehearsal:
    """One service, in a repository of its own."""

    def __init__(
        self, folder: Path, template: Template, version: str, answers: Mapping[str, Any], renderer: Renderer
    ) -> None:
        self.path = folder / NAME
        self.release, self.renderer = template.at(version), renderer
        known = self.release.config.questions
        self.answers = {name: value for name, value in answers.items() if name in known}  # the others came later
        self.wrote: list[str] = []
        self.touched: list[str] = []

    def write(self, *, strict: bool) -> None:
        """Render the old version, and commit it.

        Args:
            strict: otherwise, answers that the template refuses by name, since they do not go with others, are dropped.

        Raises:
            FleetError: the answers are not accepted.
        """
        self.path.mkdir(parents=True)
        while True:
            try:
                self.renderer.render(self.release, self.path, ANSWERS, dict(self.answers))
                break
            except FleetError as error:
                named = [name for name in self.answers if re.search(rf"\b{re.escape(name)}\b", str(error))]
                if strict or not named:
                    raise
                self.answers.pop(named[0])
        self.git("init", "--quiet", "--initial-branch", "main")
        self.commit()
        owner = Ownership(self.release.template.at(CHANGE).config, self.answers)
        names = self.git("ls-files", "-z").split("\0")
        self.wrote = [name for name in names if name and name != ANSWERS and not owner.seeded(name)]

    def git(self, *arguments: str) -> str:
        return git.run(*arguments, cwd=self.path, env=_AUTHOR).decode(errors="surrogateescape")

    def commit(self) -> None:
        self.git("add", "--all", "--force", ".")
        self.git("commit", "--quiet", "--allow-empty", "--message", "A step")

    def edit(self, given: Sequence[Mapping[str, Any]], number: int, seed: str) -> None:
        """Do what people do: half of what is at random goes to files that the change touches."""
        scenarios.at_random(self.path, self.touched, number - number // 2, f"{seed} touched")
        scenarios.at_random(self.path, self.wrote, number // 2, f"{seed} any")
        scenarios.given(self.path, given)
        self.commit()

    @contextlib.contextmanager
    def upgraded(self) -> Iterator[tuple[plan.Plan, Store]]:
        opened = service.load(self.path)
        with between(opened, self.release, self.release.template.at(CHANGE), self.renderer) as upgrade:
            yield plan.compute(upgrade, ask_secrets=False), upgrade.store

    def upgrade(self, *, edited: bool = False, check: str = "") -> Row:
        """Compute the upgrade, and look at it."""
        try:
            with self.upgraded() as (planned, store):
                moved = {one.source or one.path for one in planned.changes if one.before}
                self.touched = [name for name in self.wrote if name in moved]
                conflicts = {one.path: one.reason for one in planned.changes if one.status == CONFLICT}
                merged = sum(one.status == MERGED for one in planned.changes)
                head = self.git("rev-parse", "HEAD").strip()
                numbers = store.run("diff-tree", "-r", "--numstat", head, store.write(planned.tree)).decode()
                counted = re.findall(r"^(\d+)\t(\d+)\t", numbers, re.MULTILINE)
                lines = sum(int(added) + int(removed) for added, removed in counted)
                broken = ""
                if check:
                    folder = store.folder / "check" / NAME
                    folder.mkdir(parents=True)
                    with store.checkout(planned.tree, folder):
                        broken = _failed(check, folder)
                    if broken and _failed(check, self.path):
                        broken += " (before the upgrade, too)"
                return Row(self.release.version, self.answers, edited, conflicts, merged, lines, broken)
        except FleetError as error:
            return Row(self.release.version, self.answers, edited, problem=str(error))


def _failed(command: str, folder: Path) -> str:
    """Run a command; returns nothing where it passed, else the last line of what it said."""
    with surroundings.made() as variables:
        code, output = processes.last(["/bin/sh", "-c", command], env=variables, cwd=folder, limit=TIMEOUT, read=READ)
    if code is None:
        return f"no end after {TIMEOUT} seconds"
    said = output.strip().decode(errors="replace").splitlines()
    return (said[-1] if said else f"exit code {code}") if code else ""


def table(outcome: Outcome) -> Iterator[str]:
    """Yield what a person reads."""
    head = ("from", "services", "upgrades", "in conflict", "merged files", "broken", "changed lines")
    cells = []
    for old in dict.fromkeys(row.old for row in outcome.rows):
        rows = [row for row in outcome.rows if row.old == old]
        lines = [row.lines for row in rows if not row.edited and not row.problem]
        middle = f"{statistics.median(lines):.0f} (at most {max(lines)})" if lines else "-"
        cells.append((
            old[:12], str(sum(not row.edited for row in rows)), str(len(rows)),
            str(sum(bool(row.conflicts) for row in rows)), str(sum(row.merged for row in rows)),
            str(sum(bool(row.broken) for row in rows)), middle,
        ))  # fmt: skip
    widths = [max(len(line[number]) for line in (head, *cells)) for number in range(len(head))]
    for line in (head, *cells):
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
    yield f"{outcome.rate:.1f} % of the edited services have a conflict"
    yield from (f"  conflict  {path}, {count} times" for path, count in outcome.files[:20])
    yield from (f"  broken    {row.old[:12]}, {shown(row.answers)}: {row.broken}" for row in outcome.broken)
    yield from (f"  failed    {row.old[:12]}, {shown(row.answers)}: {row.problem}" for row in outcome.problems)
    yield from (f"  refused   {shown(answers)}: {reason}" for answers, reason in outcome.refused)


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return a rehearsal for a program (docs/reference/fleet.md describes it)."""
    return {
        "change": outcome.change,
        "conflict_rate": round(outcome.rate, 2),
        "broken": len(outcome.broken),
        "failed": len(outcome.problems),
        "upgrades": [
            {"from": row.old, "answers": dict(row.answers), "edited": row.edited, "conflicts": dict(row.conflicts),
             "merged": row.merged, "changed_lines": row.lines, "broken": row.broken, "problem": row.problem}
            for row in outcome.rows
        ],
        "refused": [{"answers": dict(answers), "reason": reason} for answers, reason in outcome.refused],
    }  # fmt: skip
