"""What a rollout has decided so far: a line of JSON an event, in a branch of the repository that has ``fleet.yaml``.

The state of each service is in its branches and pull requests; here is only what cannot be read from them: which
version is rolled out, which rings have started, and whether it was stopped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from golden_path.errors import Exit, FleetError
from golden_path.store import git
from golden_path.untrusted import foreign

BRANCH = "golden-path/ledger"
FILE = "ledger.jsonl"
START, RING, ENOUGH, LACK, STOP, BACK, DONE = "start", "ring", "enough", "lack", "stop", "back", "done"
HAND = "hand"  # a service has a version that this rollout has not brought to it
LONGEST = 2000  # characters of a value
FIRST, LAST = 2000, 2999  # years in which there are rollouts
_REF = f"refs/heads/{BRANCH}"
_TRACKED = "refs/golden-path/ledger"


@dataclass(frozen=True)
class Rollout:
    """One version on its way through the rings.

    Attributes:
        id: when it was started, which no other one has.
        version: of the template.
        ring: the name of the one that started last.
        state: the event that counts: ``start`` (it runs), ``stop`` (it is taken back), ``back`` or ``done``.
        reason: why it was stopped.
        enough: since when enough of the ring is green; None where it is not.
        started: when each ring started, by name.
        hand: the version that somebody brought to a service by hand, by the name of the service.
    """

    id: str
    version: str
    ring: str = ""
    state: str = START
    reason: str = ""
    enough: datetime | None = None
    started: dict[str, str] = field(default_factory=dict)
    hand: dict[str, str] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """The line by which its pull requests are known."""
        return f"Rollout: {self.version} of {self.id}"


def event(name: str, **facts: Any) -> dict[str, Any]:
    """Return an event of now."""
    return {"at": datetime.now(UTC).isoformat(timespec="microseconds"), "event": name, **facts}


def events(text: str) -> list[dict[str, Any]]:
    """Return the events of a ledger.

    Args:
        text: a line of JSON an event.

    Raises:
        FleetError: a line is none that a run writes; a person may have mended it by hand.
    """
    try:
        lines = text.split("\n") if text else []
        return [_checked(number, json.loads(line)) for number, line in enumerate(lines, 1)]
    except (ValueError, RecursionError) as error:
        raise FleetError(f"the ledger is damaged ({error}): mend {FILE} in the branch {BRANCH}", Exit.FLEET) from None


def last(events: Iterable[dict[str, Any]]) -> Rollout | None:
    """Return the rollout that the events tell of last, or None where there was none."""
    rollout: Rollout | None = None
    for one in events:
        name = one["event"]
        if name == START:
            rollout = Rollout(one["at"], one["version"])
        elif rollout is None:
            continue
        elif name == RING:
            started = {**rollout.started, one["ring"]: one["at"]}
            rollout = replace(rollout, ring=one["ring"], enough=None, started=started)
        elif name == HAND:
            rollout = replace(rollout, hand={**rollout.hand, one["service"]: one["version"]})
        elif name in (ENOUGH, LACK):
            rollout = replace(rollout, enough=datetime.fromisoformat(one["at"]) if name == ENOUGH else None)
        else:
            rollout = replace(rollout, state=name, reason=one.get("reason", rollout.reason))
    return rollout


class Ledger:
    """The ledger of a fleet; in ``origin`` where the repository has one.

    Args:
        file: the fleet's ``fleet.yaml``.

    Raises:
        FleetError: it is in no git repository.
    """

    def __init__(self, file: Path) -> None:
        folder = file.resolve().parent
        try:
            self.folder = Path(git.text("rev-parse", "--path-format=absolute", "--git-common-dir", cwd=folder))
        except git.GitError:
            raise FleetError(
                f"{file} is in no git repository: commit it to one, since the ledger of its rollouts is a branch there",
                Exit.FLEET,
            ) from None
        self._origin = "origin" in git.text("remote", cwd=self.folder).split()
        self._tip = ""

    def read(self) -> list[dict[str, Any]]:
        """Return all events, oldest first.

        Raises:
            FleetError: ``origin`` cannot be reached, or the ledger is damaged.
        """
        ref = _REF
        if self._origin:
            ref = _TRACKED
            try:
                if self._git("ls-remote", "--exit-code", "origin", _REF, codes=(0, 2)):
                    self._git("fetch", "--progress", "--no-tags", "--no-write-fetch-head", "origin", f"+{_REF}:{ref}")
                elif git.text("rev-parse", "--verify", "--quiet", ref, cwd=self.folder, codes=(0, 1)):
                    git.run("update-ref", "-d", ref, cwd=self.folder)
            except git.GitError as error:
                raise git.refuse(error, "the origin of fleet.yaml, which has the ledger, cannot be reached",
                                 Exit.FLEET) from None  # fmt: skip
        self._tip = git.text("rev-parse", "--verify", "--quiet", ref, cwd=self.folder, codes=(0, 1))
        if not self._tip:
            return []
        try:
            return events(git.text("cat-file", "blob", f"{self._tip}:{FILE}", cwd=self.folder))
        except git.GitError as error:
            raise FleetError(
                f"the ledger is damaged ({error}): mend {FILE} in the branch {BRANCH}", Exit.FLEET
            ) from None

    def add(self, known: Sequence[dict[str, Any]], *events: dict[str, Any]) -> list[dict[str, Any]]:
        """Write events after those that were read.

        Args:
            known: what ``read`` returned, or ``add`` before.
            events: to add.

        Returns:
            All events.

        Raises:
            FleetError: another run wrote meanwhile, or the ledger cannot be written.
        """
        everything = [*known, *events]
        text = "".join(json.dumps(one) + "\n" for one in everything)
        blob = self._git("hash-object", "-w", "--stdin", data=text)
        tree = self._git("mktree", data=f"100644 blob {blob}\t{FILE}\n")
        parents = ("-p", self._tip) if self._tip else ()
        title = ", ".join(" ".join(str(one[key]) for key in ("event", "service", "version", "ring") if key in one)
                          for one in events)  # fmt: skip
        commit = self._git("commit-tree", tree, *parents, "-m", f"Ledger: {title}")
        try:
            if self._origin:
                self._git("push", "--progress", "--no-verify", f"--force-with-lease={_REF}:{self._tip}", "origin",
                          f"{commit}:{_REF}")  # fmt: skip
            else:
                self._git("update-ref", _REF, commit, self._tip)
        except git.GitError as error:
            # Without an origin, and with one that took nothing since it has moved, another run was first.
            if not self._origin or re.search(r"stale info|is at \w+ but expected", error.reason):
                why, code = ": did another run write it meanwhile? run again", Exit.BUSY
            else:
                why, code = " to origin", Exit.FLEET
            raise git.refuse(error, f"the ledger ({BRANCH}) cannot be written{why}", code) from None
        self._tip = commit
        return everything

    def _git(self, *arguments: str, data: str = "", codes: tuple[int, ...] = (0,)) -> str:
        done = git.run(*arguments, cwd=self.folder, data=data.encode(), codes=codes, reached_from=self.folder)
        return done.decode().strip()


def _checked(number: int, one: Any) -> dict[str, Any]:
    """Return an event if it is one that a run writes."""
    if not isinstance(one, dict):
        raise ValueError(f"line {number} is no event")
    for key in ("at", "event", "version", "ring", "reason", "service"):
        value = one.get(key, "")
        if not isinstance(value, str) or len(value) > LONGEST or foreign.escaped(value) != value:
            raise ValueError(f"line {number}: {key} must be a text on one line")
    try:
        at = datetime.fromisoformat(one.get("at", ""))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not FIRST <= at.year <= LAST:
        raise ValueError(f"line {number}: at must be a time with its zone, such as 2026-01-31T12:00:00+00:00")
    name = one.get("event", "")
    if name not in (START, RING, ENOUGH, LACK, STOP, BACK, DONE, HAND):
        raise ValueError(f"unknown event {name!r} in line {number}")
    for needed in {START: ("version",), RING: ("ring",), HAND: ("service", "version")}.get(name, ()):
        if not one.get(needed):
            raise ValueError(f"line {number}: {name} needs {needed}")
    return one
