"""Small templates that are not ours, with tags, and services of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from golden_path.rendering.render import Renderer
from golden_path.source.template import Template
from tests.labs.template import commit_all, git
from tests.labs.warm import copier

Step = Callable[[Path], None]

OLD, NEW = "v1.0.0", "v2.0.0"
ANSWERS = ".copier-answers.yml"
TEXT = "".join(f"line {number}\n" for number in range(1, 31))
SETTINGS = '_subdirectory: template\n_preserve_symlinks: true\n_skip_if_exists: ["seeded.*"]\n'
QUESTIONS = "name: {type: str, default: orders}\n"


def write(path: str, content: str | bytes = TEXT) -> Step:
    """Write a file."""

    def step(folder: Path) -> None:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)

    return step


def line(path: str, number: int, text: str) -> Step:
    """Change one line of a file."""

    def step(folder: Path) -> None:
        lines = (folder / path).read_bytes().splitlines(keepends=True)
        end = b"\r\n" if lines[number - 1].endswith(b"\r\n") else b"\n"
        lines[number - 1] = text.encode() + end
        (folder / path).write_bytes(b"".join(lines))

    return step


def append(path: str, text: str) -> Step:
    """Add to the end of a file."""
    return lambda folder: write(path, (folder / path).read_bytes() + text.encode())(folder)


def move(old: str, new: str) -> Step:
    """Move a file or folder."""

    def step(folder: Path) -> None:
        (folder / new).parent.mkdir(parents=True, exist_ok=True)
        (folder / old).rename(folder / new)

    return step


def delete(path: str) -> Step:
    """Delete a file."""
    return lambda folder: (folder / path).unlink()


def executable(path: str) -> Step:
    """Set the mode bit."""
    return lambda folder: (folder / path).chmod(0o755)


def link(path: str, target: str) -> Step:
    """Put a link in the place of what is there."""

    def step(folder: Path) -> None:
        (folder / path).unlink(missing_ok=True)
        (folder / path).symlink_to(target)

    return step


def windows(path: str) -> Step:
    """Let all lines end as on Windows."""
    return lambda folder: write(path, (folder / path).read_bytes().replace(b"\n", b"\r\n"))(folder)


def template(folder: Path, *versions: Sequence[Step], settings: str = SETTINGS, questions: str = QUESTIONS) -> Path:
    """Make a template with a tag a version: v1.0.0, v2.0.0, ...

    Args:
        folder: where; missing.
        versions: what each does to the one before.
        settings: of ``copier.yml``.
        questions: of ``copier.yml``.
    """
    files = folder / "template"
    files.mkdir(parents=True)
    (folder / "copier.yml").write_text(settings + questions)
    (files / "{{ _copier_conf.answers_file }}.jinja").write_text("# By Copier.\n{{ _copier_answers|to_nice_yaml -}}\n")
    for number, steps in enumerate(versions, 1):
        for step in steps:
            step(files)
        commit_all(folder, f"Version {number}")
        git(folder, "tag", f"v{number}.0.0")
    return folder


def render(renderer: Renderer, source: Path, version: str, folder: Path) -> Path:
    """Render a version with Copier's defaults; returns the folder."""
    known = Template(str(source))
    known.refresh()
    renderer.render(known.at(version), folder, ANSWERS, {})
    return folder


def service(renderer: Renderer, source: Path, folder: Path, *steps: Step) -> Path:
    """Make a service of the first version, and commit what a person did to it; returns the folder."""
    render(renderer, source, OLD, folder)
    commit_all(folder)
    for step in steps:
        step(folder)
    commit_all(folder, "Edits")
    return folder


def copied(source: Path, folder: Path, *arguments: str, edits: Sequence[Step] = ()) -> Path:
    """Make a service of the first version as ``copier copy`` does, and commit what a person did to it.

    Args:
        source: the template.
        folder: of the service.
        arguments: more of them for Copier.
        edits: what the person did.

    Returns:
        The folder.
    """
    done = copier("copy", "--trust", "--defaults", "--quiet", "--vcs-ref", OLD, *arguments, source, folder)
    assert done.returncode == 0, done.stderr
    commit_all(folder)
    for edit in edits:
        edit(folder)
    commit_all(folder, "Edits")
    return folder


def rules(source: Path, text: str) -> None:
    """Write the rules for adoption, ``adopt.yml``, into both versions of a template."""
    for version in (OLD, NEW):
        git(source, "switch", "--quiet", "--detach", version)
        (source / "adopt.yml").write_text(text)
        commit_all(source, "Rules")
        git(source, "tag", "--force", version)


def state(folder: Path) -> tuple[str, ...]:
    """All that must not change when nothing is to be done: refs, HEAD, work tree and index."""
    return (
        git(folder, "for-each-ref"),
        git(folder, "rev-parse", "HEAD"),
        git(folder, "status", "--porcelain", "--ignored"),
        git(folder, "ls-files", "--stage"),
        *sorted(
            f"{path.relative_to(folder)} {os.lstat(path).st_mode}"
            for path in folder.rglob("*")
            if ".git" not in path.parts
        ),
    )
