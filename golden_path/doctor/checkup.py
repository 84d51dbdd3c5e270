"""Look at a repository with all rules; nothing in it is touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from golden_path import unexpected
from golden_path.doctor import areas, member  # noqa: F401 - it has the checks of its rules
from golden_path.doctor.repository import Repository, membership
from golden_path.doctor.score import costs, score
from golden_path.errors import Exit, FleetError
from golden_path.rendering.render import Renderer
from golden_path.rules import book, every, exceptions  # noqa: F401 - every has all rules
from golden_path.rules.book import ANY, MEMBER, SERVICE, Finding
from golden_path.store import answers, committed, service
from golden_path.store.service import Service
from golden_path.store.trees import Entry, Store


@dataclass(frozen=True)
class Report:
    """What was found.

    Attributes:
        path: of the repository.
        findings: by rule, then by file.
        score: 0 to 100; 0 where there is nothing to judge.
        costs: what the score is made of, the points that each broken rule costs.
        judged: what there was to judge, such as workflows; empty where there was nothing.
        failed: rules that could not be checked, each with the reason.
        skipped: why files were not compared with the template; empty where they were, or where there is none.
        fixes: a patch for ``git apply``.
        dirty: whether the work tree has changes, which were not looked at.
    """

    path: str
    findings: Sequence[Finding]
    score: int
    costs: Mapping[str, int]
    judged: Sequence[str]
    failed: Sequence[str]
    skipped: str
    fixes: str
    dirty: bool


def examine(path: Path, renderer: Renderer, *, answers_file: str = "", only: Sequence[str] = ()) -> Report:
    """Look at a repository.

    Args:
        path: its root.
        renderer: a worker.
        answers_file: which, where there are several.
        only: rules; all where there are none given.

    Raises:
        FleetError: it is no repository, or there is no such rule.
    """
    wanted, unknown = book.named(only)
    if unknown:
        raise FleetError(f"there is no rule {', '.join(unknown)}; see golden-path doctor --list", Exit.USAGE)
    opened, name, problem = _open(path, answers_file)
    with Store(opened.objects, opened.attributes, sha256=opened.sha256) as store:
        joined = membership(opened, name, problem, renderer, store)
        repository = Repository(store.list(opened.head), store, joined)
        judged = areas.judged(repository)
        findings: list[Finding] = []
        failed: list[str] = []
        scopes = (ANY, MEMBER, SERVICE) if repository.service else (ANY, MEMBER)
        for identifier, one in book.chosen(scopes).items():
            if only and identifier not in wanted:
                continue
            try:
                findings += [Finding(one, found) for found in one.check(repository)]
            except Exception as error:  # the other rules are checked all the same
                failed.append(f"{identifier}: {unexpected.told(error)[0]}")
        findings = exceptions.without(repository, findings)
        fixes = _patch(repository, findings)
    dirty = service.uncommitted(opened)
    points = score(findings) if judged else 0
    return Report(str(path), findings, points, costs(findings), judged, failed, joined.skipped, fixes, dirty)


def _open(path: Path, wanted: str) -> tuple[Service, str, str]:
    """The repository, the name of its answers file, and why that cannot be read."""
    opened, names = service.without_answers(path)
    if not wanted and not any(answers.PATTERN.fullmatch(name) for name in names):
        return opened, "", ""
    name = service.find_answers(opened, names, wanted)
    try:
        found = answers.parse(name, committed.read(opened.path, opened.head, name, Exit.ANSWERS) or b"")
    except FleetError as error:
        return replace(opened, answers=replace(answers.NONE, path=name)), name, str(error)
    return replace(opened, answers=found), name, ""


def _patch(repository: Repository, findings: Sequence[Finding]) -> str:
    store, tree = repository.store, dict(repository.tree)
    for one in findings:
        if fix := one.found.fix:
            has = tree.get(fix.path)
            content = fix.change(store.read(has.blob) if has else b"")
            tree[fix.path] = Entry(has.mode if has else fix.mode, store.hash(content))
    if tree == repository.tree:
        return ""
    sides = store.write(repository.tree), store.write(tree)
    output = store.run("diff", "--no-ext-diff", "--no-textconv", "--no-renames", "--binary", "--full-index", *sides)
    return output.decode(errors="surrogateescape")
