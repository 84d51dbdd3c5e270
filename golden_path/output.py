"""Writing to standard output and standard error: nothing that somebody else wrote acts there."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

from golden_path.untrusted import foreign


def print_lines(*lines: str) -> None:
    """Print lines for a person."""
    for line in lines:
        sys.stdout.buffer.write(f"{foreign.line(line)}\n".encode())
    sys.stdout.flush()


def print_patch(text: str) -> None:
    """Print what ``git apply`` takes, byte for byte."""
    sys.stdout.buffer.write(text.encode(errors="surrogateescape"))
    sys.stdout.flush()


def print_json(data: object) -> None:
    """Print for a program. It is ASCII, and nothing in it is a command of a CI."""
    text = json.dumps(_plain(data), indent=2, default=str, allow_nan=False)
    sys.stdout.buffer.write(text.replace("##", "\\u0023\\u0023").encode() + b"\n")
    sys.stdout.flush()


def _plain(data: Any) -> Any:
    """What JSON can say: keys that are text, and numbers that are numbers."""
    if isinstance(data, dict):
        return {str(name): _plain(value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(one) for one in data]
    return str(data) if isinstance(data, float) and not math.isfinite(data) else data


def say(text: str) -> None:
    """Print a line on standard error."""
    sys.stderr.buffer.write(f"{foreign.line(text)}\n".encode())
    sys.stderr.flush()
