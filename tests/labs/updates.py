"""A template with two versions, and a service of the first one in which a person has worked."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.labs import template as lab

OLD, NEW = lab.VERSION, "v0.1.0"
LOGO, BADGE = b"\0logo", b"\0badge"
BRANCH = f"golden-path/{NEW}"


@dataclass(frozen=True)
class Pair:
    """A service and its template.

    Attributes:
        template: a repository with the tags ``OLD`` and ``NEW``.
        service: written by ``OLD``.
    """

    template: Path
    service: Path


def put(file: Path, text: str | bytes) -> None:
    """Write a file, and the folders above it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode() if isinstance(text, str) else text)


def replace(file: Path, pattern: str, replacement: str) -> None:
    """Replace one thing in a file."""
    text, count = re.subn(pattern, replacement, file.read_text(), count=1, flags=re.MULTILINE)
    assert count == 1, f"{pattern} is not in {file.name}"
    file.write_text(text)


def pair(folder: Path, tools: Path | None = None) -> Pair:
    """Write both, nothing changed by a person yet.

    Args:
        folder: an empty one.
        tools: a ``.tools`` folder that is linked into the service, so that nothing is installed again.
    """
    template = lab.snapshot(folder / "template")
    files = template / "template"
    # Copier renders text only where a file ends in .jinja; these two are binary.
    put(files / "logo.bin", LOGO)
    put(files / "badge.bin", BADGE)
    lab.commit_all(template, "Binary files")
    lab.git(template, "tag", "--force", OLD)
    service = lab.render(template, folder / "orders", {"language": "go"})
    lab.commit_all(service)
    if tools is not None:
        install(tools, service / ".tools")
    verbs = ".golden-path/service.mk"
    replace(files / verbs, "Run the unit tests", "Run the unit tests, all of them")
    replace(files / verbs, "Show these", "Show the verbs")
    replace(files / ".editorconfig", r"\A", "# The same in every service.\n")
    replace(files / ".gitattributes", r"\A", "# The same in every service.\n")
    replace(files / "SECURITY.md.jinja", r"\Z", "\nNew advice.\n")
    replace(files / ".golden-path/ci.mk.jinja", r"\Z", "\n# The end.\n")
    (files / ".golden-path/help.awk").rename(files / ".golden-path/usage.awk")
    put(files / "docs/notes.md", "The template's notes.\n")
    put(files / ".golden-path/new.txt", "new\n")
    put(files / "logo.bin", LOGO + b"\1")
    lab.commit_all(template, "Everything better")
    lab.git(template, "tag", NEW)
    return Pair(template, service)


def install(tools: Path, target: Path) -> None:
    """Link the tools of a service into another one, so that nothing is installed again.

    Args:
        tools: its ``.tools``.
        target: that of the other.
    """
    shutil.copytree(tools, target, symlinks=True, copy_function=os.link)
    for program in ("uv/bin/uv", "copier/bin/copier"):
        (target / program).touch()  # newer than the locks, or make would install them again


def work(service: Path) -> None:
    """Change what the next version changes too, in each of the ways that lose work with plain ``copier update``."""
    verbs = service / ".golden-path/service.mk"
    replace(verbs, "Run the unit tests", "Run the unit tests, fast")  # the same line
    replace(verbs, r"\A", "# Ours.\n")  # another line of the same file
    replace(service / ".golden-path/ci.mk", r"\A", "# Ours.\n")
    replace(service / ".golden-path/help.awk", r"\Z", "# ours\n")  # renamed by the template
    put(service / "logo.bin", LOGO + b"\2")
    put(service / "badge.bin", BADGE + b"\2")  # by us only
    put(service / "docs/notes.md", "Our notes.\n")  # added by both
    replace(service / "SECURITY.md", r"\Z", "\nOur advice.\n")  # ours after birth
    (service / ".gitattributes").unlink()  # deleted by us, changed by the template
    put(service / "src/own.txt", "own\n")
    lab.commit_all(service, "Our work")
