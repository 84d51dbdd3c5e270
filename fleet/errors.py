"""What can go wrong, each with an exit code of its own (docs/reference/fleet.md lists them)."""

from __future__ import annotations

from enum import IntEnum


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
        message: one line that says what to do.
        code: the exit code.
    """

    def __init__(self, message: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(" ".join(message.split()))
        self.code = code


class UntrustedError(FleetError):
    """The template runs code of its own, and nobody said that it may."""
