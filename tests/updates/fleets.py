"""A fleet of bare repositories on this machine, and what its people and its CI do."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from golden_path.rendering.render import Renderer
from tests.labs.template import commit_all, git
from tests.updates import cases, foreign
from tests.updates.commands import golden_path
from tests.updates.foreign import NEW

BRANCH = f"golden-path/{NEW}"
REVERT = f"golden-path/revert-{NEW}"
LEDGER = "golden-path/ledger"


@dataclass(frozen=True)
class Fleet:
    """Repositories of services in rings.

    Attributes:
        folder: a repository with ``fleet.yaml``.
        template: its template, of which the services have the first version.
        rings: the repositories of the services by ring.
    """

    folder: Path
    template: Path
    rings: Mapping[str, Sequence[Path]]

    @property
    def file(self) -> Path:
        """The fleet's ``fleet.yaml``."""
        return self.folder / "fleet.yaml"

    @property
    def services(self) -> list[Path]:
        """All repositories."""
        return [one for ring in self.rings.values() for one in ring]

    def run(self, verb: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run ``golden-path fleet VERB``; the exit code is not checked."""
        return golden_path("fleet", verb, self.file, *arguments, **env)

    def told(self, verb: str, *arguments: str) -> dict[str, Any]:
        """Run it with ``--json``, and return what it says."""
        done = self.run(verb, *arguments, "--json")
        assert done.stdout, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def events(self) -> list[str]:
        """The names of the ledger's events."""
        text = git(self.folder, "show", f"{LEDGER}:ledger.jsonl")
        return [json.loads(line)["event"] for line in text.splitlines()]

    def write(self, extra: str = "", ring: Mapping[str, str] | None = None) -> None:
        """Write ``fleet.yaml``, and commit it.

        Args:
            extra: lines for its top, for example ``defaults``.
            ring: settings of a ring by its name, in YAML's short form.
        """
        lines = [f"template: {self.template}", *filter(None, [extra]), "rings:"]
        lines += [f"  - {{name: {name}{(ring or {}).get(name, '')}}}" for name in self.rings]
        lines += ["services:"]
        lines += [
            f"  - {{name: {one.stem}, git: {one}, ring: {name}}}" for name, ring in self.rings.items() for one in ring
        ]
        self.file.write_text("\n".join(lines) + "\n")
        commit_all(self.folder, "Fleet")


def make(tmp_path: Path, renderer: Renderer, sizes: Mapping[str, int], edits: Sequence[foreign.Step] = ()) -> Fleet:
    """Make the repositories.

    Args:
        tmp_path: where.
        renderer: a worker.
        sizes: how many services a ring has, by its name.
        edits: what the services' people did.
    """
    steps = [foreign.line("b.txt", 3, cases.THEIRS), foreign.write("new.txt"), foreign.delete("empty.txt")]
    template = foreign.template(tmp_path / "template", cases.FIRST, steps)
    first = foreign.service(renderer, template, tmp_path / "first", foreign.line("a.txt", 27, cases.MINE), *edits)
    git(tmp_path, "clone", "--quiet", "--bare", str(first), str(tmp_path / "first.git"))
    rings = {}
    for name, size in sizes.items():
        rings[name] = [tmp_path / "services" / f"{name}-{number:02}.git" for number in range(1, size + 1)]
        for one in rings[name]:
            shutil.copytree(tmp_path / "first.git", one)
    (tmp_path / "fleet").mkdir()
    made = Fleet(tmp_path / "fleet", template, rings)
    made.write()
    return made


def refs(service: Path) -> str:
    """All refs of a repository."""
    return git(service, "for-each-ref")


def branches(service: Path) -> list[str]:
    """The names of its branches."""
    return git(service, "for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()


def ci(services: Iterable[Path], result: str, ref: str = BRANCH) -> None:
    """Write what a CI says of a branch, as docs/reference/fleet-file.md tells one to."""
    for one in services:
        script = (
            f"echo {result} | git hash-object -w --stdin | "
            f'xargs git update-ref "refs/golden-path/checks/$(git rev-parse {ref})"'
        )
        subprocess.run(["bash", "-euc", script], cwd=one, check=True)


def merge(services: Iterable[Path], branch: str = BRANCH) -> None:
    """Merge a branch into main, as its people do, and remove it."""
    for one in services:
        git(one, "update-ref", "refs/heads/main", branch)
        git(one, "branch", "--quiet", "-D", branch)
