"""What a repository says of itself outside its files: an answers file that was deleted, and its remote."""

from __future__ import annotations

import re

from golden_path.errors import Exit, FleetError
from golden_path.store import answers, committed, git
from golden_path.store.answers import Answers
from golden_path.store.service import Service

_PATTERN = ":(glob).copier-answers*.y*ml"


def find(opened: Service, wanted: str = "") -> Answers | None:
    """Find the answers file that a repository had last.

    Args:
        opened: the repository, without one.
        wanted: its name, where the user named one.

    Returns:
        What it said; None where the history has none that can be read.
    """
    listed = git.text(
        "log", "-1", "--no-renames", "--diff-filter=D", "--format=%H", "--name-only", opened.head, "--",
        wanted or _PATTERN, cwd=opened.path,
    )  # fmt: skip
    commit, *names = filter(None, listed.split("\n")) if listed else ("",)
    for name in names:
        try:
            return answers.parse(name, committed.read(opened.path, f"{commit}^", name, Exit.ANSWERS) or b"")
        except FleetError:
            continue
    return None


def remote(opened: Service) -> str:
    """Return ``HOST/OWNER/NAME`` of the remote ``origin``, or of the only one; empty where there is none.

    A remote on this machine has no host and no owner: ``/NAME``.
    """
    names = git.text("remote", cwd=opened.path).split()
    if "origin" not in names and len(names) != 1:
        return ""
    url = git.text("remote", "get-url", "origin" if "origin" in names else names[0], cwd=opened.path)
    matched = re.fullmatch(r"(?:[a-z+]+://)?(?:[^/@]+@)?([\w.-]+)(?::\d+(?=/))?[:/]+(.+?)(?:\.git)?/?", url)
    local = re.fullmatch(r"(?:file://)?[./].*?([^/]+?)(?:\.git)?/*", url)
    return f"/{local[1]}" if local else f"{matched[1]}/{matched[2]}" if matched else ""
