"""Names, modes, links and contents that the fast way writes are those that git has of Copier's files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from golden_path.rendering.render import Renderer
from tests.updates import foreign
from tests.updates.foreign import Step, append, delete, executable, link, move, write
from tests.updates.renderings import SETTINGS, Answers, compared

FAST, COPIER, BOTH = {True}, {False}, {True, False}
DOS = write("dos.txt", "a\r\nb\r\n")


def at_root(step: Step) -> Step:
    return lambda folder: step(folder.parent)


def raw(name: bytes, text: bytes = b"x\n") -> Step:
    return write(os.fsdecode(name), text)


@dataclass(frozen=True)
class Case:
    """A template of two versions; the second has one file more where nothing else is said."""

    name: str
    first: Sequence[Step]
    second: Sequence[Step] = (write("zz-new.txt", "new\n"),)
    ways: set[bool] = field(default_factory=lambda: FAST)
    settings: str = SETTINGS
    questions: str = ""
    services: Sequence[Answers] = ({"name": "orders"}, {"name": "bills"})
    more: dict[str, Any] = field(default_factory=dict)


ATTRIBUTES = [
    Case(f"dos-lines-{number}-{where}-{rule}",
         [DOS] if where == "service" else [DOS, write(".gitattributes.jinja", f"{rule} # {{{{ name }}}}\n")], ways=ways,
         more={"attributes": f"{rule}\n".encode()} if where == "service" else {})
    for where in ("service", "rendering")
    for number, (rule, ways) in enumerate([
        ("* text", COPIER), ("*.txt eol=lf", COPIER), ("* text=auto", COPIER), ("*.txt ident", COPIER),
        ("*.txt working-tree-encoding=UTF-16", COPIER), ("*.txt filter=x", COPIER), ("*.txt -diff", FAST),
        ("* crlf", COPIER), ("*.md binary", FAST)])
]  # fmt: skip
CASES = [
    *ATTRIBUTES,
    Case("no-dos-lines", [write("a.txt", "$Id$\n")], more={"attributes": b"* text=auto eol=crlf\n"}),
    Case("identity", [write("a.txt", "$Id: x$\n")], more={"attributes": b"* ident\n"}, ways=COPIER),
    Case("sha256", [write("a.txt.jinja", "{{ name }}\n"), write("b.bin", bytes(range(256)))], more={"sha256": True}),
    Case("binary-empty-large", [write("a.bin", bytes(range(256)) * 9000), write("b.txt", ""), write("c.jinja", "")]),
    Case("no-end-of-line", [write("a.jinja", "{{ name }}"), write("b.jinja", "{{ name }}\n\n\n"), write("c.jinja",
         "a\r\nb\r\n")]),
    Case("not-utf-8", [raw(b"f\xff.txt"), raw(b"g\xff.txt.jinja", b"{{ name }}")]),
    Case("not-utf-8-text", [write("a.jinja", b"\xff{{ name }}")], ways=COPIER),
    Case("odd-names", [write("a b\t'\"ü\nx.txt"), write("{{ name }}\n.txt", "x"), write(" {{ name }} .jinja", "x"),
         write("-", "x"),
                       write("a\\b", "x"), write("*?[x]", "x")]),
    Case("several-parts", [write("{{ name }}{{ sub }}/a.txt"), write("x{{ sub }}-{{ name }}.jinja", "{{ name }}")],
         questions="sub: {type: str, default: /sub/x}\n"),
    Case("dot-folder", [write("{{ '.' }}/{{ '.' }}/a.txt")]),
    Case("dot-file", [write("{{ '.' }}", "x")], ways=COPIER),
    Case("parent", [write("{{ '..' }}/a.txt")], ways=COPIER),
    Case("parent-inside", [write("a/{{ '..' }}/b.txt"), write("a/c.txt")], ways=COPIER),
    Case("excluded-parent", [write("{{ '..' }}/a.txt")], settings=SETTINGS + "_exclude: ['..', a.txt]\n", ways=COPIER),
    Case("absolute", [write("{{ '/tmp-golden-path-test' }}/a.txt")], ways=COPIER),
    Case("trailing-slash", [write("{{ name ~ '/' }}/a.txt")], ways=COPIER),
    Case("empty-part", [write("{% if name == 'x' %}y{% endif %}/a.txt"),
         write("{% if name == 'orders' %}y{% endif %}.jinja", "z")]),
    Case("gits-own", [write("{{ '.git' }}/config-x", "x")], ways=COPIER,
         settings="_exclude: [copier.yml]\n_subdirectory: template\n"),
    *(Case(f"gits-own-{number}", [write(f"{{{{ '{name}' }}}}.jinja", "x")], ways=COPIER)
      for number, name in enumerate(("git~1", ".GIT", ".git ", ".git.", "sub/git~1", ".git::$INDEX_ALLOCATION"))),
    Case("gits-files", [write(".gitignore", "*\n!.gitkeep\n"), write(".gitkeep", ""), write(".github/a.yml", "x"),
         write("git.txt", "x")]),
    Case("modules-link", [link("{{ '.gitmodules' }}", "a.txt"), write("a.txt", "x")], ways=COPIER),
    Case("too-long", [write("{{ 'ü' * 128 }}.jinja", "x")], ways=COPIER),
    Case("long", [write("{{ 'x' * 200 }}", "x"), write("{{ 'ü' * 100 }}/{{ 'x' * 200 }}", "x")]),
    Case("longer", [write("{{ 'x' * 252 }}", "x")], ways=COPIER),
    Case("same-path", [write("{% if name == 'orders' %}a{% endif %}{% if name == 'bills' %}b{% endif %}.txt.jinja",
         "{{ 'plain' }}"),
                       write("b.txt", "plain"), write("c.txt", "same")]),
    Case("same-path-skipped", [write("{{ 'b' }}.txt", "same"), write("b.txt", "same")], ways=COPIER,
         settings=SETTINGS + "_skip_if_exists: ['{{ \"b\" }}.txt']\n"),
    Case("siblings", [write("a.txt", "plain"), write("a.txt.jinja", "{{ name }}"), at_root(write("b.txt.jinja",
         "root")),
                      write("b.txt", "not written: see the root"), write("{{ 'b' }}.txt", "neither")]),
    Case("sibling-of-the-answers", [at_root(write("conf/answers.yml.jinja", "root")), write("conf/answers.yml", "mine"),
                                    delete("{{ _copier_conf.answers_file }}.jinja")],
         more={"answers_file": "conf/answers.yml"}),
    Case("answers-in-a-folder", [write("conf/{{ name }}.txt", "x")], more={"answers_file": "conf/answers.yml"}),
    Case("answers-there", [write("a.txt", "x")], more={"there": {foreign.ANSWERS: "name: bills\n"}}, services=({},)),
    Case("answers-there-and-not-written", [write("a.txt", "x")], [delete("{{ _copier_conf.answers_file }}.jinja")],
         more={"there": {foreign.ANSWERS: "name: bills\n"}}, ways=BOTH),
    Case("answers-there-and-skipped", [write("a.txt", "x")],
         settings=SETTINGS + f"_skip_if_exists: [{foreign.ANSWERS}]\n",
         more={"there": {foreign.ANSWERS: "name: bills\n"}}, ways=COPIER),
    Case("files-there", [write("a.txt", "x")], more={"there": {"other.txt": "mine", "a.txt": "mine"}}, ways=COPIER),
    Case("folder-as-the-answers", [write(f"{foreign.ANSWERS}/a.txt", "x"),
         delete("{{ _copier_conf.answers_file }}.jinja")], ways=COPIER),
    Case("links", [link("a", "b.txt"), link("{{ name }}-b", "no/where"), link("c", "./x//y"), link("d", "/absolute"),
                   link("e.jinja", "{{ name }}.txt"), write("b.txt", "x"), write("folder/f.txt", "x"), link("g",
                        "folder")]),
    Case("links-followed", [link("a", "b.txt"), write("b.txt", "x")], settings="_subdirectory: template\n",
         ways=COPIER),
    Case("link-that-a-file-replaces", [link("a.txt", "b.txt"), write("{{ 'a' }}.txt", "x")], ways=COPIER),
    Case("folder-and-file", [write("{{ name }}/{% if name == 'x' %}y{% endif %}", "x"), write("{{ [name]|join }}",
         "x")], ways=COPIER),
    Case("file-in-a-file", [write("{{ name }}", "x"), write("{{ [name]|join }}/a.txt", "x")], ways=COPIER),
    Case("folder-with-the-suffix", [write("a.jinja/b.txt", "x"), write("c.txt", "x")], ways=COPIER),
    Case("no-suffix", [write("a.txt", "{{ name }}"), move("{{ _copier_conf.answers_file }}.jinja",
         "{{ _copier_conf.answers_file }}")],
         settings=SETTINGS + "_templates_suffix: ''\n", ways=COPIER),
    Case("two-dots", [write("a.txt.tmpl.j2", "{{ name }}"), write("b.j2", "{{ name }}"), write(".tmpl.j2", "x"),
                      move("{{ _copier_conf.answers_file }}.jinja", "{{ _copier_conf.answers_file }}.x.tmpl.j2")],
         settings=SETTINGS + "_templates_suffix: .tmpl.j2\n"),
    Case("suffix-without-a-dot", [write("a.txt_t", "{{ name }}"), write("b_t", "{{ name }}")],
         settings=SETTINGS + "_templates_suffix: _t\n"),
    Case("excluded", [write("{{ name }}.txt", "x"), write("docs/a.md", "x"), write("docs/b.md", "x")],
         settings=SETTINGS + "_exclude: ['{{ name }}.txt', docs, '!docs/b.md']\n"),
    Case("folder-by-an-answer", [at_root(write("orders/a.txt.jinja", "{{ name }}")), at_root(write("bills/b.txt",
         "x"))],
         settings="_subdirectory: '{{ name }}'\n_preserve_symlinks: true\n"),
    Case("no-subdirectory", [write("a.txt.jinja", "{{ name }}"), at_root(write("{{ name }}.txt", "x"))],
         settings="_preserve_symlinks: true\n"),
    Case("programs", [write("a.sh", "#!"), executable("a.sh"), write("b.sh.jinja", "#! {{ name }}"),
         executable("b.sh.jinja"), write("c", "")],
         [executable("c")]),
    Case("several-documents", [write("a.jinja", "{{ name }} {{ more }} {{ last }}\n")],
         questions="---\nmore: {type: str, default: m}\n---\n_skip_if_exists: [x]\nlast: {type: int, default: 3}\n"),
    Case("included-questions", [at_root(write("more.yml", "more: {type: str, default: '{{ name }}?'}\n")),
         write("a.jinja", "{{ more }}\n")],
         [at_root(write("more.yml", "more: {type: int, default: 2}\n"))], questions="---\n!include more.yml\n"),
    Case("odd-yaml", [write("a.jinja", "{{ more }}\n")], questions="more:\t{type: str, default: 'x?'}\n", ways=COPIER),
    Case("changed-questions", [write("a.jinja", "{{ more }}\n")], [at_root(append("copier.yml",
         "more: {type: yaml, default: [1, b]}\n"))]),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[one.name.replace("/", "|") for one in CASES])
def test_files(case: Case, tmp_path: Path, renderer: Renderer, unpatched: Renderer) -> None:
    source = foreign.template(
        tmp_path / "template", case.first, case.second, settings=case.settings,
        questions=foreign.QUESTIONS + case.questions,
    )  # fmt: skip
    _, ways = compared((renderer, unpatched), source, tmp_path, case.services, **case.more)
    assert ways == case.ways
