"""The engine on services of this template: what it brings is what a new copy would have, byte for byte."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fleet import apply, scenarios
from fleet.errors import FleetError
from fleet.render import Renderer
from fleet.template import Template
from tests.labs import template as lab
from tests.labs.template import commit_all, git
from tests.updates import foreign, hard_cases

# What the versions after the first change; seeded files stay out of it, since an update leaves them alone.
SECOND = [
    foreign.move("template/make/help.awk", "template/make/usage.awk"),
    foreign.append("template/docker-bake.hcl.jinja", "# [[ service_name ]], again\n"),
    foreign.write("template/docs/new-[[ language ]].md.jinja", "# New for [[ service_name ]]\n"),
    foreign.delete("template/make/syft.txt"),
    foreign.append("copier.yml", "\nmood: {type: str, default: good, help: Mood}\n"),
]
THIRD = [
    foreign.line("template/make/usage.awk", 1, "# Another first line."),
    foreign.executable("template/make/usage.awk"),
    foreign.append("template/Makefile.jinja", "# [[ mood ]]\n"),
]


UPSTREAM = {"upstream": "inventory"}
SCENARIOS = Path(__file__).with_name("scenarios.yaml")
CHECKS = "CHECKS: dict[str, Callable[[Any, Answers, Environment], str]] = {"


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three versions of this template."""
    folder = lab.snapshot(tmp_path_factory.mktemp("history") / "golden-path")
    git(folder, "tag", "v1.0.0")
    git(folder, "tag", "--delete", lab.VERSION)
    makefile = folder / "template" / "Makefile.jinja"
    checks = folder / "extensions" / "answers.py"
    for version, steps in (("v2.0.0", SECOND), ("v3.0.0", THIRD)):
        for step in steps:
            step(folder)
        makefile.write_text(makefile.read_text().replace("help.awk", "usage.awk"))
        if version == "v2.0.0":
            checks.write_text(checks.read_text().replace(f"{CHECKS}\n", f'{CHECKS}\n    "mood": lambda *_: "",\n'))
        commit_all(folder, version)
        git(folder, "tag", version)
    assert '"mood"' in checks.read_text()
    return folder


def written(
    renderer: Renderer, history: Path, version: str, folder: Path, language: str, answers: Mapping[str, Any] = UPSTREAM
) -> Path:
    known = Template(str(history))
    known.refresh()
    renderer.render(known, version, folder, foreign.ANSWERS, {**answers, "language": language})
    return folder


def started(
    renderer: Renderer, history: Path, folder: Path, language: str, answers: Mapping[str, Any] = UPSTREAM
) -> Path:
    commit_all(written(renderer, history, "v1.0.0", folder, language, answers))
    return folder


def upgraded(renderer: Renderer, service: Path, version: str) -> hard_cases.Files:
    done = apply.apply(service, renderer, to=version)
    assert not done.plan.conflicts
    git(service, "merge", "--quiet", done.branch)
    return with_answers(service)


def with_answers(folder: Path) -> hard_cases.Files:
    return {**hard_cases.read(folder), foreign.ANSWERS: (0, (folder / foreign.ANSWERS).read_bytes())}


def test_an_upgrade_is_a_new_copy(language: str, history: Path, tmp_path: Path, renderer: Renderer) -> None:
    """Over one version, over two at once and step by step."""
    at_once = started(renderer, history, tmp_path / "once" / "orders", language)
    by_step = started(renderer, history, tmp_path / "step" / "orders", language)
    second = written(renderer, history, "v2.0.0", tmp_path / "second" / "orders", language)
    third = written(renderer, history, "v3.0.0", tmp_path / "third" / "orders", language)
    assert upgraded(renderer, by_step, "v2.0.0") == with_answers(second)
    assert upgraded(renderer, by_step, "v3.0.0") == with_answers(third)
    assert upgraded(renderer, at_once, "v3.0.0") == with_answers(third)
    assert git(at_once, "rev-parse", "HEAD^{tree}") == git(by_step, "rev-parse", "HEAD^{tree}")
    assert apply.apply(at_once, renderer).status == apply.CURRENT


def test_an_upgrade_is_a_new_copy_whatever_was_answered(
    language: str, history: Path, tmp_path: Path, renderer: Renderer
) -> None:
    known = Template(str(history))
    known.refresh()
    asked = [*scenarios.load(SCENARIOS).answers, *scenarios.pairwise(known.config("v1.0.0"), 40)]
    mine = [answers for answers in asked if answers["language"] == language]
    done = 0
    for number, answers in enumerate(mine):
        place = tmp_path / str(number)
        try:
            service = started(renderer, history, place / "once" / "orders", language, answers)
        except FleetError:  # answers that do not go together: tests/render tells which
            continue
        fresh = written(renderer, history, "v3.0.0", place / "fresh" / "orders", language, answers)
        assert upgraded(renderer, service, "v3.0.0") == with_answers(fresh), answers
        assert apply.apply(service, renderer).status == apply.CURRENT
        done += 1
    assert done >= 2


def test_edits_over_several_versions(history: Path, tmp_path: Path, renderer: Renderer) -> None:
    """What a person changed in a file that the template moves, then changes, is merged; at once and step by step."""
    trees = []
    for name, versions in (("once", ["v3.0.0"]), ("step", ["v2.0.0", "v3.0.0"])):
        service = started(renderer, history, tmp_path / name / "orders", "go")
        foreign.append("make/help.awk", "# mine\n")(service)
        foreign.delete("docs/runbook.md")(service)
        foreign.write("own.txt")(service)
        commit_all(service, "Edits")
        for version in versions:
            files = upgraded(renderer, service, version)
        assert files["make/usage.awk"][1].endswith(b"# mine\n")
        assert files["make/usage.awk"][1].startswith(b"# Another first line.\n")
        assert "docs/runbook.md" not in files
        trees.append(git(service, "rev-parse", "HEAD^{tree}"))
    assert trees[0] == trees[1]


def test_patches_change_no_byte(
    language: str, history: Path, tmp_path: Path, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    patched = written(renderer, history, "v3.0.0", tmp_path / "on" / "orders", language)
    again = written(renderer, history, "v3.0.0", tmp_path / "again" / "orders", language)
    monkeypatch.setenv("GOLDEN_PATH_PATCHES", "off")
    with Renderer(trust=True) as plain:
        bare = written(plain, history, "v3.0.0", tmp_path / "off" / "orders", language)
    cli = tmp_path / "cli" / "orders"
    done = lab.copier(
        "copy", "--trust", "--defaults", "--quiet", "--vcs-ref", "v3.0.0",
        "--data", f"language={language}", "--data", "upstream=inventory", history, cli,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert with_answers(patched) == with_answers(again) == with_answers(bare) == with_answers(cli)


def test_one_worker_serves_languages_and_versions_in_any_order(
    history: Path, tmp_path: Path, renderer: Renderer
) -> None:
    seen: dict[tuple[str, str], hard_cases.Files] = {}
    for number, (language, version) in enumerate(
        [("go", "v3.0.0"), ("java", "v1.0.0"), ("go", "v1.0.0"), ("java", "v1.0.0"), ("go", "v3.0.0")]
    ):
        folder = written(renderer, history, version, tmp_path / str(number) / "orders", language)
        files = with_answers(folder)
        assert seen.setdefault((language, version), files) == files
