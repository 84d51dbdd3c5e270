"""Hold a folder against the rules: ``python .golden-path policy [--list] [FOLDER]``; exit code 1 if one is broken."""

from __future__ import annotations

import sys
from pathlib import Path

from golden_path.rules import book, every  # noqa: F401 - every registers the rules
from golden_path.rules.work_tree import WorkTree


def main(*arguments: str) -> int:
    """Print the rules, or what is found.

    Args:
        arguments: ``--list``, or the folder; by default the one that this runs in.

    Returns:
        The exit code: 1 if something was found, 2 if there is no such folder.
    """
    listed = "--list" in arguments
    folder = Path(next((one for one in arguments if one != "--list"), ".")).resolve()
    if not listed and not folder.is_dir():
        sys.stderr.write(f"policy: there is no folder {folder}\n")
        return 2
    found = list(book.lines()) if listed else [str(one) for one in book.findings(WorkTree(folder), service=True)]
    sys.stdout.buffer.write("".join(f"{line}\n" for line in found).encode(errors="surrogateescape"))
    return 1 if found and not listed else 0
