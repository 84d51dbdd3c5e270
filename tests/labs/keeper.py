"""Ends a lab when nobody uses it any more: ``python -m tests.labs.keeper MODULE:CLASS FILE``.

A lab starts it before its first program; FILE is the number of an open file whose lock says that there is a keeper.
"""

from __future__ import annotations

import importlib
import sys

from tests.labs.started import StartedLab


def main() -> None:
    """Wait for the end of the users, and end the lab."""
    module, _, name = sys.argv[1].partition(":")
    lab: StartedLab = getattr(importlib.import_module(module), name)()
    lab.end_after_all(int(sys.argv[2]))


if __name__ == "__main__":
    main()
