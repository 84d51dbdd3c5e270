"""The pull request of an upgrade: who opens it has its text from here, whichever way the upgrade was started."""

from __future__ import annotations

import json
from pathlib import Path

from golden_path.store import git
from golden_path.untrusted import foreign, inside
from golden_path.upgrade import markdown


def text(repository: Path, branch: str, commit: str) -> tuple[str, str]:
    """Return title and body: what to do, and the message of the upgrade's commit.

    Args:
        repository: that has the commit.
        branch: of the upgrade.
        commit: the upgrade's.
    """
    title, _, body = git.text("log", "-1", "--format=%B", commit, cwd=repository).partition("\n")
    switch = foreign.code(f"git fetch origin && git switch {branch}")
    what = f"Next: {switch}; run the checks; decide what is listed, in commits on that branch, which stay; merge."
    return title, f"{what}\n\n{body.strip()}\n"


def write(file: Path, repository: Path, branch: str, commit: str) -> None:
    """Write what a pull request needs, as JSON: ``branch``, ``commit``, ``title`` and ``body``.

    Args:
        file: where.
        repository: the service's.
        branch: of the upgrade.
        commit: that it names; a person may have added to the upgrade, whose text it is all the same.

    Raises:
        OSError: it cannot be written.
    """
    added = git.text("rev-list", "--first-parent", "--reverse", commit, "^HEAD", cwd=repository).split()
    title, body = text(repository, branch, (added or [commit])[0])
    facts = {"branch": branch, "commit": commit, "title": title[: markdown.LONGEST_TITLE], "body": markdown.cut(body)}
    file.parent.mkdir(parents=True, exist_ok=True)
    inside.report(file, json.dumps(facts))
