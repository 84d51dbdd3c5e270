"""Merges by data: what a person need not decide, what they must, and that the result says what both sides said."""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from golden_path.merging import lines, structured, threeway
from golden_path.rendering.render import Renderer
from golden_path.store.trees import Store
from golden_path.upgrade import apply
from golden_path.upgrade.changes import MERGED
from tests.labs.template import git
from tests.updates import foreign

HOOKS = "repos:\n  - repo: a # the first\n    rev: v1\n    hooks: [{id: x}]\n"
UPDATES = "version: 2\nupdates:\n  - package-ecosystem: gomod\n    directory: /\n    schedule: {interval: weekly}\n"
TABLE = "[tool.one]\nx = 1 # x\ny = 2\n"
PACKAGE = '{\n  "name": "orders",\n  "scripts": {\n    "build": "tsc"\n  }\n}\n'
MAKE = "include make/a.mk\n-include local.mk\n\nall:\n\techo\n"

# Name, path, base, ours, theirs, and what comes out.
MERGES = [
    ("keys at the same place", "a.yaml", "a: 1\n", "a: 1\nb: 2 # mine\n", "a: 1\nc: 3 # theirs\n",
     "a: 1\nb: 2 # mine\nc: 3 # theirs\n"),
    ("keys on adjacent lines", "a.yml", "a: 1\nb: 2\n", "a: 9 # mine\nb: 2\n", "a: 1\nb: 8 # theirs\n",
     "a: 9 # mine\nb: 8 # theirs\n"),
    ("hooks of pre-commit", ".pre-commit-config.yaml", HOOKS,
     HOOKS + "  - repo: mine\n    rev: v2\n    hooks: [{id: y}]\n",
     HOOKS.replace("v1", "v3") + "  # of the template\n  - repo: theirs\n    rev: v4\n    hooks: [{id: z}]\n",
     HOOKS.replace("v1", "v3") + "  - repo: mine\n    rev: v2\n    hooks: [{id: y}]\n"
     "  # of the template\n  - repo: theirs\n    rev: v4\n    hooks: [{id: z}]\n"),
    ("updates of Dependabot", ".github/dependabot.yml", UPDATES,
     UPDATES + "  - package-ecosystem: docker\n    directory: /\n    schedule: {interval: daily}\n",
     UPDATES + "  - package-ecosystem: pip\n    directory: /\n    schedule: {interval: weekly}\n",
     UPDATES + "  - package-ecosystem: docker\n    directory: /\n    schedule: {interval: daily}\n"
     "  - package-ecosystem: pip\n    directory: /\n    schedule: {interval: weekly}\n"),
    ("one side removes, the other adds next to it", "a.yaml", "a: 1\nb: 2\n", "a: 1\n", "a: 1\nb: 2\nc: 3\n",
     "a: 1\nc: 3\n"),
    ("several documents", "a.yaml", "a: 1\n---\nb: 1\n", "a: 1\n---\nb: 1\nc: 1\n", "a: 1\n---\nb: 1\nd: 1\n",
     "a: 1\n---\nb: 1\nc: 1\nd: 1\n"),
    ("a tag of its own", "a.yaml", "a: !x 1\n", "a: !x 1\nb: !y [1]\n", "a: !x 1\nc: 1\n",
     "a: !x 1\nb: !y [1]\nc: 1\n"),
    ("scalars in a list", "a.yaml", "on:\n  - push\n", "on:\n  - push\n  - mine\n", "on:\n  - push\n  - theirs\n",
     "on:\n  - push\n  - mine\n  - theirs\n"),
    ("Windows line ends", "a.yaml", "a: 1\r\n", "a: 1\r\nb: 2\r\n", "a: 1\r\nc: 3\r\n", "a: 1\r\nb: 2\r\nc: 3\r\n"),
    ("TOML, keys", "pyproject.toml", TABLE, TABLE + "z = 3 # mine\n", TABLE + "w = 4\n",
     TABLE + "z = 3 # mine\nw = 4\n"),
    ("TOML, adjacent lines", "a.toml", TABLE, TABLE.replace("1", "7"), TABLE.replace("y = 2", "y = 8"),
     "[tool.one]\nx = 7 # x\ny = 8\n"),
    ("TOML, a table and a key before it", "a.toml", TABLE, TABLE + "[tool.two]\na = 1\n", TABLE + "z = 3\n",
     TABLE + "z = 3\n[tool.two]\na = 1\n"),
    ("JSON, keys at the end", "package.json", PACKAGE,
     PACKAGE.replace('"tsc"\n', '"tsc",\n    "mine": "1"\n'), PACKAGE.replace('"tsc"\n', '"tsc",\n    "theirs": "2"\n'),
     PACKAGE.replace('"tsc"\n', '"tsc",\n    "mine": "1",\n    "theirs": "2"\n')),
    ("JSON, the last value and a key after it", "package.json", PACKAGE,
     PACKAGE.replace('"tsc"\n', '"tsc",\n    "mine": "1"\n'), PACKAGE.replace('"tsc"', '"tsc -b"'),
     PACKAGE.replace('"tsc"\n', '"tsc -b",\n    "mine": "1"\n')),
    ("JSON, written anew with tabs by the person", "a.json", '{"a": 1, "b": [1, 2]}\n',
     '{\n\t"a": 1,\n\t"b": [\n\t\t1,\n\t\t2\n\t]\n}\n', '{"a": 5, "b": [1, 2]}\n',
     '{\n\t"a": 5,\n\t"b": [\n\t\t1,\n\t\t2\n\t]\n}\n'),
    ("includes of a Makefile", "Makefile", MAKE, MAKE.replace("a.mk\n", "a.mk\ninclude mine.mk\n"),
     MAKE.replace("a.mk\n", "a.mk\ninclude make/theirs.mk\n"),
     MAKE.replace("a.mk\n", "a.mk\ninclude mine.mk\ninclude make/theirs.mk\n")),
]  # fmt: skip

STEPS = "steps:\n  - name: one\n    run: x\n"

# Name, path, base, ours, theirs: a person has to decide.
REFUSALS = [
    ("the same key", "a.yaml", "a: 1\n", "a: 2\n", "a: 3\n"),
    ("the same new key", "a.yaml", "a: 1\n", "a: 1\nb: 2\n", "a: 1\nb: 3\n"),
    ("a number and a text", "a.yaml", "a: 1\n", "a: 1\nb: 1\n", 'a: 1\nb: "1"\n'),
    ("one removes what the other changes", "a.yaml", "a: 1\nb: 2\n", "a: 1\n", "a: 1\nb: 3\n"),
    ("steps at one place, whose order matters", "a.yaml", STEPS, STEPS + "  - name: mine\n    run: y\n",
     STEPS + "  - name: theirs\n    run: z\n"),
    ("another order", "a.yaml", "l:\n  - a\n  - b\n", "l:\n  - a\n  - b\n  - c\n", "l:\n  - b\n  - a\n"),
    ("elements without a name", "a.yaml", "l:\n  - {x: 1}\n", "l:\n  - {x: 1}\n  - {y: 1}\n",
     "l:\n  - {x: 1}\n  - {z: 1}\n"),
    ("a comment that both changed", "a.yaml", "# one\na: 1\n", "# two\na: 1\n", "# three\na: 1\n"),
    ("no YAML", "a.yaml", "a: 1\n", "a: 1\nb: [\n", "a: 1\nc: 3\n"),
    ("a template of a template", "a.yaml", "a: {{ x }}\n", "a: {{ x }}\nb: 1\n", "a: {{ x }}\nc: 1\n"),
    ("a key that stands twice", "a.yaml", "a: 1\n", "a: 1\nb: 1\nb: 2\n", "a: 1\nc: 3\n"),
    ("two lines of one script", "a.yaml", "run: |\n  a\n  b\n", "run: |\n  a1\n  b\n", "run: |\n  a\n  b1\n"),
    ("TOML, the same key", "a.toml", TABLE, TABLE.replace("1", "7"), TABLE.replace("1", "8")),
    ("JSON, the same key", "a.json", PACKAGE, PACKAGE.replace("tsc", "a"), PACKAGE.replace("tsc", "b")),
    ("JSON, no JSON", "a.json", PACKAGE, PACKAGE.replace('"tsc"', "tsc"), PACKAGE.replace('"tsc"', '"b"')),
    ("recipes of a Makefile", "a.mk", MAKE, MAKE + "\techo mine\n", MAKE + "\techo theirs\n"),
    ("a file of another kind", "a.txt", "a: 1\n", "a: 1\nb: 2\n", "a: 1\nc: 3\n"),
]  # fmt: skip


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with Store(Path("/nowhere")) as one:
        yield one


def conflicts(store: Store, *sides: str) -> bool:
    merged = lines.merge(store, *(side.encode() for side in sides))
    return merged is not None and merged.ours != merged.theirs


@pytest.mark.parametrize(("_", "path", "base", "ours", "theirs", "result"), MERGES, ids=[one[0] for one in MERGES])
def test_merges(_: str, path: str, base: str, ours: str, theirs: str, result: str, store: Store) -> None:
    assert conflicts(store, base, ours, theirs), "lines alone could do this"
    assert structured.merge(store, path, base.encode(), ours.encode(), theirs.encode()) == result.encode()


@pytest.mark.parametrize(("_", "path", "base", "ours", "theirs"), REFUSALS, ids=[one[0] for one in REFUSALS])
def test_refuses(_: str, path: str, base: str, ours: str, theirs: str, store: Store) -> None:
    assert conflicts(store, base, ours, theirs)
    assert structured.merge(store, path, base.encode(), ours.encode(), theirs.encode()) is None


# ---- The result says what both sides said --------------------------------------------------------------------------
def oracle(base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any] | None:
    """Three-way merge of mappings of mappings and scalars, by its definition; None for a clash."""
    merged = {}
    for key in {*base, *ours, *theirs}:
        sides = [side.get(key) for side in (base, ours, theirs)]
        if sides[1] == sides[2] or sides[0] == sides[2]:
            chosen = sides[1]
        elif sides[0] == sides[1]:
            chosen = sides[2]
        elif all(isinstance(side, dict) for side in sides):
            chosen = oracle(*sides)  # type: ignore[arg-type]
            if chosen is None:
                return None
        else:
            return None
        if chosen is not None:
            merged[key] = chosen
    return merged


def grown(data: dict[str, Any], rng: random.Random, depth: int = 0) -> dict[str, Any]:
    """The same with keys changed, removed and added."""
    changed: dict[str, Any] = {}
    for key, value in data.items():
        dice = rng.random()
        if isinstance(value, dict):
            changed[key] = grown(value, rng, depth + 1) if dice < 0.5 else value
        elif dice < 0.15:
            changed[key] = rng.randint(0, 99)
        elif dice > 0.1 + 0.8:
            continue
        else:
            changed[key] = value
    for _ in range(rng.choice((0, 0, 1, 2))):
        changed[f"k{rng.randint(0, 400)}"] = {"n": rng.randint(0, 9)} if depth == 0 else rng.randint(0, 9)
    return changed


def dumped(data: dict[str, Any], suffix: str) -> str:
    if suffix == "json":
        return json.dumps(data, indent=2) + "\n"
    if suffix == "yaml":
        return yaml.safe_dump(data, sort_keys=False)
    return "".join(
        f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
        for name, table in data.items()
    )


def loaded(text: bytes, suffix: str) -> Any:
    if suffix == "toml":
        return tomllib.loads(text.decode())
    return json.loads(text) if suffix == "json" else yaml.safe_load(text)


@pytest.mark.parametrize("suffix", ["yaml", "toml", "json"])
def test_the_merged_data_is_the_merge_of_the_data(suffix: str, store: Store) -> None:
    rng = random.Random(17)
    merges = refusals = 0
    for _ in range(250):
        base = {f"t{number}": {f"k{rng.randint(0, 99)}": rng.randint(0, 9) for _ in range(3)} for number in range(3)}
        ours, theirs = grown(base, rng), grown(base, rng)
        texts = [dumped(side, suffix) for side in (base, ours, theirs)]
        wanted = oracle(base, ours, theirs)
        try:
            typed = threeway.merge(base, ours, theirs)
        except threeway.ClashError:
            typed = None
        assert typed == wanted
        result = structured.merge(store, f"a.{suffix}", *(text.encode() for text in texts))
        if result is None:
            refusals += 1
            assert wanted is None or suffix != "json", texts
        else:
            merges += 1
            assert loaded(result, suffix) == wanted, texts
    assert merges > 80
    assert refusals > 10


def test_apply_merges_by_keys(tmp_path: Path, renderer: Renderer) -> None:
    """In an upgrade: where lines conflict, and not where they do not."""
    source = foreign.template(
        tmp_path / "template",
        [foreign.write("a.yaml", "a: 1\n"), foreign.write("b.yaml", "a: 1\n"), foreign.write("go.sum", "a 1\n")],
        [foreign.append("a.yaml", "c: 3\n"), foreign.append("b.yaml", "b: 3\n"), foreign.append("go.sum", "c 3\n")],
    )
    service = foreign.service(
        renderer, source, tmp_path / "service",
        foreign.append("a.yaml", "b: 2 # mine\n"), foreign.append("b.yaml", "b: 2\n"),
        foreign.write("go.sum", "b 2\na 1\n"),
    )  # fmt: skip
    done = apply.apply(service, renderer)
    by = {one.path: one for one in done.plan.changes}
    assert (by["a.yaml"].status, by["a.yaml"].reason) == (MERGED, structured.REASON)
    assert git(service, "show", f"{done.branch}:a.yaml") == "a: 1\nb: 2 # mine\nc: 3"
    assert [one.path for one in done.plan.conflicts] == ["b.yaml", "go.sum"]
    assert "make lock" in by["go.sum"].reason
    assert git(service, "show", f"{done.branch}:go.sum") == "b 2\na 1"
    assert "make lock" in git(service, "log", "-1", "--format=%B", done.branch)
