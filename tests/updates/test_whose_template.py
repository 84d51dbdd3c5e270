"""A fleet fetches and renders the template of ``fleet.yaml`` alone, and notices tags that were moved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from golden_path.rendering.render import Renderer
from golden_path.source.address import same
from tests.labs.template import commit_all, git
from tests.updates import cases, fleets, foreign
from tests.updates.commands import golden_path
from tests.updates.fleets import BRANCH, Fleet
from tests.updates.foreign import ANSWERS, NEW, OLD
from tests.updates.test_servers import Server


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("gh:acme/golden-path", "https://github.com/acme/golden-path.git", True),
        ("git@github.com:acme/golden-path.git", "https://github.com/acme/golden-path", True),
        ("git+https://git.example.com:443/a/b", "ssh://git@GIT.example.com:22/a/b.git/", True),
        ("git@localhost:a/b", "ssh://git@localhost/a/b", True),
        ("/srv/template", "/srv/template", True),
        ("http://git.example.com/a/b", "http://git.example.com/a/b.git", True),
        ("/srv/template", "/srv/other", False),
        ("gh:acme/golden-path", "gh:acme/other", False),
        ("gh:acme/golden-path", "gh:Acme/golden-path", False),
        ("https://github.com/acme/golden-path", "https://gitlab.com/acme/golden-path", False),
        ("https://git.example.com/a/b", "http://git.example.com/a/b", False),
        ("https://git.example.com/a/b", "git://git.example.com/a/b", False),
        ("https://git.example.com/a/b", "https://git.example.com:8443/a/b", False),
        ("https://git.example.com/a/b", "ssh://git@git.example.com:2222/a/b", False),
        ("https://git.example.com/a/b", "https://me@git.example.com/a/b", False),
        ("git@git.example.com:a/b", "me@git.example.com:a/b", False),
        ("https://git.example.com/a/b", "ssh://git.example.com/a/b", False),
        ("https://git.example.com/a/b", "git.example.com:a/b", False),
        ("https://git.example.com/a/b", "https://git.example.com/a/../a/b", False),
        ("https://git.example.com/a/b", "file:///git.example.com/a/b", False),
    ],
)
def test_one_template_by_two_addresses(one: str, other: str, expected: bool) -> None:
    assert same(one, other) is expected
    assert same(other, one) is expected


def renamed(services: list[Path], template: Path, address: str) -> None:
    """Let the answers of bare repositories name their template otherwise."""
    for one in services:
        work = one.with_name(f"{one.stem}-work")
        git(one.parent, "clone", "--quiet", str(one), str(work))
        text = (work / ANSWERS).read_text()
        (work / ANSWERS).write_text(text.replace(f"_src_path: {template}", f"_src_path: {address}"))
        commit_all(work, "Address")
        git(work, "push", "--quiet", "origin", "HEAD")


COMMANDS = [("plan", "--fleet"), ("plan", "--trust", "--fleet"), ("status", "--trust", "--fleet"),
            ("fleet", "advance", "--trust")]  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS)
def test_another_template_is_a_row_and_never_fetched(
    words: tuple[str, ...], tmp_path: Path, renderer: Renderer
) -> None:
    fleet = fleets.make(tmp_path, renderer, {"one": 2})
    server = Server()
    renamed(fleet.services[:1], fleet.template, server.address)
    done = golden_path(*words, fleet.file, GOLDEN_PATH_GIT_TIMEOUT="1")
    server.close()
    assert done.returncode == 6
    reason = f"its template is {server.address}, the fleet's is {fleet.template}: give it a fleet.yaml of its own"
    assert done.stderr == f"golden-path: one-01: {reason}\n"
    assert "one-02" in done.stdout or BRANCH in done.stdout
    assert server.asked == []


def test_the_fleets_spelling_is_fetched_and_the_services_stays(tmp_path: Path, renderer: Renderer) -> None:
    fleet = fleets.make(tmp_path, renderer, {"one": 1})
    settings = tmp_path / "settings"
    git(tmp_path, "config", "--file", str(settings), f"url.{tmp_path}/.insteadOf", "https://git.example.com/acme/")
    (tmp_path / "ssh").write_text(f"#!/bin/sh\ntouch {tmp_path}/trace\nexit 1\n")
    (tmp_path / "ssh").chmod(0o755)
    git(tmp_path, "config", "--file", str(settings), "core.sshCommand", str(tmp_path / "ssh"))
    renamed(fleet.services, fleet.template, "git@git.example.com:acme/template.git")
    fleet.file.write_text(
        fleet.file.read_text().replace(str(fleet.template), "https://git.example.com/acme/template", 1)
    )
    done = fleet.run("advance", GIT_CONFIG_GLOBAL=str(settings))
    assert done.returncode == 0, done.stderr
    assert "_src_path: git@git.example.com:acme/template.git" in git(fleet.services[0], "show", f"{BRANCH}:{ANSWERS}")
    assert "edited by hand" not in git(fleet.services[0], "log", "-1", "--format=%B", BRANCH)
    assert not (tmp_path / "trace").exists()


def test_a_moved_tag_is_said(tmp_path: Path, renderer: Renderer, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [foreign.line("a.txt", 9, cases.THEIRS)]
    source = foreign.template(tmp_path / "template", cases.FIRST, steps, [foreign.write("more.txt")])
    service = foreign.service(renderer, source, tmp_path / "service")
    copied = foreign.service(renderer, source, tmp_path / "copied")
    assert golden_path("apply", service, "--to", NEW).returncode == 0
    git(service, "merge", "--quiet", BRANCH)
    commit = git(source, "rev-parse", NEW)
    assert f"Template-Commit: {commit}" in git(service, "log", "-1", "--format=%B")
    quiet = [golden_path(verb, one).stderr for verb in ("plan", "status") for one in (service, copied)]
    assert quiet == [""] * 4

    for tag in (OLD, NEW):
        moved = git(source, "commit-tree", "-p", tag, "-m", "Moved", f"{NEW}^{{tree}}")
        git(source, "tag", "--force", tag, moved)
    first = f"the tag {OLD} of the template was moved after this machine first saw it, from "
    second = (
        f"the tag {NEW} of the template was moved after the service was written, from {commit[:12]} to {moved[:12]}"
    )
    for verb in ("plan", "status", "apply"):
        for one, expected in ((copied, first), (service, second)):
            done = golden_path(verb, one)
            assert len(done.stderr.splitlines()) == 1
            assert expected in done.stderr
    assert expected in json.loads(golden_path("status", service, "--json").stdout)[0]["moved"]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # another machine
    assert second in golden_path("plan", service).stderr
    assert golden_path("plan", copied).stderr == ""


def test_a_moved_tag_in_a_fleet(tmp_path: Path, renderer: Renderer) -> None:
    fleet: Fleet = fleets.make(tmp_path, renderer, {"one": 1})
    assert golden_path("status", "--fleet", fleet.file).stderr == ""
    git(fleet.template, "tag", "--force", OLD, git(fleet.template, "commit-tree", "-m", "x", f"{NEW}^{{tree}}"))
    for verb in ("plan", "status"):
        [line] = golden_path(verb, "--fleet", fleet.file).stderr.splitlines()
        assert line.startswith(f"golden-path: one-01: the tag {OLD} of the template was moved")
    for verb in ("advance", "status", "rollback"):
        [line] = fleet.run(verb).stderr.splitlines()
        assert line.startswith(f"golden-path: one-01: the tag {OLD} of the template was moved")
