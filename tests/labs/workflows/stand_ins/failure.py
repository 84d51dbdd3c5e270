"""The error of the stand-ins."""

from __future__ import annotations


class StepError(Exception):
    """The real action would fail; the message is one line that says why."""
