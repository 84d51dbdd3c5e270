"""One synthetic service of a rehearsal: rendered, edited and upgraded."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from golden_path.errors import FleetError
from golden_path.rehearsal import scenarios
from golden_path.rehearsal.change import CHANGE
from golden_path.rehearsal.outcome import Row
from golden_path.rendering import surroundings
from golden_path.rendering.render import Renderer
from golden_path.source.ownership import Ownership
from golden_path.source.template import Template
from golden_path.store import git, processes, service
from golden_path.store.trees import Store
from golden_path.upgrade import plan
from golden_path.upgrade.changes import CONFLICT, MERGED
from golden_path.upgrade.upgrade import between

ANSWERS = ".copier-answers.yml"
NAME = "orders"  # of the folder of each service
TIMEOUT = 1800  # seconds for a check
READ = 1 << 20  # bytes of what a check prints, from its end
_AUTHOR = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "simulate"), ("EMAIL", "simulate@noreply.invalid"), ("DATE", "2026-01-01T00:00:00Z"))
} | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}


class Rehearsal:
    """One service, in a repository of its own.

    Args:
        folder: for the repository.
        template: its template.
        version: the old version.
        answers: what it answers, all else being at its default; questions that came later are left out.
        renderer: a worker.
    """

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
