"""What can go wrong, each with an exit code of its own (docs/reference/exit-codes.md lists them)."""

from __future__ import annotations

from enum import IntEnum

from golden_path.untrusted import credentials

LONGEST = 2000  # characters of a message; more is somebody's data


class Exit(IntEnum):
    """Exit codes of ``golden-path``."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    CONFLICT = 3
    REPOSITORY = 4
    TEMPLATE = 5
    ANSWERS = 6
    BUSY = 7
    FLEET = 10
    STOPPED = 11


class FleetError(Exception):
    """The engine cannot go on; nothing was changed.

    Args:
        message: one line that says what to do; credentials in addresses are masked.
        code: the exit code.
    """

    def __init__(self, message: str, code: Exit = Exit.FAILED) -> None:
        line = " ".join(message[: 4 * LONGEST].split())
        super().__init__(credentials.masked(line if len(line) <= LONGEST else f"{line[:LONGEST]} ..."))
        self.code = code


class UntrustedError(FleetError):
    """The template runs code of its own, and nobody said that it may."""
