"""The engine works with a range of Copiers: the oldest, in an environment of its own, writes what the newest does."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from extensions import pins
from golden_path import switch
from golden_path.rendering.render import Renderer
from tests.labs.lock import OLDEST
from tests.labs.places import digest, once
from tests.labs.template import git
from tests.labs.toolchains import ROOT
from tests.updates import foreign
from tests.updates.commands import as_process, command, environment

SETTINGS = """
_subdirectory: template
_envops: {block_start_string: '[%', block_end_string: '%]', variable_start_string: '[[', variable_end_string: ']]'}
_external_data: {other: other.yml}
_skip_if_exists: ["seeded.*"]
_message_after_update: "[[ name ]] is up to date"
_tasks:
  - {command: "echo made >>made.txt", when: "[[ _copier_operation == 'update' ]]"}
_migrations:
  - {version: v2.0.0, when: "[[ _stage == 'after' ]]", command: "echo '[[ name ]]' >migrated.txt"}
"""
QUESTIONS = """
name: {type: str, default: orders}
kind: {type: str, choices: {One: one, Two: two}, default: "[[ 'two' if name == 'orders' else 'one' ]]"}
users: {type: yaml, default: [ann, bob]}
computed: {type: str, when: false, default: "[[ name | upper ]]"}
asked: {type: bool, default: true, when: "[[ kind == 'two' ]]"}
"""


@pytest.fixture(scope="module")
def oldest() -> Path:
    """Python with the oldest Copier that the engine takes."""

    def make(folder: Path) -> None:
        uv = str(Path(sys.executable).with_name("uv"))
        python = folder / "bin" / "python"
        for step in (["venv", "--quiet", "--python", sys.executable, folder],
                     ["pip", "sync", "--quiet", "--require-hashes", "--python", python, OLDEST]):  # fmt: skip
            subprocess.run([uv, *map(str, step)], check=True)

    home = Path.home() / ".cache" / "golden-path" / "tools"
    return once(home / f"oldest-copier-{digest(OLDEST, sys.version)}", make) / "bin" / "python"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("range")
    answers = "[[ _copier_conf.answers_file ]].jinja"
    source = foreign.template(
        folder / "template",
        [
            foreign.delete("{{ _copier_conf.answers_file }}.jinja"),
            foreign.write(answers, "[[ _copier_answers|to_nice_yaml -]]\n"),
            foreign.write("[% if kind == 'two' %][[ name ]][% endif %]/[[ kind ]].txt.jinja", "[[ computed ]]\n"),
            foreign.write("[% yield who from users %][[ who ]][% endyield %]/is.txt.jinja", "[[ who ]] [[ asked ]]\n"),
            foreign.write("external.txt.jinja", "[[ _external_data.other.text ]]\n"),
            foreign.write("seeded.txt", "once\n"), foreign.write("edited.txt"), foreign.write("moved.txt"),
        ],
        [
            foreign.write("new/[[ kind ]].txt.jinja", "[% for who in users %][[ who ]] [% endfor %]\n"),
            foreign.line("edited.txt", 25, "the template's"), foreign.move("moved.txt", "elsewhere.txt"),
        ],
        settings=SETTINGS, questions=QUESTIONS,
    )  # fmt: skip
    with Renderer(trust=True) as renderer:
        return foreign.service(
            renderer, source, folder / "orders", foreign.write("other.yml", "text: of the service\n"),
            foreign.line("edited.txt", 3, "mine"), foreign.append("moved.txt", "mine\n"),
        )  # fmt: skip


def upgraded(service: Path, folder: Path, python: Path, patches: str) -> str:
    """Upgrade a copy; returns the commit of the branch, which has all that was written and said."""
    shutil.copytree(service, folder / "orders")
    env = environment(GOLDEN_PATH_PATCHES=patches, PYTHONPATH=str(ROOT))
    line = [str(python), *command("apply", folder / "orders", "--trust")[1:]]
    done = subprocess.run(line, env=env, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return git(folder / "orders", "rev-parse", "golden-path/v2.0.0")


@pytest.mark.parametrize("patches", ["on", "off"])
def test_the_oldest_copier_writes_what_the_newest_does(
    patches: str, service: Path, oldest: Path, tmp_path: Path
) -> None:
    mine = upgraded(service, tmp_path / "oldest", oldest, patches)
    assert mine == upgraded(service, tmp_path / "newest", Path(sys.executable), "on")
    files = git(tmp_path / "oldest" / "orders", "ls-tree", "-r", "--name-only", mine).splitlines()
    assert {"ann/is.txt", "orders/two.txt", "new/two.txt", "elsewhere.txt", "made.txt", "migrated.txt"} <= set(files)


def test_it_is_the_oldest(oldest: Path) -> None:
    line = [str(oldest), *command("--version")[1:]]
    said = subprocess.run(line, env=environment(), capture_output=True, text=True, check=True, timeout=60).stdout
    assert f"Copier {switch.OLDEST}\n" in said
    assert f"Copier {switch.NEWEST}\n" in as_process("--version").stdout
    assert pins.load()["tools"]["copier"] == switch.NEWEST


@pytest.mark.parametrize(
    ("version", "on"),
    [
        (switch.OLDEST, True),
        (switch.NEWEST, True),
        ("9.17.2", False),
        ("9.19.2", False),
        ("10.0.0", False),
        ("", False),
    ],
)
def test_the_patches_are_for_the_copiers_that_they_were_tested_with(
    version: str, on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switch, "copier", lambda: version)
    switch.tested.cache_clear()
    try:
        assert switch.wanted() is on
    finally:
        switch.tested.cache_clear()
