"""Rendering services from the template as it stands in this checkout."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from golden_path.rendering.render import Renderer
from golden_path.source.template import Template
from tests.labs.places import digest, once
from tests.labs.toolchains import ROOT, name_of
from tests.selection.observed import COPYING, RENDERED

VERSION = "v0.0.0"


ENGINE = ("golden_path", "hooks")  # what of this checkout runs in an update, whoever starts it
COPIER = Path(sys.executable).parent / "copier"
Run = Callable[..., subprocess.CompletedProcess[str]]

GIT = {
    "GIT_AUTHOR_NAME": "golden-path",
    "GIT_AUTHOR_EMAIL": "golden-path@example.com",
    "GIT_COMMITTER_NAME": "golden-path",
    "GIT_COMMITTER_EMAIL": "golden-path@example.com",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


def git(folder: Path, *arguments: str) -> str:
    """Run git with a fixed identity and date and no configuration of the user's.

    Args:
        folder: where to run it.
        arguments: what comes after ``git``.

    Returns:
        Its standard output, stripped.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env={**os.environ, **GIT}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit_all(folder: Path, message: str = "Start") -> None:
    """Make the folder a git repository where it is none, and commit everything in it."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)


def snapshot(folder: Path) -> Path:
    """Copy the template, uncommitted changes included, into a git repository of its own with one tag.

    Copier records where a service came from; from a snapshot that is the same in every checkout.

    Args:
        folder: an empty or missing folder.

    Returns:
        The folder.
    """
    files = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "copier.yml", "adopt.yml",
                "pins.yaml", "template", "partials", "extensions", *ENGINE)  # fmt: skip
    sys.audit(COPYING, True)
    for name in filter(None, files.split("\0")):
        source, target = ROOT / name, folder / name
        if source.is_file() or source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    sys.audit(COPYING, False)
    commit_all(folder, "Template")
    git(folder, "tag", VERSION)
    return folder


def with_engine(template: Path) -> None:
    """Put the engine and the hooks of this checkout into a template."""
    for name in ENGINE:
        shutil.copytree(ROOT / name, template / name, ignore=shutil.ignore_patterns("__pycache__"))


def copier(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the copier command line.

    Args:
        arguments: what comes after ``copier``.
        cwd: where to run it.

    Returns:
        The finished process; its exit code is not checked.
    """
    command = [str(COPIER), *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **GIT},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def copy(
    template: Path, folder: Path, answers: Mapping[str, object], run: Run = copier
) -> subprocess.CompletedProcess[str]:
    """Write a service with ``copier copy``, all other answers at their defaults.

    Args:
        template: a snapshot.
        folder: where the service goes.
        answers: answers by question.
        run: what runs Copier.

    Returns:
        The finished process; its exit code is not checked.
    """
    data = [part for name, value in answers.items() for part in ("--data", f"{name}={value}")]
    return run("copy", "--trust", "--defaults", "--quiet", *data, template, folder)


def write(template: Path, folder: Path, answers: Mapping[str, object], run: Run = copier) -> Path:
    """Write a service with Copier, or fail with what it said.

    Args:
        template: a snapshot.
        folder: where the service goes; its name is the default of the service's name.
        answers: answers by question.
        run: what runs Copier.

    Returns:
        The service's folder.

    Raises:
        RuntimeError: Copier failed.
    """
    done = copy(template, folder, answers, run)
    if done.returncode != 0:
        raise RuntimeError(f"copier copy failed for {dict(answers)}:\n{done.stdout}{done.stderr}")
    return folder


@functools.cache
def _renderer() -> Renderer:
    renderer = Renderer(trust=True)
    atexit.register(renderer.close)
    return renderer


def render(template: Path, folder: Path, answers: Mapping[str, object]) -> Path:
    """Write a service as ``write`` does, byte for byte, but with the engine's renderer, and once for the same answers.

    Copier's command line takes seconds each time. That both write the same is for ``test_same_answers_same_output`` to
    say.

    Args:
        template: a snapshot; what is kept lies beside it.
        folder: a folder that is not there yet.
        answers: answers by question.

    Returns:
        The service's folder.

    Raises:
        FleetError: Copier failed.
    """
    sys.audit(RENDERED, name_of(answers))
    asked = (git(template, "rev-parse", "HEAD"), sorted(map(repr, answers.items())))
    kept = template.with_name(f"{template.name}-services") / digest(*asked, folder.name)

    def make(partial: Path) -> None:
        known = Template(str(template), template.with_name(f"{template.name}-versions"))
        known.refresh()
        release = known.at(known.newest())
        _renderer().render(release, partial / folder.name, release.config.answers_file, dict(answers))

    once(kept, make)
    shutil.copytree(kept / folder.name, folder, symlinks=True)
    return folder
