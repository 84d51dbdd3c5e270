"""The engine on services of this template: what it brings is what a new copy would have, byte for byte."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from golden_path.errors import Exit, FleetError
from golden_path.rehearsal import scenarios
from golden_path.rendering.render import Renderer
from golden_path.source.template import Template
from golden_path.upgrade import apply
from tests.labs import template as lab
from tests.labs import warm
from tests.labs.template import commit_all, git
from tests.updates import cases, foreign, hard_cases, renderings

# What the versions after the first change; seeded files stay out of it, since an update leaves them alone.
SECOND = [
    foreign.move("template/.golden-path/help.awk", "template/.golden-path/usage.awk"),
    foreign.append("template/.golden-path/docker-bake.hcl.jinja", "# [[ service_name ]], again\n"),
    foreign.write("template/docs/new-[[ language ]].md.jinja", "# New for [[ service_name ]]\n"),
    foreign.delete("template/.golden-path/locks/syft.txt"),
    foreign.append("copier.yml", "\nmood: {type: str, default: good, help: Mood}\n"),
]
THIRD = [
    foreign.line("template/.golden-path/usage.awk", 1, "# Another first line."),
    foreign.executable("template/.golden-path/usage.awk"),
    foreign.append("template/Makefile.jinja", "# [[ mood ]]\n"),
]


# By these.
TOUCHED = [".golden-path/help.awk", ".golden-path/docker-bake.hcl", ".golden-path/locks/syft.txt", "Makefile"]
UPSTREAM = {"upstream": "inventory"}
SCENARIOS = Path(__file__).with_name("scenarios.yaml")
# Answers that do not go together, of which tests/render tells each.
TOGETHER = re.compile(
    r"(build_workflow: organisation needs|traffic: gateway is for|base_image: wolfi is for"
    r"|model_(delivery|registry): \w+ is for|(kind|upstream): [a-z ]*is for"
    r"|(build_tool|own_makefile|dockerfile|\w+_command): )"
)
# How many sets of answers of a language go together, and how many there are.
ANSWERED = {"go": (6, 13), "java": (3, 10), "node": (4, 8), "python": (6, 10)}
CHECKS = "CHECKS: dict[str, Callable[[Any, Answers, Environment], str]] = {"


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three versions of this template."""
    folder = lab.snapshot(tmp_path_factory.mktemp("history") / "golden-path")
    git(folder, "tag", "v1.0.0")
    git(folder, "tag", "--delete", lab.VERSION)
    verbs = folder / "template" / ".golden-path" / "service.mk"
    checks = folder / "extensions" / "answers.py"
    for version, steps in (("v2.0.0", SECOND), ("v3.0.0", THIRD)):
        for step in steps:
            step(folder)
        verbs.write_text(verbs.read_text().replace("help.awk", "usage.awk"))
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
    renderer.render(known.at(version), folder, foreign.ANSWERS, {**answers, "language": language})
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


def asked_of(answers: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is asked of a service for a model alone, if it is none: few sets would go together."""
    model = answers.get("kind") == "model"
    return {name: value for name, value in answers.items() if model or not name.startswith("model_")}


def test_an_upgrade_is_a_new_copy_whatever_was_answered(
    language: str, history: Path, tmp_path: Path, renderer: Renderer
) -> None:
    known = Template(str(history))
    known.refresh()
    asked = [*scenarios.load(SCENARIOS).answers, *scenarios.pairwise(known.at("v1.0.0").config, 40)]
    mine = [asked_of(answers) for answers in asked if answers["language"] == language]
    done = 0
    for number, answers in enumerate(mine):
        place = tmp_path / str(number)
        try:
            service = started(renderer, history, place / "once" / "orders", language, answers)
        except FleetError as error:
            if error.code != Exit.TEMPLATE or not TOGETHER.search(str(error)):
                raise
            continue
        fresh = written(renderer, history, "v3.0.0", place / "fresh" / "orders", language, answers)
        assert upgraded(renderer, service, "v3.0.0") == with_answers(fresh), answers
        assert apply.apply(service, renderer).status == apply.CURRENT
        done += 1
    assert (done, len(mine)) == ANSWERED[language]


class Person:
    """Who edits a service of ours: each kind of edit once, half of them in files that the template changes.

    Args:
        folder: the service.
        seed: the same one makes the same edits.
    """

    def __init__(self, folder: Path, seed: str) -> None:
        self.folder = folder
        self.rng = random.Random(seed)
        answers = {foreign.ANSWERS, *git(folder, "ls-files", "*.lock", "*.sum", "*lock*").splitlines()}
        self.left = [name for name in git(folder, "ls-files").splitlines() if name not in answers]
        self.touched = [name for name in TOUCHED if name in self.left]

    def take(self) -> str:
        """Choose a file that was not chosen before."""
        some = self.touched if self.touched and self.rng.random() < 0.5 else self.left
        name = self.rng.choice(some)
        self.left.remove(name)
        self.touched = [one for one in self.touched if one != name]
        return name

    def work(self) -> None:
        """Make the edits, and commit them."""
        ways: list[Callable[[str], foreign.Step]] = [
            lambda name: foreign.line(name, self.rng.randint(1, self.lines(name)), f"mine in {name}"),
            lambda name: foreign.line(name, 1, f"mine at the top of {name}"),
            lambda name: foreign.append(name, f"mine at the end of {name}\n"),
            lambda name: foreign.move(name, f"{name}.moved"),
            lambda name: foreign.move(name, f"elsewhere/{Path(name).name}"),
            foreign.delete,
            foreign.executable,
            foreign.windows,
            lambda name: foreign.write(name, cases.BINARY),
            lambda name: foreign.link(name, "README.md"),
            lambda name: foreign.write(f"{name}.own", f"mine beside {name}\n"),
            lambda _: foreign.write("größe/ñ own.txt", "mine, not ASCII\n"),
            lambda _: foreign.write(f"docs/new-{self.rng.choice(['go', 'java', 'node', 'python'])}.md", "mine, too\n"),
        ]
        self.rng.shuffle(ways)
        for way in ways:
            way(self.take())(self.folder)
        commit_all(self.folder, "Edits")

    def lines(self, name: str) -> int:
        return (self.folder / name).read_bytes().count(b"\n") or 1


@pytest.fixture(scope="module")
def plain(
    language: str, history: Path, kept: Path, tmp_path_factory: pytest.TempPathFactory, renderer: Renderer
) -> tuple[Path, hard_cases.Files]:
    """A service of the first version that nobody edited, in a repository, and what the third writes."""
    place = tmp_path_factory.mktemp("plain")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(kept))
        first = started(renderer, history, place / "first" / "orders", language)
        third = written(renderer, history, "v3.0.0", place / "third" / "orders", language)
    return first, hard_cases.read(third)


@pytest.mark.parametrize("seed", range(3))
def test_every_edit_survives_or_is_reported(
    seed: int, language: str, plain: tuple[Path, hard_cases.Files], tmp_path: Path, renderer: Renderer
) -> None:
    """All kinds of edits at random files of ours; both sides of what is reported are kept."""
    first, theirs = plain
    shutil.copytree(first, tmp_path / "edited", symlinks=True)
    Person(tmp_path / "edited", f"{language} {seed}").work()
    git(tmp_path, "clone", "--quiet", "edited", "orders")  # with the line ends that .gitattributes lets through
    service = tmp_path / "orders"
    base, ours = hard_cases.read(first), hard_cases.read(service)
    ended = hard_cases.with_engine(service, renderer)
    assert ended.code in (0, 3), ended
    case = cases.Case("at random", (), (), cases.CONFLICT if ended.decide else cases.CLEAN)
    assert not hard_cases.problems(case, base, ours, theirs, ended), sorted(ended.said)
    assert bool(ended.decide) == (ended.code == 3)


def test_edits_over_several_versions(history: Path, tmp_path: Path, renderer: Renderer) -> None:
    """What a person changed in a file that the template moves, then changes, is merged; at once and step by step."""
    trees = []
    for name, versions in (("once", ["v3.0.0"]), ("step", ["v2.0.0", "v3.0.0"])):
        service = started(renderer, history, tmp_path / name / "orders", "go")
        foreign.append(".golden-path/help.awk", "# mine\n")(service)
        foreign.delete("docs/runbook.md")(service)
        foreign.write("own.txt")(service)
        commit_all(service, "Edits")
        for version in versions:
            files = upgraded(renderer, service, version)
        assert files[".golden-path/usage.awk"][1].endswith(b"# mine\n")
        assert files[".golden-path/usage.awk"][1].startswith(b"# Another first line.\n")
        assert "docs/runbook.md" not in files
        trees.append(git(service, "rev-parse", "HEAD^{tree}"))
    assert trees[0] == trees[1]


def test_patches_change_no_byte(
    language: str, history: Path, tmp_path: Path, renderer: Renderer, unpatched: Renderer
) -> None:
    patched = written(renderer, history, "v3.0.0", tmp_path / "on" / "orders", language)
    again = written(renderer, history, "v3.0.0", tmp_path / "again" / "orders", language)
    bare = written(unpatched, history, "v3.0.0", tmp_path / "off" / "orders", language)
    cli = tmp_path / "cli" / "orders"
    done = warm.copier(
        "copy", "--trust", "--defaults", "--quiet", "--vcs-ref", "v3.0.0",
        "--data", f"language={language}", "--data", "upstream=inventory", history, cli,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert with_answers(patched) == with_answers(again) == with_answers(bare) == with_answers(cli)


def test_it_goes_to_gits_objects_at_once(language: str, history: Path, tmp_path: Path, renderer: Renderer) -> None:
    for version in ("v1.0.0", "v3.0.0"):
        answers = {**UPSTREAM, "language": language}
        files, fast = renderings.rendered(renderer, history, version, tmp_path / version / "orders", answers)
        assert isinstance(files, dict), files
        assert fast


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
