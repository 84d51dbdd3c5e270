"""One service in a rollout: how it stands, and the next step forward or back. Each step twice is once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from golden_path import unexpected
from golden_path.rendering.render import Renderer
from golden_path.rollout import checks, forges
from golden_path.rollout.clones import Clone
from golden_path.rollout.fleet_file import OPTIONAL, Member
from golden_path.rollout.forges import GREEN, PENDING, RED, UNKNOWN, Forge, Pull
from golden_path.rollout.ledger import Rollout
from golden_path.source.template import Templates
from golden_path.store import branches, cache, git, service
from golden_path.store.service import Service
from golden_path.upgrade import apply, moved, proposal, rollback

TODO, READY, UPGRADED, DECLINED, FAILED = "todo", "ready", "merged", "declined", "failed"
RETURNED, RETURNING = "back", "returning"
FORWARD = (GREEN, READY, UPGRADED, PENDING, TODO, RED, DECLINED, FAILED)
BACKWARD = (RETURNED, DECLINED, RETURNING, TODO, FAILED)


@dataclass(frozen=True)
class Seen:
    """How a service stands in a rollout.

    Attributes:
        name: of the service.
        ring: its ring.
        state: forward ``todo``, ``pending`` (a pull request is open), ``ready`` (its checks are green), ``merged``
            (without a result of its checks yet), ``green``, ``red``, ``declined`` (closed by a person) or ``failed``;
            on the way back ``todo``, ``returning`` (a pull request is open), ``back``, ``declined`` or ``failed``.
        version: of the template that it has; empty where it could not be looked at.
        url: of its pull request, or the branch.
        conflicts: how many files a person has to decide.
        problem: why it failed.
        code: the exit code for that.
        moved: what to say where the tag of its version was moved; empty where it was not.
        ahead: whether it has a version that came after the rollout's.
    """

    name: str
    ring: str
    state: str
    version: str = ""
    url: str = ""
    conflicts: int = 0
    problem: str = ""
    code: int = 0
    moved: str = ""
    ahead: bool = False


class Step:
    """One service while it is looked at, with its clone held.

    Args:
        member: the service.
        rollout: the rollout.
        templates: of this run: the fleet's.
    """

    def __init__(self, member: Member, rollout: Rollout, templates: Templates) -> None:
        self._member = member
        self._rollout = rollout
        self._templates = templates
        self._clone = Clone(member.git)
        self._forge: Forge = forges.of(member, self._clone)

    def look(self, *, back: bool) -> Seen:
        """Say how the service stands; writes nothing but the cache."""
        return self._safely(lambda: self._back() if back else self._forward())

    def forward(self, renderer: Renderer) -> Seen:
        """Open the upgrade's pull request where there is none; run the check where it is ours to run."""

        def step() -> Seen:
            opened = self._open()
            if not self._has(opened):
                branch = branches.name(opened, self._rollout.version)
                pull = self._forge.pull(branch, self._rollout.mark)
                if pull is None or (pull.state == forges.OPEN and self._stale(opened, branch)):
                    self._propose(opened, branch, pull, renderer)
            self._check(opened)
            return self._forward()

        return self._safely(step)

    def back(self) -> Seen:
        """Close the upgrade's pull request, or open one that takes it back where it was merged."""

        def step() -> Seen:
            opened = self._open()
            upgrade = branches.name(opened, self._rollout.version)
            if self._at(opened):
                branch = branches.name(opened, opened.answers.version, "revert-")
                if self._forge.pull(branch, self._rollout.mark) is None:
                    old = branches.tip(opened, branch)
                    with cache.locked(self._clone.path, wait=True):
                        rollback.revert(opened)
                    self._publish(opened, branch, old, None)
            elif pull := self._forge.pull(upgrade, self._rollout.mark):
                if pull.state == forges.OPEN:
                    self._forge.close(pull, f"The rollout was stopped: {self._rollout.reason}")
                self._remove(opened, upgrade)
            return self._back()

        return self._safely(step)

    def _safely(self, step: Callable[[], Seen]) -> Seen:
        try:
            with self._clone.fresh():
                return step()
        except Exception as error:
            problem, code = unexpected.told(error)
            return self._seen(FAILED, problem=problem, code=int(code))

    def _open(self) -> Service:
        opened = service.load(self._clone.path, self._member.answers_file)
        self._templates.get(opened.answers.source)  # another template is refused
        return opened

    def _at(self, opened: Service) -> bool:
        """Whether HEAD has just the rollout's version."""
        known = self._templates.get(opened.answers.source)
        return known.commit(opened.answers.version) == known.commit(self._rollout.version)

    def _has(self, opened: Service) -> bool:
        """Whether HEAD has the rollout's version, or one that came after it."""
        known = self._templates.get(opened.answers.source)
        have, want = known.commit(opened.answers.version), known.commit(self._rollout.version)
        return have == want or known.contains(have, want)

    def _forward(self) -> Seen:
        opened = self._open()
        if self._has(opened):
            result = self._forge.checks(self._judged(opened))
            if result == UNKNOWN and self._member.checks == OPTIONAL:
                result = GREEN
            return self._seen(result if result in (GREEN, RED) else UPGRADED, opened)
        branch = branches.name(opened, self._rollout.version)
        pull = self._forge.pull(branch, self._rollout.mark)
        if pull is None:
            return self._seen(TODO, opened)
        if pull.state == forges.CLOSED:
            return self._seen(DECLINED, opened, pull)
        tip = branches.tip(opened, branch)
        result = self._forge.checks(tip) if tip else UNKNOWN
        if result == UNKNOWN and self._member.checks == OPTIONAL:
            result = GREEN
        return self._seen({GREEN: READY, RED: RED}.get(result, PENDING), opened, pull, conflicts(opened, tip))

    def _back(self) -> Seen:
        opened = self._open()
        if self._at(opened):
            pull = self._forge.pull(branches.name(opened, opened.answers.version, "revert-"), self._rollout.mark)
            if pull is None:
                return self._seen(TODO, opened)
            return self._seen(RETURNING if pull.state == forges.OPEN else DECLINED, opened, pull)
        pull = self._forge.pull(branches.name(opened, self._rollout.version), self._rollout.mark)
        if pull and pull.state == forges.OPEN:
            return self._seen(TODO, opened, pull)
        return self._seen(RETURNED, opened)

    def _judged(self, opened: Service) -> str:
        """The commit that brought the upgrade; later ones are not the upgrade's fault."""
        return rollback.last_upgrade(opened)[0] or opened.head

    def _propose(self, opened: Service, branch: str, pull: Pull | None, renderer: Renderer) -> None:
        old = branches.tip(opened, branch)
        if not old or branches.ours_alone(opened, old):
            apply.apply(
                self._clone.path, renderer, self._templates,
                to=self._rollout.version, data=self._member.data, answers_file=self._member.answers_file,
            )  # fmt: skip
        self._publish(opened, branch, old, pull)

    def _publish(self, opened: Service, branch: str, old: str, pull: Pull | None) -> None:
        """Push a branch of the clone's, and open its pull request where there is none."""
        tip = branches.tip(opened, branch)
        if tip != old:
            self._clone.push(tip, f"refs/heads/{branch}", old)
        if pull is None:
            title, body = proposal.text(opened.path, branch, tip)
            self._forge.open(branch, title, f"{self._rollout.mark}\n\n{body}")

    def _stale(self, opened: Service, branch: str) -> bool:
        """Whether our own branch has nothing to merge any more, or cannot be merged."""
        tip = branches.tip(opened, branch)
        if not tip or not branches.ours_alone(opened, tip):
            return False
        if git.text("rev-list", "--count", tip, f"^{opened.head}", cwd=opened.path) == "0":
            return True  # merged and taken back before
        done = git.run("merge-tree", "--write-tree", "--no-messages", opened.head, tip, cwd=opened.path, codes=(0, 1))
        return len(done.splitlines()) > 1  # the tree, and what is in conflict

    def _remove(self, opened: Service, branch: str) -> None:
        tip = branches.tip(opened, branch)
        if tip and branches.ours_alone(opened, tip):
            self._clone.push("", f"refs/heads/{branch}", tip)

    def _check(self, opened: Service) -> None:
        if not self._member.check:
            return
        done = self._has(opened)
        commit = self._judged(opened) if done else branches.tip(opened, branches.name(opened, self._rollout.version))
        if commit and self._forge.checks(commit) == UNKNOWN:
            checks.run(self._clone, commit, self._member.check, self._member.environment)

    def _seen(
        self, state: str, opened: Service | None = None, pull: Pull | None = None, undecided: int = 0,
        problem: str = "", code: int = 0,
    ) -> Seen:  # fmt: skip
        version, url = opened.answers.version if opened else "", pull.url if pull else ""
        line = moved.line(opened, self._templates.get(opened.answers.source)) if opened else ""
        ahead = opened is not None and self._has(opened) and not self._at(opened)
        return Seen(self._member.name, self._member.ring, state, version, url, undecided, problem, code, line, ahead)


def conflicts(opened: Service, tip: str) -> int:
    """Return how many files a branch of ours leaves to a person, as its message says."""
    if not tip:
        return 0
    text = git.text("log", "--format=%B", tip, f"^{opened.head}", cwd=opened.path)
    return len(re.findall(r"^- \[ \] `", text, re.MULTILINE))
