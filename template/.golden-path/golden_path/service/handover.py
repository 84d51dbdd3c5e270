"""Folders that one job hands to another as an artifact: the second knows the first's by its sum.

usage: handover sum FOLDER           print its sum
       handover check FOLDER SUM     fail if it has another
"""

import hashlib
import sys
from pathlib import Path

from golden_path.service.errors import RefusedError


def checksum(folder: Path) -> str:
    """The sum of all files of a folder, and of their names."""
    total = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = file.relative_to(folder).as_posix()
        total.update(f"{hashlib.sha256(file.read_bytes()).hexdigest()} {name}\n".encode(errors="surrogateescape"))
    return total.hexdigest()


def check(folder: Path, expected: str) -> None:
    """Raises RefusedError if the folder is not the one with this sum; an empty sum stands for a folder of no job."""
    if expected and checksum(folder) != expected:
        raise RefusedError(f"{folder} is not what the job before has left: run the workflow again")


def main(verb: str, folder: str, expected: str = "") -> int:
    """Print the sum of a folder, or check it; returns the exit code."""
    if verb == "sum":
        sys.stdout.write(checksum(Path(folder)) + "\n")
        return 0
    try:
        if not expected:
            raise RefusedError(f"say which sum {folder} must have")
        check(Path(folder), expected)
    except RefusedError as reason:
        sys.stderr.write(f"  FAIL  handover: {reason}\n")
        return 1
    return 0
