"""The parts of a template that a repository takes, one at a time or all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from golden_path.errors import Exit, FleetError
from golden_path.source import adoption_rules, infer
from golden_path.source.adoption_rules import Part
from golden_path.source.infer import Repository
from golden_path.store import git
from golden_path.store.service import Service


class Chosen:
    """What an adoption takes of a template.

    Args:
        parts: those of the template.
        only: the names that were asked for; empty for all.

    Attributes:
        asked: the names that were asked for; empty for all.
        names: of these, and of the parts that they need, in the template's order; empty for all.

    Raises:
        FleetError: a name is none.
    """

    def __init__(self, parts: Mapping[str, Part], only: Sequence[str]) -> None:
        self.asked = list(dict.fromkeys(name.strip() for one in only for name in one.split(",")))
        if self.asked and not parts:
            raise FleetError("the template has no parts (adopt.yml): adopt without --only", Exit.USAGE)
        if unknown := [name for name in self.asked if name not in parts]:
            raise FleetError(
                f"--only: there is no part {', '.join(map(repr, unknown))}; the parts are {', '.join(parts)}",
                Exit.USAGE,
            )
        wanted: set[str] = set()
        while more := {*self.asked, *(need for name in wanted for need in parts[name].needs)} - wanted:
            wanted |= more
        self.names = [name for name in parts if name in wanted]
        self._parts = parts
        self._own: dict[str, str] = {}

    def look(self, repository: Repository, wrote: Collection[str]) -> None:
        """Find what the repository has of its own in place of a part that it has not taken.

        Args:
            repository: in which to look.
            wrote: the files of the template.
        """
        self._own = {name: own for name in self._parts if (own := self._has_own(name, repository, wrote))}

    def _has_own(self, name: str, repository: Repository, wrote: Collection[str]) -> str:
        part = self._parts[name]
        found = (
            infer.first(part.unless, repository)
            if adoption_rules.missing(part.files, wrote, repository.paths)
            else None
        )
        if found:
            return f"you have {found.where}" + (f": {part.say}" if part.say else "")
        return next((own for need in part.needs if (own := self._has_own(need, repository, wrote))), "")

    def has(self, path: str) -> bool:
        """Whether a file is of a part."""
        return any(infer.matches(part.files, path) for part in self._parts.values())

    def left_out(self, path: str) -> str | None:
        """Say why a file of the template does not come.

        Args:
            path: of the file.

        Returns:
            The reason; empty where it comes, and None where it is of no part that was asked for.
        """
        of = [name for name, part in self._parts.items() if infer.matches(part.files, path)]
        if self.names and not set(of) & set(self.names):
            return None
        reasons = [self._own.get(name, "") for name in of if not self.names or name in self.names]
        return next((one for one in reasons if one), "") if all(reasons) else ""

    def notes(self) -> list[str]:
        """What a person should know of it."""
        if not self.names:
            return []
        rest = [name for name in self._parts if name not in self.names]
        later = f"; the rest stays out until `golden-path adopt --only` asks for it: {', '.join(rest)}" if rest else ""
        return [f"parts: {', '.join(self.names)}{later}"]


def deleted(opened: Service, paths: Sequence[str]) -> set[str]:
    """Return those of some paths that the repository had once, and deleted.

    Args:
        opened: the repository.
        paths: that it does not have.
    """
    if not paths:
        return set()
    listed = git.text("log", "--no-renames", "--diff-filter=D", "--format=", "--name-only", "-z", opened.head, "--",
                      *(f":(literal){path}" for path in paths), cwd=opened.path)  # fmt: skip
    return set(listed.split("\0")) & set(paths)
