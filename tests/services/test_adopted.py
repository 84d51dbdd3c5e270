"""Repositories with a build tool of their own: adopted for real, their `make check` is green, and runs their tests."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from golden_path.adopting import adopt
from golden_path.adopting.adoption import NOTHING, Outcome
from golden_path.rendering.render import Renderer
from golden_path.source import adoption_rules
from tests.labs import build_tools, kustomize, toolchains
from tests.labs.template import GIT, commit_all, git
from tests.labs.toolchains import ROOT
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


@pytest.mark.only("go")
def test_each_part_is_green_by_itself(language: str, template: Path, renderer: Renderer, tmp_path: Path) -> None:
    """In the order of the template; what is not there yet says so in one line."""
    case = KINDS[language]["main-at-the-root"]
    env = environment(language, case)
    folder = theirs(tmp_path / "shop", case, env)
    parts = list(adoption_rules.load((ROOT / "adopt.yml").read_text()).parts)
    for number, part in enumerate(parts):
        had = set(git(folder, "ls-files").splitlines())
        done = bring(folder, template, renderer, part)
        assert done.adoption.parts[-1] == part
        assert set(git(folder, "ls-files").splitlines()) > had
        checked = run(folder, env, "make", "check")
        assert checked.returncode == 0, (part, checked.stdout)
        there = "deploy" in parts[: number + 1]
        assert ("  ok    manifests" in checked.stdout) == there
        assert ("  skip  manifests: deploy/releases is not here\n" in checked.stdout) != there
        skipped = "  skip  promote: deploy/releases is not here; golden-path adopt --only deploy brings it\n"
        assert there or run(folder, env, "make", "promote").stdout == skipped
        assert git(folder, "status", "--porcelain") == ""
    assert adopt.adopt(folder, renderer, only=parts).status == NOTHING


@pytest.mark.only("go")
def test_what_is_known_does_not_fail_and_what_is_new_does(
    language: str, template: Path, renderer: Renderer, tmp_path: Path
) -> None:
    case = KINDS[language]["main-at-the-root"]
    env = environment(language, case)
    folder = theirs(tmp_path / "shop", case, env)
    bring(folder, template, renderer, "verbs")
    assert "to mend; `make policy-known` lists them" in run(folder, env, "make", "policy").stdout
    assert run(folder, env, "make", "policy-known").returncode == 0
    listed = (folder / "policy-known.txt").read_text().splitlines()
    assert "excessive-permissions .github/workflows/theirs.yml" in listed
    known = run(folder, env, "make", "policy")
    assert known.returncode == 0, known.stdout
    assert f"  ok    policy ({len(listed) - 1} known)" in known.stdout
    (folder / ".github/workflows/new.yml").write_text(case.files[".github/workflows/theirs.yml"])
    new = run(folder, env, "make", "policy")
    assert new.returncode != 0
    failed = [line for line in new.stdout.splitlines() if line.startswith("  FAIL  ")]
    assert failed[-1].startswith("  FAIL  policy: ")
    assert {".github/workflows/new.yml" in line for line in failed[:-1]} == {True}
    assert any(line.split(": ")[1].startswith("excessive-permissions ") for line in failed[:-1])


def test_what_the_cache_has_leads_into_no_checkout() -> None:
    """It outlives each of them: a link into one is broken when that is removed."""
    program = shutil.which("uv", path=build_tools.on_path("uv")["PATH"])
    assert program
    assert not Path(program).resolve().is_relative_to(ROOT)
