"""Writing to standard output, with paths as git has them."""

from __future__ import annotations

import json
import sys


def print_lines(*lines: str) -> None:
    """Print lines."""
    for line in lines:
        sys.stdout.buffer.write(f"{line}\n".encode(errors="surrogateescape"))
    sys.stdout.flush()


def print_json(data: object) -> None:
    """Print for a program."""
    print_lines(json.dumps(data, indent=2, default=str))


def say(text: str) -> None:
    """Print a line on standard error."""
    sys.stderr.buffer.write(f"{text}\n".encode(errors="surrogateescape"))
    sys.stderr.flush()
