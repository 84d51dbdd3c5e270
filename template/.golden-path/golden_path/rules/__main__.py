"""Hold a folder against the rules: ``policy [--list] [FOLDER]``; exit code 1 if something is found."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from golden_path.rules import book, every  # noqa: F401 - every registers the rules
from golden_path.rules.work_tree import WorkTree


def main(arguments: Sequence[str]) -> int:
    """Print the rules, or what is found; returns the exit code."""
    if "--list" in arguments:
        found: list[str] = list(book.lines())
    else:
        folder = Path(arguments[0] if arguments else ".").resolve()
        if not folder.is_dir():
            sys.stderr.write(f"policy: there is no folder {folder}\n")
            return 2
        found = [str(one) for one in book.findings(WorkTree(folder), service=True)]
    sys.stdout.buffer.write("".join(f"{line}\n" for line in found).encode(errors="surrogateescape"))
    return 1 if found and "--list" not in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
