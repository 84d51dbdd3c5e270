"""``python -m tests.labs.cluster up|down|status|env``."""

from __future__ import annotations

import sys

from tests.labs import command
from tests.labs.cluster.lab import Lab

NAME = "tests.labs.cluster"


def main() -> int:
    """Run one command; return the exit code."""
    lab = Lab()
    return command.main(lab, NAME, lambda: f"; for a shell: . <(python -m {NAME} env)", lambda _: lab.environment())


if __name__ == "__main__":
    sys.exit(main())
