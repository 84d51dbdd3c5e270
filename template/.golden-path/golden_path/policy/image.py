"""Rules on the Dockerfile."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from golden_path.policy.rules import rule

Found = Iterator[tuple[Path, int, str]]
BASES = ("gcr.io/distroless/", "cgr.dev/chainguard/")


def instructions(root: Path) -> list[tuple[int, str, str]]:
    """The instructions with line number, upper-case keyword and the rest, continuation lines joined."""
    path = root / "Dockerfile"
    found, start, joined = [], 0, ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() if path.exists() else (), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        start = start or number
        joined += line.strip().removesuffix("\\")
        if not line.rstrip().endswith("\\"):
            keyword, _, rest = joined.partition(" ")
            found.append((start, keyword.upper(), rest.strip()))
            start, joined = 0, ""
    return found


def last_stage(root: Path) -> list[tuple[int, str, str]]:
    found = instructions(root)
    starts = [index for index, (_, keyword, _) in enumerate(found) if keyword == "FROM"]
    return found[starts[-1] :] if starts else []


@rule("D001")
def pinned_bases(root: Path) -> Found:
    """Every base image is pinned by digest."""
    stages: set[str] = set()
    for number, keyword, rest in instructions(root):
        if keyword == "FROM":
            words = [word for word in rest.split() if not word.startswith("--")]
            if words[0] not in stages and words[0] != "scratch" and not re.search(r"@sha256:[0-9a-f]{64}$", words[0]):
                yield root / "Dockerfile", number, f"{words[0]} is not pinned by digest"
            if len(words) == 3:
                stages.add(words[2])


@rule("D002")
def unprivileged(root: Path) -> Found:
    """What runs is an unprivileged user, by number."""
    stage = last_stage(root)
    users = [(number, rest) for number, keyword, rest in stage if keyword == "USER"]
    if stage and (not users or not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", users[-1][1])):
        number = users[-1][0] if users else stage[0][0]
        yield root / "Dockerfile", number, "the last USER must be a number above 0: Kubernetes cannot check a name"


@rule("D003")
def exec_form(root: Path) -> Found:
    """The entry point is in exec form: the service is process 1 and gets the signals."""
    stage = last_stage(root)
    entries = [(number, rest) for number, keyword, rest in stage if keyword == "ENTRYPOINT"]
    if stage and not (entries and _is_list(entries[-1][1])):
        yield root / "Dockerfile", entries[-1][0] if entries else stage[0][0], "ENTRYPOINT must be a JSON list"


def _is_list(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list)
    except ValueError:
        return False


@rule("D004")
def small_base(root: Path) -> Found:
    """What runs has neither shell nor package manager: distroless or Wolfi."""
    stage = last_stage(root)
    if stage and not any(base in stage[0][2] for base in BASES):
        yield root / "Dockerfile", stage[0][0], f"the last FROM is none of {', '.join(BASES)}"


@rule("D005")
def listed_context(root: Path) -> Found:
    """The build gets only what is listed."""
    path = root / ".dockerignore"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    if (root / "Dockerfile").exists() and "*" not in lines:
        yield path, 1, "must begin with *, and list what goes in"
