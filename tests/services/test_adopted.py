"""Repositories with a build tool of their own: adopted for real, their `make check` is green, and runs their tests."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from golden_path.adopting import adopt
from golden_path.adopting.adoption import Outcome
from golden_path.rendering.render import Renderer
from tests.labs import build_tools, kustomize, toolchains
from tests.labs.template import GIT, commit_all, git
from tests.services.adopted import KINDS, Kind


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer(trust=True) as worker:
        yield worker


NAMES = {language: list(kinds) for language, kinds in KINDS.items()}


def environment(language: str, kind: Kind) -> dict[str, str]:
    env = {**(build_tools.on_path(kind.tool) if kind.tool else toolchains.environment(language)), **GIT, "CI": "true"}
    return {**env, "PATH": kustomize.on(env["PATH"])}


def run(folder: Path, env: Mapping[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=1800, check=False,
    )  # fmt: skip


def theirs(folder: Path, kind: Kind, env: Mapping[str, str]) -> Path:
    for name, text in kind.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        (folder / name).chmod(0o755 if text.startswith("#!") else 0o644)
    if kind.lock:
        done = run(folder, env, "bash", "-euc", kind.lock)
        assert done.returncode == 0, done.stdout
    commit_all(folder)
    return folder


def bring(folder: Path, template: Path, renderer: Renderer, *only: str) -> Outcome:
    done = adopt.adopt(folder, renderer, source=str(template), only=only)
    git(folder, "merge", "--quiet", "--ff-only", done.branch)
    return done


@pytest.mark.each("kind", NAMES)
def test_make_check_is_green_and_runs_their_tests(
    language: str, kind: str, template: Path, renderer: Renderer, tmp_path: Path
) -> None:
    case = KINDS[language][kind]
    env = environment(language, case)
    folder = theirs(tmp_path / "shop", case, env)
    done = bring(folder, template, renderer)
    found = {name: one.value for name, one in done.adoption.answers.items()}
    assert found.items() >= case.answers.items()
    checked = run(folder, env, "make", "check")
    assert checked.returncode == 0, checked.stdout
    assert "  ok    unit tests" in checked.stdout
    assert not case.made or (folder / case.made).exists()
    assert git(folder, "status", "--porcelain") == ""
    file, before, after = case.broken
    (folder / file).write_text((folder / file).read_text().replace(before, after))
    failed = run(folder, env, "make", "test")
    assert failed.returncode != 0
    assert "FAIL  unit tests" in failed.stdout
