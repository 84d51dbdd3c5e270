"""Rehearse the upgrade to a change of a template, over synthetic services, before anybody has to live with it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from golden_path.errors import Exit, FleetError
from golden_path.rehearsal import scenarios
from golden_path.rehearsal.change import copy
from golden_path.rehearsal.one import Rehearsal
from golden_path.rehearsal.outcome import Outcome, Row, shown
from golden_path.rehearsal.scenarios import Scenarios
from golden_path.rendering.render import Renderer
from golden_path.source.template import Template
from golden_path.untrusted import credentials


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
        repository, change, olds = copy(source, folder / "template.git", to, old, last)
        template = Template(str(repository), folder / "cache")
        template.refresh()
        rows: list[Row] = []
        refused: list[tuple[Mapping[str, Any], str]] = []
        asked = given.answers or scenarios.pairwise(template.at(olds[-1]).config, services)
        nothing: dict[str, str] = {}  # why a set was refused, by version; of those of which none was accepted
        for number, (version, answers) in enumerate((version, one) for version in olds for one in asked):
            progress(f"{number + 1} of {len(olds) * len(asked)}: {version}, {shown(answers)}")
            rehearsal = Rehearsal(folder / str(number), template, version, answers, renderer)
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
