"""A run over the fleet: observe, decide, write the ledger, work; again until nothing is left to decide."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from golden_path.errors import Exit, FleetError
from golden_path.rendering.render import Renderer
from golden_path.rollout import clones, judge, ledger
from golden_path.rollout.fleet_file import Fleet, Member
from golden_path.rollout.ledger import Ledger, Rollout
from golden_path.rollout.progress import Progress
from golden_path.rollout.steps import Seen, Step
from golden_path.source.template import Templates
from golden_path.store import cache, processes

Done = TypeVar("Done")
SHARDS = 256  # the most jobs that a matrix of GitHub's has


@dataclass(frozen=True)
class Result:
    """How a rollout stands after a run.

    Attributes:
        rollout: as the ledger has it; None where there was none.
        seen: the services that were looked at.
    """

    rollout: Rollout | None
    seen: tuple[Seen, ...] = ()


class Run:
    """A run over a fleet.

    Args:
        fleet: the fleet.
        jobs: how many services are looked at at the same time.
    """

    def __init__(self, fleet: Fleet, jobs: int) -> None:
        self.fleet = fleet
        self._jobs = jobs
        self._templates = Templates(fleet.template)
        self._ledger = Ledger(fleet.file)
        self._known = 0  # events that were there before this run

    def status(self) -> Result:
        """Say how the rollout stands; changes nothing."""
        rollout = ledger.last(self._ledger.read())
        if rollout is None or rollout.state in (ledger.BACK, ledger.DONE):
            return Result(rollout)
        return Result(rollout, self._look(rollout, self._members(rollout)))

    def judge(self, to: str = "") -> Result:
        """Start, continue, stop or end the rollout by how the services stand; touches none of them.

        Args:
            to: the version; the template's newest where there is none given.

        Raises:
            FleetError: another run works on the fleet, or another version is rolled out.
        """
        with self._alone():
            return self._until_decided(self._begin(to), self._look)

    def advance(self, renderer: Renderer, to: str = "") -> Result:
        """Judge, and do what is to be done: pull requests for the ring, or the way back."""
        with self._alone():
            return self._until_decided(self._begin(to), lambda one, members: self._work(one, members, renderer))

    def shard(self, renderer: Renderer, index: int, count: int) -> Result:
        """Do one part of what is to be done, and judge nothing: several shards may run at once.

        Args:
            renderer: a worker.
            index: which part, from 1.
            count: of how many.
        """
        with self._alone(shared=True):
            rollout = ledger.last(self._ledger.read())
            if rollout is None or rollout.state in (ledger.BACK, ledger.DONE):
                return Result(rollout)
            return Result(rollout, self._work(rollout, self._members(rollout)[index - 1 :: count], renderer))

    def rollback(self, renderer: Renderer, reason: str) -> Result:
        """Stop the rollout, also one that is done, and open the way back.

        Raises:
            FleetError: there was none, or it is back already.
        """
        with self._alone():
            events = self._ledger.read()
            self._known = len(events)
            rollout = ledger.last(events)
            if rollout is None or rollout.state == ledger.BACK:
                raise FleetError("nothing to roll back: no version is rolled out", Exit.FLEET)
            if rollout.state != ledger.STOP:
                events = self._ledger.add(events, ledger.event(ledger.STOP, reason=reason))
            return self._until_decided(events, lambda one, members: self._work(one, members, renderer))

    def shards(self, result: Result, size: int) -> list[str]:
        """Return the parts, as ``--shard`` takes them, into which the work of a rollout is cut.

        Args:
            result: of ``judge``.
            size: how many services a part should have.
        """
        if result.rollout is None or result.rollout.state in (ledger.BACK, ledger.DONE):
            return []
        number = min(SHARDS, -(-len(result.seen) // size))
        return [f"{index}/{number}" for index in range(1, number + 1)]

    def _begin(self, to: str) -> list[dict[str, Any]]:
        events = self._ledger.read()
        self._known = len(events)
        rollout = ledger.last(events)
        if rollout and rollout.state in (ledger.START, ledger.STOP):
            if to and to != rollout.version:
                raise FleetError(
                    f"{rollout.version} is being {'rolled out' if rollout.state == ledger.START else 'taken back'}: "
                    f"{to} can start after that; to stop a rollout: golden-path fleet rollback",
                    Exit.FLEET,
                )
            return events
        template = self._templates.get(self.fleet.template)
        version = to or template.newest()
        template.commit(version)
        if rollout and rollout.version == version and not to:
            return events
        ring = self.fleet.rings[0].name
        return self._ledger.add(
            events, ledger.event(ledger.START, version=version), ledger.event(ledger.RING, ring=ring)
        )

    def _until_decided(
        self, events: list[dict[str, Any]], observe: Callable[[Rollout, Sequence[Member]], tuple[Seen, ...]]
    ) -> Result:
        clones.bound()
        seen: tuple[Seen, ...] = ()
        while True:
            rollout = ledger.last(events)
            if rollout is None or rollout.state in (ledger.BACK, ledger.DONE):
                return Result(rollout, seen)
            seen = observe(rollout, self._members(rollout))
            first = len(events) > self._known and events[-1]["event"] == ledger.RING
            added = [*judge.by_hand(rollout, seen, first=first), *judge.decide(self.fleet, rollout, seen)]
            if not added:
                return Result(rollout, seen)
            events = self._ledger.add(events, *added)

    def _members(self, rollout: Rollout) -> list[Member]:
        return [member for ring in judge.scope(self.fleet, rollout) for member in ring.members]

    def _look(self, rollout: Rollout, members: Sequence[Member]) -> tuple[Seen, ...]:
        back = rollout.state == ledger.STOP
        return tuple(self.each("look", members, lambda one: self._step(one, rollout).look(back=back)))

    def _work(self, rollout: Rollout, members: Sequence[Member], renderer: Renderer) -> tuple[Seen, ...]:
        def step(member: Member) -> Seen:
            one = self._step(member, rollout)
            return one.back() if rollout.state == ledger.STOP else one.forward(renderer)

        return tuple(self.each("back" if rollout.state == ledger.STOP else "upgrade", members, step))

    def _step(self, member: Member, rollout: Rollout) -> Step:
        return Step(member, rollout, self._templates)

    def each(self, title: str, members: Sequence[Member], do: Callable[[Member], Done]) -> Iterator[Done]:
        """Yield what a function makes of each service, in their order, several at a time."""
        yield from each(title, members, do, self._jobs)

    def _alone(self, *, shared: bool = False) -> Any:
        message = f"another golden-path process is using {self.fleet.file}: try again when it has finished"
        return cache.locked(self._ledger.folder, wait=False, message=message, shared=shared)


def each(title: str, members: Sequence[Member], do: Callable[[Member], Done], jobs: int) -> Iterator[Done]:
    """Yield what a function makes of each service, in their order, several at a time, with a progress bar."""
    pool = ThreadPoolExecutor(max_workers=jobs)
    futures = [pool.submit(do, one) for one in members]
    try:
        with Progress(title, len(members)) as progress:
            for member, future in zip(members, futures, strict=True):
                yield future.result()
                progress.step(member.name)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        while any(one.running() for one in futures):  # after an interruption; what they run would take its time
            processes.interrupt()
            time.sleep(0.05)
        pool.shutdown(wait=True)
