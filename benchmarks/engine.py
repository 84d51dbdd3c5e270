"""An engine that upgrades the services whose folders it reads from standard input, one a line, until there are no more.

Run with the checkout of an engine on ``PYTHONPATH``, which may be an older one; so it uses only what all have. Prints a
line of JSON for each service (``branch``, ``memory`` in MiB), and one at the end (``cpu`` of all its processes, in
seconds).
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path

try:
    from golden_path.rendering.render import Renderer
    from golden_path.source.template import Templates
    from golden_path.upgrade import apply
except ModuleNotFoundError:  # an older engine: its package was called otherwise, and was one room
    from fleet import apply  # type: ignore[import-not-found, no-redef]
    from fleet.render import Renderer  # type: ignore[import-not-found, no-redef]
    from fleet.template import Templates  # type: ignore[import-not-found, no-redef]


def main() -> None:
    """Upgrade until standard input ends."""
    templates = Templates()
    with Renderer(trust=True) as renderer:
        for line in sys.stdin:
            done = apply.apply(Path(line.rstrip("\n")), renderer, templates)
            _say({"branch": done.branch, "memory": _resident()})
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    _say({"cpu": sum(one.ru_utime + one.ru_stime for one in used)})


def _say(facts: dict[str, object]) -> None:
    sys.stdout.write(f"{json.dumps(facts)}\n")
    sys.stdout.flush()


def _resident() -> float:
    """Return the MiB of memory that this process and its children hold, read from Linux."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    pages = sum(int(Path("/proc", pid, "statm").read_text().split()[1]) for pid in ("self", *children))
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    main()
