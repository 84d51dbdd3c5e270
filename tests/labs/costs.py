"""What making a program cost, kept beside it for ``python -m tests.labs.programs``."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

_NAME = "cost.json"


@dataclass
class Cost:
    """What programs that are made together cost.

    Attributes:
        wall: seconds on the clock.
        cpu: seconds of CPU time of all that was started for it.
        parts: of it, those of each program where several are made at once.
    """

    wall: float = 0.0
    cpu: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)


def _of_children() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


@contextmanager
def measured(folder: Path) -> Iterator[Cost]:
    """Measure what is started in the block, and keep it in a folder.

    Args:
        folder: where it is kept; there at the end of the block.

    Yields:
        The cost, to which parts may be added.
    """
    cost, start, spent = Cost(), time.monotonic(), _of_children()
    yield cost
    cost.wall, cost.cpu = time.monotonic() - start, _of_children() - spent
    (folder / _NAME).write_text(json.dumps(asdict(cost)), encoding="utf-8")


def kept(folder: Path) -> Cost:
    """Return what the programs in a folder cost; nothing where nobody measured it.

    Args:
        folder: of programs that are there.
    """
    file = folder / _NAME
    return Cost(**json.loads(file.read_text(encoding="utf-8"))) if file.exists() else Cost()
