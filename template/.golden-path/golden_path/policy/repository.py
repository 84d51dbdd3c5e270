"""Rules on what a repository has to have."""

import re
from collections.abc import Iterator
from pathlib import Path

from golden_path.policy.rules import rule
from golden_path.policy.workflows import load

Found = Iterator[tuple[Path, int, str]]
LOCKS = {
    "go.mod": "go.sum",
    "pom.xml": ".mvn/checksums/checksums.sha256",
    "package.json": "pnpm-lock.yaml",
    "pyproject.toml": "requirements.txt",
}


@rule("R001")
def security_policy(root: Path) -> Found:
    """Who finds a vulnerability knows where to report it."""
    if not any((root / folder / "SECURITY.md").exists() for folder in ("", ".github", "docs")):
        yield root / "SECURITY.md", 1, "is missing: say where to report a vulnerability"


@rule("R002")
def owners(root: Path) -> Found:
    """Every file has an owner."""
    path = root / ".github" / "CODEOWNERS"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if not re.search(r"^\*\s+@\S", text, re.MULTILINE):
        yield path, 1, "must give * an owner"


@rule("R003")
def cooldown(root: Path) -> Found:
    """A new release of a library waits some days: a hijacked one is found by then."""
    path = root / ".github" / "dependabot.yml"
    if not path.exists():
        yield path, 1, "is missing: nobody would move the libraries"
        return
    for update in load(path)["updates"]:
        if update.get("cooldown", {}).get("default-days", 0) < 3:
            yield path, 1, f"{update['package-ecosystem']}: set cooldown.default-days to 3 or more"


@rule("R004")
def locked(root: Path) -> Found:
    """The dependencies are locked."""
    for manifest, lock in LOCKS.items():
        if (root / manifest).exists() and not (root / lock).exists():
            yield root / lock, 1, "is missing: run 'make lock' and commit it"
