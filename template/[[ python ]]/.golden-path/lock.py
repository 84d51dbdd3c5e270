"""Tie the lock files to pyproject.toml.

``lock.py stamp`` writes into the lock files a digest of the dependencies that they were resolved from, and
``lock.py check [FILE ...]`` fails when pyproject.toml asks for others by now.
"""

import hashlib
import json
import sys
import tomllib
from pathlib import Path

LOCKS = (Path("requirements.txt"), Path("requirements-dev.txt"))
MARK = "# dependencies of pyproject.toml: sha256:"


def digest() -> str:
    manifest = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    project = manifest["project"]
    asked = [project["requires-python"], project.get("dependencies"), manifest.get("dependency-groups")]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def main(verb: str, *files: str) -> int:
    line = f"{MARK}{digest()}\n"
    for lock in map(Path, files) if files else LOCKS:
        text = lock.read_text(encoding="utf-8")
        if verb == "stamp":
            pins = "".join(row for row in text.splitlines(keepends=True) if not row.startswith(MARK))
            lock.write_text(line + pins, encoding="utf-8")
        elif not text.startswith(line):
            sys.stderr.write(f"{lock} does not match the dependencies in pyproject.toml: run 'make lock'\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
