"""Say which version HEAD is, and refuse what may not be released (``make release-check``)."""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path

from packaging.version import Version

from golden_path.source import versions
from golden_path.store import git

HEADING = re.compile(r"^## (\S+) \((\d{4}-\d{2}-\d{2})\)$", re.MULTILINE)
FORM = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+)?")  # PEP 440's, so that the distribution and the tag say the same


class ReleaseError(Exception):
    """HEAD may not be released; the message says what to do."""


def check(folder: Path) -> tuple[str, str]:
    """Check a checkout.

    Args:
        folder: with the tags of the repository.

    Returns:
        The tag, and what the changelog says to who updates.

    Raises:
        ReleaseError: it may not be released.
    """
    version = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["version"]
    if not FORM.fullmatch(version):
        raise ReleaseError(f"version {version} in pyproject.toml must be X.Y.Z, or X.Y.Zrc1")
    _, *sections = re.split(r"(?m)^(?=## )", (folder / "CHANGELOG.md").read_text())
    found = HEADING.match(sections[0]) if sections else None
    if not found or found[1] != version:
        first = sections[0].splitlines()[0] if sections else "nothing"
        raise ReleaseError(f"CHANGELOG.md must begin with '## {version} (YYYY-MM-DD)', and has '{first}'")
    notes = sections[0].partition("\n")[2].strip()
    if not notes:
        raise ReleaseError(f"CHANGELOG.md says nothing of {version}")
    if git.text("status", "--porcelain", cwd=folder):
        raise ReleaseError("there are uncommitted changes: commit or stash them")
    tags = git.text("tag", "--list", "v*", cwd=folder).split()
    if f"v{version}" in tags:
        raise ReleaseError(f"v{version} is tagged already: choose the next version in pyproject.toml and CHANGELOG.md")
    newest = versions.releases(tags, prereleases=True)[-1:]
    if newest and Version(version) < Version(newest[0]):
        raise ReleaseError(f"{version} is older than {newest[0]}: choose a later version")
    return f"v{version}", f"{notes}\n"


def main() -> int:
    """Print the tag; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notes", type=Path, help="write what the changelog says into this file")
    options = parser.parse_args()
    try:
        tag, notes = check(Path())
    except ReleaseError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if options.notes:
        options.notes.parent.mkdir(parents=True, exist_ok=True)
        options.notes.write_text(notes)
    sys.stdout.write(f"{tag}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
