"""Before a merge: bring each file that a side moved to one path in all three trees, so that edits follow it there.

git would look for moved files itself, and take any of several that are the same. After this it merges each path with
itself, so an edit can only be in the file where its own went.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from golden_path.store.renames import Renames
from golden_path.store.trees import Entry, Tree

BOTH_ADDED = "you and the template both added it"
CHANGED = "you moved or deleted it, and the template changed it"
NAMED = 4  # places in a reason
REMOVED = "the template removed it, and you changed or moved it"

Report = Callable[[str, str, Entry | None, Entry | None], None]


@dataclass
class Moves:
    """The moves of both sides.

    Attributes:
        base: before both; this and the next two are changed in place.
        ours: the service.
        theirs: the template.
        template: where the template moved files of ``base``.
        person: where the service moved them.
        report: takes a conflict's path, reason, and both sides' versions.
        take_out: takes a path, and what stands there whatever is merged.
        differently: files that both moved, and where the template has them, by the service's path.
    """

    base: Tree
    ours: Tree
    theirs: Tree
    template: Renames
    person: Renames
    report: Report
    take_out: Callable[[str, Entry | None], None]
    differently: dict[str, str] = field(default_factory=dict)

    def follow(self) -> None:
        """Bring moved files together, or report what a person has to decide."""
        for path in sorted(self.base):
            if path not in self.base:
                continue  # it went along with another one
            to, mine = self.template.moved.get(path, ""), self.person.moved.get(path, "")
            if path in self.person.unclear and path not in self.ours:
                self.person_somewhere(path, to)
            elif path in self.template.unclear and path not in self.theirs:
                self.template_somewhere(path, mine)
            elif mine and mine in self.ours and path not in self.ours:
                self.person_moved(path, to if to in self.theirs else "", mine)
            elif to in self.theirs and path in self.ours:
                self.template_moved(path, to)

    def person_somewhere(self, path: str, to: str) -> None:
        """The person moved it to one of several places."""
        places = _either(self.person.unclear[path])
        theirs = self.theirs.get(to or path)
        if theirs is not None and (to or theirs != self.base[path]):
            self.report(to or path, f"you moved {path} to {places}, and the template changed or moved it", None, theirs)
            self.take_out(to or path, self.ours.get(to or path))
        self.take_out(path, None)

    def template_somewhere(self, path: str, mine: str) -> None:
        """The template moved it to one of several places."""
        here = mine or path
        has = self.ours.get(here)
        if has is not None and (mine or has != self.base[path]):
            self.report(here, f"the template moved {path} to {_either(self.template.unclear[path])}", has, None)
            self.take_out(here, has)
        self.take_out(path, None)

    def person_moved(self, path: str, to: str, mine: str) -> None:
        """The person moved it; the template may have moved it, too."""
        theirs = self.theirs.get(to or path)
        if theirs is None:
            self.report(mine, REMOVED, self.ours[mine], None)
            self.take_out(path, None)
            self.take_out(mine, self.ours[mine])
        elif mine in self.theirs and mine != to:
            self.report(mine, BOTH_ADDED, self.ours[mine], self.theirs[mine])
            self.take_out(mine, self.ours[mine])
            if to or theirs != self.base[path]:
                self.report(
                    to or path, f"you moved {path} to {mine}, and the template changed or moved it", None, theirs
                )
                self.take_out(to or path, self.ours.get(to or path))
            self.take_out(path, None)
        else:
            if to and to != mine:
                self.differently[mine] = to
            self.theirs[mine] = self.theirs.pop(to or path)
            self.base[mine] = self.base.pop(path)

    def template_moved(self, path: str, to: str) -> None:
        """The template moved it, and the person did not."""
        has = self.ours[path]
        if to not in self.ours:
            self.ours[to] = self.ours.pop(path)
            self.base[to] = self.base.pop(path)
            return
        if has != self.base[path]:
            self.report(path, f"the template moved it to {to}, where you have another file", has, self.theirs[to])
            self.take_out(path, has)
        else:
            self.take_out(path, None)
        if self.ours[to] != self.theirs[to]:
            self.report(to, BOTH_ADDED, self.ours[to], self.theirs[to])
        self.take_out(to, self.ours[to])


def _either(paths: list[str]) -> str:
    more = [f"{len(paths) - NAMED} other places"] if len(paths) > NAMED else []
    return " or ".join([*paths[:NAMED], *more])
