"""Adopting into templates that are not ours: hostile repositories, what fails, and rules."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from golden_path.adopting import adopt, adoption
from golden_path.errors import Exit, FleetError
from golden_path.rendering.render import Renderer
from golden_path.source import adoption_rules, infer
from golden_path.store import cache
from golden_path.upgrade import apply
from tests.labs.template import GIT, commit_all, git
from tests.updates import existing, foreign
from tests.updates.commands import golden_path

BRANCH = "golden-path/adopt-v1.0.0"
MAKEFILE = "".join(f"target{number}:\n\ttrue\n" for number in range(8))
RULES = """
answers:
  name:
    - {file: 'package.json', get: name}
    - {folder: true, form: slug}
leave_out: [/src/**]
instead:
  LICENSE: [{file: 'COPYING*'}]
next: |
  - for all
  - [name=shop] for the shop
  - [other] for another
"""


def own(name: str) -> str:
    """A text that is like no other."""
    return "".join(f"{name} {number}\n" for number in range(9))


def template(
    folder: Path, *, rules: str = RULES, settings: str = foreign.SETTINGS, questions: str = foreign.QUESTIONS
) -> Path:
    """A template with a file for each kind of thing that can stand in its way, and a second version of it."""
    first = [
        foreign.write("Makefile", MAKEFILE),
        foreign.write("docs/guide.md", own("docs/guide.md")),
        foreign.write("deploy/app.yaml", own("deploy/app.yaml")),
        foreign.write("config", own("config")),
        foreign.write("vendor/lib.txt", own("vendor/lib.txt")),
        foreign.write("ReadMe.txt", own("ReadMe.txt")),
        foreign.write("übung.txt", own("übung.txt")),
        foreign.write("LICENSE", own("LICENSE")),
        foreign.write("src/example.txt", own("src/example.txt")),
        foreign.write("seeded.txt", own("seeded.txt")),
        foreign.write(".gitattributes", "* text=auto eol=lf\n"),
        foreign.write("new/{{ name }}.txt.jinja", "{{ name }}\n"),
        foreign.link("link", "Makefile"),
        foreign.write("tool.sh", "#!/bin/sh\n"),
        foreign.executable("tool.sh"),
    ]
    second = [
        foreign.line("Makefile", 1, "other0:"),
        foreign.line("docs/guide.md", 1, "other"),
        foreign.line("config", 1, "other"),
        foreign.write("src/second.txt"),
        foreign.write("new/second.txt"),
    ]
    made = foreign.template(folder, first, second, settings=settings, questions=questions)
    if rules:
        foreign.rules(made, rules)
        git(made, "switch", "--quiet", "main")
    return made


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return template(tmp_path / "template")


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """Theirs in the way of everything, in a repository whose lines end as on Windows."""
    folder = tmp_path / "Shop"
    other = tmp_path / "other"
    foreign.write("x.txt")(other)
    commit_all(other)
    for step in (
        foreign.write(".gitattributes", "*.txt -text\n*.bat text eol=crlf\n"),
        foreign.write("run.bat", "a\nb\n"),
        foreign.write("crlf.txt", "a\r\nb\r\n"),
        foreign.write("Makefile", "all:\n\techo theirs\n" * 5),
        foreign.write("docs", "a file where the template has a folder\n"),
        foreign.write("config/app.yaml", "a: folder where the template has a file\n"),
        foreign.link("deploy", "config"),
        foreign.write("README.TXT", "another case\n"),
        foreign.write("u\u0308bung.txt", "another form of the same name\n"),
        foreign.write("COPYING.md", "GPL\n"),
        foreign.write("src/main.txt"),
        foreign.write("größe/ключ ☃.txt"),
        foreign.write("with\nnewline.txt"),
        foreign.write("binary.bin", bytes(range(256))),
        foreign.link("dangling", "nowhere"),
        foreign.link("package.json", "/etc/hostname"),
    ):
        step(folder)
    with (folder / os.fsdecode(b"not-utf8-\xff.txt")).open("w") as file:
        file.write("x\n")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    subprocess.run(
        ["git", "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "vendor"],
        cwd=folder, env={**os.environ, **GIT}, check=True, capture_output=True,
    )  # fmt: skip
    commit_all(folder)
    return folder


def entries(folder: Path, commit: str) -> dict[bytes, bytes]:
    listed = subprocess.run(
        ["git", "ls-tree", "-r", "-z", commit], cwd=folder, capture_output=True, check=True
    ).stdout.split(b"\0")
    return {line.split(b"\t", 1)[1]: line.split(b"\t", 1)[0] for line in filter(None, listed)}


def test_nothing_of_a_hostile_repository_is_touched(hostile: Path, source: Path, renderer: Renderer) -> None:
    before, had = foreign.state(hostile), entries(hostile, "HEAD")
    done = adopt.adopt(hostile, renderer, source=str(source), to=foreign.OLD)
    assert foreign.state(hostile)[1:] == before[1:]
    has = entries(hostile, BRANCH)
    assert {name: has.get(name) for name in had} == had
    assert {name.decode() for name in set(has) - set(had)} == {
        ".copier-answers.yml", "new/shop.txt", "link", "tool.sh", "seeded.txt",
    }  # fmt: skip
    assert (has[b"link"][:6], has[b"tool.sh"][:6]) == (b"120000", b"100755")
    assert {one.path: one.reason for one in done.adoption.differing} == {
        "Makefile": "",
        "docs/guide.md": "your docs stands where the template puts it",
        "deploy/app.yaml": "your deploy stands where the template puts it",
        "config": "your config stands where the template puts it",
        "vendor/lib.txt": "your vendor stands where the template puts it",
        "ReadMe.txt": "your README.TXT stands where the template puts it",
        "übung.txt": "your u\u0308bung.txt stands where the template puts it",
        ".gitattributes": "",
    }
    assert {one.path: one.reason for one in done.adoption.files if one.status == adoption.LEFT_OUT} == {
        "LICENSE": "you have COPYING.md",
        "src/example.txt": "it is part of an application, and you have one",
    }
    assert done.adoption.next == "- [ ] for all\n- [ ] for the shop"
    assert git(hostile, "fsck", "--strict") == ""
    clone = hostile.parent / "clone"
    git(hostile.parent, "clone", "--quiet", "--branch", BRANCH, str(hostile), str(clone))
    assert git(clone, "status", "--porcelain") == ""
    again = adopt.adopt(hostile, renderer, source=str(source), to=foreign.OLD)
    assert (again.status, again.commit) == (apply.THERE, done.commit)


def test_the_next_upgrade_of_a_hostile_repository(hostile: Path, source: Path, renderer: Renderer) -> None:
    had = entries(hostile, "HEAD")
    adopted = adopt.adopt(hostile, renderer, source=str(source), to=foreign.OLD)
    git(hostile, "merge", "--quiet", "--ff-only", adopted.branch)
    done = apply.apply(hostile, renderer, to=foreign.NEW)
    assert not done.plan.conflicts
    has = entries(hostile, done.branch)
    assert {name: has.get(name) for name in had} == had
    assert {name.decode() for name in set(has) - set(entries(hostile, "HEAD"))} == {"new/second.txt"}


def test_a_template_without_rules(tmp_path: Path, renderer: Renderer) -> None:
    """Defaults and --data; what belongs to a service after birth is not born in somebody's."""
    source = template(tmp_path / "template", rules="")
    folder = existing.write(tmp_path / "orders", {"main.py": "x\n"})
    done = adopt.adopt(folder, renderer, source=str(source), data={"name": "given"})
    left = {one.path for one in done.adoption.files if one.status == adoption.LEFT_OUT}
    assert left == {"seeded.txt", ".gitattributes"}
    assert done.adoption.answers["name"] == infer.Found("given", "--data")


def test_a_second_template_has_a_file_of_its_own(tmp_path: Path, source: Path, renderer: Renderer) -> None:
    layered = template(tmp_path / "layer", settings=f"_answers_file: .copier-answers.layer.yml\n{foreign.SETTINGS}")
    folder = existing.write(tmp_path / "orders", {"main.py": "x\n"})
    for one in (source, layered):
        git(folder, "merge", "--quiet", adopt.adopt(folder, renderer, source=str(one)).branch)
    assert (folder / ".copier-answers.layer.yml").exists()
    assert "golden-path/adopt-layer-v2.0.0" in git(folder, "branch", "--list")


def test_another_template_of_the_same_version(tmp_path: Path, source: Path, renderer: Renderer) -> None:
    """Its branch has the same name: it takes the place of one that nobody has worked on."""
    folder = existing.write(tmp_path / "orders", {"main.py": "x\n"})
    first = adopt.adopt(folder, renderer, source=str(source))
    other = template(tmp_path / "other")
    second = adopt.adopt(folder, renderer, source=str(other))
    assert (first.branch, second.status) == (second.branch, apply.CREATED)
    assert f"_src_path: {other}" in git(folder, "show", f"{second.branch}:{foreign.ANSWERS}")


def test_a_folder_called_like_the_answers_file(tmp_path: Path, source: Path, renderer: Renderer) -> None:
    folder = existing.write(tmp_path / "orders", {f"{foreign.ANSWERS}/x": "x\n"})
    with pytest.raises(FleetError, match="is a folder") as caught:
        adopt.adopt(folder, renderer, source=str(source))
    assert caught.value.code == Exit.ANSWERS


def test_somebodys_work_on_the_branch_stays(tmp_path: Path, source: Path, renderer: Renderer) -> None:
    folder = existing.write(tmp_path / "orders", {"main.py": "x\n"})
    branch = adopt.adopt(folder, renderer, source=str(source)).branch
    git(folder, "switch", "--quiet", branch)
    foreign.write("mine.txt")(folder)
    commit_all(folder, "Mine")
    git(folder, "switch", "--quiet", "main")
    before = foreign.state(folder)
    assert adopt.adopt(folder, renderer, source=str(source)).status == apply.THERE
    foreign.write("more.txt")(folder)
    commit_all(folder, "More")
    with pytest.raises(FleetError, match="has commits of a person's") as caught:
        adopt.adopt(folder, renderer, source=str(source))
    assert caught.value.code == Exit.REPOSITORY
    assert foreign.state(folder)[0].splitlines()[0] == before[0].splitlines()[0]


Make = Callable[[Path, Path], list[str | Path]]
QUESTION = f"{foreign.QUESTIONS}owner: {{type: str}}\n"
FAULTS: dict[str, tuple[Make, int, str]] = {
    "no repository": (lambda folder, _: ["adopt", folder.parent], 4, "is not a git repository that can be read"),
    "no folder": (lambda folder, _: ["adopt", folder / "none"], 4, "there is no such folder"),
    "a folder inside": (lambda folder, _: ["adopt", folder / "inner"], 4, "is not the root of its repository"),
    "no template": (lambda folder, _: ["adopt", folder], 2, "name the template with --template: the history has no"),
    "unreachable": (
        lambda folder, _: ["adopt", folder, "--template", "/nowhere/at/all"], 5, "cannot be reached: check the address",
    ),
    "no version": (
        lambda folder, source: ["adopt", folder, "--template", source, "--to", "v9"], 5, "has no version 'v9'",
    ),
    "unknown answer": (
        lambda folder, source: ["adopt", folder, "--template", source, "--data", "nmae=x"], 6,
        "version v2.0.0 of the template asks no nmae",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_done_is_one_line(fault: str, tmp_path: Path, source: Path) -> None:
    make, code, line = FAULTS[fault]
    folder = existing.write(tmp_path / "orders", {"main.py": "x\n", "inner/x": "x\n"})
    before = foreign.state(folder)
    done = golden_path(*make(folder, source), "--trust")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1), done.stderr
    assert line in done.stderr
    assert "Traceback" not in done.stderr
    assert foreign.state(folder) == before


def test_what_a_template_does_wrong_is_one_line(tmp_path: Path, renderer: Renderer) -> None:
    folder = existing.write(tmp_path / "orders", {"main.py": "x\n"})
    before = foreign.state(folder)
    asking = template(tmp_path / "asking", questions=QUESTION)
    with pytest.raises(FleetError, match=r"asks 'owner' and has no default: pass --data owner=VALUE$") as caught:
        adopt.adopt(folder, renderer, source=str(asking))
    assert caught.value.code == Exit.ANSWERS
    for number, (rules, why) in enumerate(
        (
            ("answers: {name: [{file: x, from: y}]}", "a rule knows no from"),
            ("answers: {name: [{get: y}]}", "a rule has one of file, remote, folder"),
            ("answers: {name: [{file: x, match: '('}]}", "missing \\)"),
            ("answers: {name: [{file: x, form: upper}]}", "a form is one of lower, slug, sentence, not upper"),
            ("leave: []", "unknown: leave"),
            ("- [", "adopt.yml cannot be read"),
            ("text", "adopt.yml cannot be read"),
        )
    ):
        with pytest.raises(FleetError, match=why) as caught:
            adopt.adopt(folder, renderer, source=str(template(tmp_path / f"wrong{number}", rules=rules)))
        assert caught.value.code == Exit.TEMPLATE
    assert adopt.adopt(folder, renderer, source=str(asking), data={"owner": "me"}).status == apply.CREATED
    assert foreign.state(folder)[1:] == before[1:]


def test_two_at_once(tmp_path: Path, source: Path, renderer: Renderer) -> None:
    folder = existing.write(tmp_path / "orders", {"main.py": "x\n"})
    with (
        cache.locked(folder / ".git", wait=False),
        pytest.raises(FleetError, match="another golden-path process is using") as caught,
    ):
        adopt.adopt(folder, renderer, source=str(source))
    assert caught.value.code == Exit.BUSY


def test_a_killed_run_leaves_the_repository_as_it_was(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch,
                                                       renderer: Renderer) -> None:  # fmt: skip
    folder = existing.write(tmp_path / "orders", {"main.py": "x\n"})
    before = foreign.state(folder)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("golden_path.store.branches.put", full)
    with pytest.raises(OSError, match="No space"):
        adopt.adopt(folder, renderer, source=str(source))
    assert foreign.state(folder) == before


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><project><artifactId>&b;</artifactId></project>'


@pytest.mark.parametrize(
    ("rule", "files", "found"),
    [
        ({"file": "go.mod", "value": "go"}, {"go.mod": ""}, "go"),
        ({"file": "go.mod", "value": "go"}, {"sub/go.mod": ""}, None),
        ({"file": "**/go.mod", "value": "go"}, {"sub/go.mod": ""}, "go"),
        ({"file": "a.json", "get": "x.1.y"}, {"a.json": '{"x": [1, {"y": 8080}]}'}, "8080"),
        ({"file": "a.json", "get": "x"}, {"a.json": '\ufeff{"x": "bom"}'}, "bom"),
        ({"file": "a.json", "get": "x"}, {"a.json": '{"x": '}, None),
        ({"file": "a.json", "get": "x"}, {"a.json": "[" * 100000}, None),
        ({"file": "a.json", "get": "x"}, {"a.json": '{"x": true}'}, "true"),
        ({"file": "a.json", "get": "x"}, {"a.json": '{"x": null}'}, None),
        ({"file": "a.toml", "get": "a.b"}, {"a.toml": "[a]\r\nb = 'c'\r\n"}, "c"),
        ({"file": "a.toml", "get": "a.b"}, {"a.toml": "[a"}, None),
        ({"file": "a.yml", "get": "a"}, {"a.yml": "a: 1.50\n"}, "1.5"),
        ({"file": "a.yml", "get": "a"}, {"a.yml": "a: !!python/object:os.system x\n"}, None),
        ({"file": "pom.xml", "get": "artifactId"}, {"pom.xml": "<p><artifactId> x </artifactId></p>"}, "x"),
        ({"file": "pom.xml", "get": "artifactId"}, {"pom.xml": BOMB}, None),
        ({"file": "pom.xml", "get": "artifactId"}, {"pom.xml": "<p>"}, None),
        ({"file": "a", "match": "^b=(.*)$"}, {"a": "a=1\r\nb=2\r\n"}, "2"),
        ({"file": "*.txt", "match": "x=(.)"}, {"a.txt": "y", "b.txt": "x=2"}, "2"),
        ({"file": "a", "match": "^b=(.*)$", "form": "slug"}, {"a": "b=Ä Big_Name\n"}, "big-name"),
        ({"file": "a", "match": "x"}, {"a": "x\0"}, None),
        ({"remote": True, "match": "^[^/]+/([^/]+)/"}, {}, "acme"),
        ({"folder": True, "form": "lower"}, {}, "orders"),
    ],
)
def test_rules(rule: dict[str, object], files: dict[str, str], found: str | None) -> None:
    rules = adoption_rules.load(f"answers: {{name: [{rule}]}}".replace("True", "true"))
    repository = infer.Repository(sorted(files), lambda path: files[path].encode(), "example.com/acme/orders", "Orders")
    values = {name: one.value for name, one in infer.answers(rules, repository).items()}
    assert values.get("name") == found
