"""Patterns of the rules match as pathspec does, which services lack; exceptions are patterns, too."""

from __future__ import annotations

import random

import pytest
from pathspec import PathSpec

from golden_path.rules import ci, images, leaks, objects, packages, patterns, requirements, workflows

NAMES = ("a", "b.yaml", "Dockerfile", "x.Dockerfile", ".github", "workflows", "ci.yml", "vendor", "a-b_c", "[x]", "ü")
PARTS = ("*", "**", "a", "?", "b.y*ml", "[ab]*", "[!a]*", "Dockerfile", "*.Dockerfile", ".github", "workflows", "a-b_c")
USED = (
    (workflows.FILES,), workflows.ACTIONS, images.FILES, objects.FILES, objects.KUSTOMIZATIONS, requirements.FILES,
    *(kind.files for kind in packages.KINDS), ci.OTHER_CI, leaks.ENVIRONMENT,
)  # fmt: skip


def paths(chance: random.Random, number: int) -> list[str]:
    return ["/".join(chance.choices(NAMES, k=chance.randint(1, 4))) for _ in range(number)]


@pytest.mark.parametrize("used", USED, ids=lambda one: one[0])
def test_what_the_rules_ask_for(used: tuple[str, ...]) -> None:
    chance = random.Random(1)
    spec = PathSpec.from_lines("gitignore", used)
    wild = [one.strip("!/").replace("**", "x/y").replace("*", "z").replace("[Jj]", "J") for one in used]
    tried = [*paths(chance, 500), *wild, *(f"deep/{one}" for one in wild), *(f"{one}/below" for one in wild)]
    assert [one for one in tried if patterns.matches(used, one)] == [one for one in tried if spec.match_file(one)]


def test_any_pattern() -> None:
    """But for a last part `*`, by which git means folders with all in them, and pathspec only what is right there."""
    chance = random.Random(2)
    for _ in range(1000):
        lines = tuple(
            chance.choice(("", "", "!")) + chance.choice(("", "/"))
            + "/".join([*chance.choices(PARTS, k=chance.randint(0, 2)), chance.choice(PARTS[1:])])
            + chance.choice(("", "", "/"))
            for _ in range(chance.randint(1, 3))
        )  # fmt: skip
        spec = PathSpec.from_lines("gitignore", lines)
        for path in paths(chance, 20):
            assert patterns.matches(lines, path) == spec.match_file(path), (lines, path)
