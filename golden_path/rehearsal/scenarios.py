"""Synthetic services for a rehearsal: which answers they give, and what people did to them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from golden_path.errors import Exit, FleetError
from golden_path.rules import bounded
from golden_path.source.config import Config
from golden_path.untrusted import inside

MOST_CHOICES = 4  # of a question; more would make the number of services grow without finding more
_EDITS = ("append", "delete", "move", "replace", "write")


@dataclass(frozen=True)
class Scenarios:
    """What a file says, or nothing where there is none.

    Attributes:
        answers: a mapping a service.
        edits: made to each edited service that has the file, in order.
    """

    answers: Sequence[Mapping[str, Any]] = ()
    edits: Sequence[Mapping[str, Any]] = ()


def load(path: Path) -> Scenarios:
    """Read a file: a list of answers, or a mapping of ``answers`` and ``edits``.

    Raises:
        FleetError: it is not as it has to be.
    """
    form = f"{path}: has to be a list of answers, or 'answers' and 'edits' (docs/reference/commands/simulate.md)"
    try:
        data = bounded.load(path.read_bytes())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise FleetError(f"{path} cannot be read: {error}", Exit.USAGE) from None
    data = {"answers": data} if isinstance(data, list) else data
    if not isinstance(data, dict) or set(data) - {"answers", "edits"}:
        raise FleetError(form, Exit.USAGE)
    found = Scenarios(data.get("answers") or (), data.get("edits") or ())
    both = [found.answers, found.edits]
    if not all(isinstance(part, list | tuple) and all(isinstance(one, dict) for one in part) for part in both):
        raise FleetError(form, Exit.USAGE)
    for edit in found.edits:
        kinds = set(edit) & set(_EDITS)
        if not isinstance(edit.get("path"), str) or len(kinds) != 1 or set(edit) - {"path", *kinds}:
            raise FleetError(f"{path}: an edit has a path and one of {', '.join(_EDITS)}, not {dict(edit)}", Exit.USAGE)
        if Path(edit["path"]).is_absolute() or ".." in Path(edit["path"]).parts:
            raise FleetError(f"{path}: {edit['path']} is not in the service", Exit.USAGE)
    return found


def pairwise(config: Config, most: int) -> list[dict[str, Any]]:
    """Return answers in which each two choices of two questions meet, as far as ``most`` allows.

    Args:
        config: of the template.
        most: services.
    """
    questions = {name: choices[:MOST_CHOICES] for name, choices in config.choices.items() if len(choices) > 1}
    names = list(questions)
    open_pairs = {
        ((one, first), (other, second))
        for one, other in itertools.combinations(names, 2)
        for first in range(len(questions[one]))
        for second in range(len(questions[other]))
    }
    rows: list[dict[str, int]] = [dict.fromkeys(names, 0)]  # the template's first choices
    open_pairs -= _pairs(rows[0], names)
    while open_pairs and len(rows) < most:
        start = min(open_pairs)
        row = dict(start)
        for name in names:
            if name not in row:
                met = [len(_pairs({**row, name: one}, names) & open_pairs) for one in range(len(questions[name]))]
                row[name] = met.index(max(met))
        open_pairs -= _pairs(row, names)
        rows.append(row)
    return [{name: questions[name][number] for name, number in row.items()} for row in rows[:most]]


def _pairs(row: Mapping[str, int], names: Sequence[str]) -> set[tuple[tuple[str, int], tuple[str, int]]]:
    known = [(name, row[name]) for name in names if name in row]
    return set(itertools.combinations(known, 2))


def given(service: Path, edits: Iterable[Mapping[str, Any]]) -> None:
    """Make edits of a file of scenarios; those of files that a service has not, or has as links, are left out."""
    for edit in edits:
        paths = [str(edit[key]) for key in ("path", "move") if key in edit]
        if any(inside.by_link(service, path) for path in paths):
            continue  # it would be done to a file elsewhere
        file = service / edit["path"]
        if "write" in edit:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(str(edit["write"]), encoding="utf-8")
        elif not file.is_file():
            continue
        elif "append" in edit:
            file.write_bytes(file.read_bytes() + f"{edit['append']}\n".encode())
        elif "replace" in edit:
            old, new = map(str, edit["replace"])
            file.write_bytes(file.read_bytes().replace(old.encode(), new.encode()))
        elif "move" in edit:
            (service / str(edit["move"])).parent.mkdir(parents=True, exist_ok=True)
            file.rename(service / str(edit["move"]))
        else:
            file.unlink()


def at_random(service: Path, names: Sequence[str], number: int, seed: str) -> None:
    """Do to files what people do: change, add and remove lines, add, move and delete files, set a mode bit.

    Args:
        service: its root.
        names: of files to choose from.
        number: how many edits.
        seed: the same one makes the same edits.
    """
    rng = random.Random(seed)  # noqa: S311 - no secret
    ways: list[tuple[int, Callable[[Path, random.Random], None]]] = [
        (8, _change), (4, _insert), (2, _remove), (2, _neighbour), (1, _move), (1, _delete), (1, _mode),
    ]  # fmt: skip
    for _ in range(number):
        there = [name for name in names if inside.is_file(service, name)]
        if not there:
            return
        file = service / rng.choice(there)
        way = rng.choices([one for _, one in ways], [weight for weight, _ in ways])[0]
        if b"\0" not in file.read_bytes():
            way(file, rng)


def _lines(file: Path) -> list[bytes]:
    return file.read_bytes().splitlines(keepends=True)


def _change(file: Path, rng: random.Random) -> None:
    lines = _lines(file)
    if lines:
        at = rng.randrange(len(lines))
        lines[at] = lines[at].rstrip(b"\r\n") + b" edited\n"
        file.write_bytes(b"".join(lines))


def _insert(file: Path, rng: random.Random) -> None:
    lines = _lines(file)
    lines.insert(rng.randint(0, len(lines)), b"a line of the service's own\n")
    file.write_bytes(b"".join(lines))


def _remove(file: Path, rng: random.Random) -> None:
    lines = _lines(file)
    if lines:
        del lines[rng.randrange(len(lines))]
        file.write_bytes(b"".join(lines))


def _neighbour(file: Path, rng: random.Random) -> None:
    file.with_name(f"own-{rng.randrange(1000)}.txt").write_text("of the service's own\n", encoding="utf-8")


def _move(file: Path, rng: random.Random) -> None:
    file.rename(file.with_name(f"moved-{rng.randrange(1000)}-{file.name}"))


def _delete(file: Path, _: random.Random) -> None:
    file.unlink()


def _mode(file: Path, _: random.Random) -> None:
    file.chmod(file.stat().st_mode ^ 0o111)
