"""The speed patches change nothing where Copier keeps state between two texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from golden_path.errors import FleetError
from golden_path.rendering.render import Renderer
from tests.labs.template import commit_all, git
from tests.updates import foreign


def tree(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_yielded_paths_and_contexts_that_are_written_to(
    tmp_path: Path, renderer: Renderer, unpatched: Renderer
) -> None:
    """A yield tag is in force for its own part of a path only; what one file does to its answers stays there."""
    source = foreign.template(
        tmp_path / "template",
        [
            foreign.write(
                "{% yield who from users %}{{ who }}{% endyield %}/plain/{{ name }}/is.txt.jinja", "{{ who }}\n"
            ),
            foreign.write("last/{% yield who from users %}{{ who }}.txt{% endyield %}.jinja", "{{ who }} here\n"),
            foreign.write("{{ name }}/plain/a.txt.jinja", "{% set _ = _copier_answers.update(name='x') %}{{ name }}\n"),
            foreign.write("{{ name }}/plain/b.txt.jinja", "{{ _copier_answers.name }} {{ _copier_phase }}\n"),
        ],
        questions=foreign.QUESTIONS + "users: {type: yaml, default: [ann, bob]}\n",
    )
    on = tree(foreign.render(renderer, source, foreign.OLD, tmp_path / "on" / "orders"))
    again = tree(foreign.render(renderer, source, foreign.OLD, tmp_path / "again" / "orders"))
    off = tree(foreign.render(unpatched, source, foreign.OLD, tmp_path / "off" / "orders"))
    assert on == again == off
    assert (on["ann/plain/orders/is.txt"], on["bob/plain/orders/is.txt"]) == (b"ann\n", b"bob\n")
    assert (on["last/ann.txt"], on["last/bob.txt"]) == (b"ann here\n", b"bob here\n")
    assert on["orders/plain/b.txt"] == b"orders render\n"


def test_questions_and_paths_of_every_kind(tmp_path: Path, renderer: Renderer, unpatched: Renderer) -> None:
    """What looks plain and is not: line ends, other marks, empty parts, a sibling, an answers file further down."""
    source = foreign.template(
        tmp_path / "template",
        [
            foreign.write("both.txt", "plain\n"),
            foreign.write("both.txt.jinja", "[[ name ]]\n"),
            foreign.write("[[ kind ]].txt", "not written: there is a template of this name\n"),
            foreign.write("../orders-kind.txt.jinja", "at the root of the template\n"),
            foreign.write("answers.txt.jinja", "[[ mode ]] [[ kind ]] [[ several ]] [[ lines ]]\n"),
            foreign.write("[% if name == 'x' %]no[% endif %]/below/a.txt"),
            foreign.write("[[ name ]]/[% if kind %][[ kind ]][% endif %]/{{ name }}.txt.jinja", "{{ [[ name ]] }}\n"),
            foreign.write("[[ _copier_conf.answers_file ]].jinja", "[[ _copier_answers|to_nice_yaml -]]\n"),
            foreign.delete("{{ _copier_conf.answers_file }}.jinja"),
        ],
        settings=foreign.SETTINGS + "_envops: {block_start_string: '[%', block_end_string: '%]', "
        "variable_start_string: '[[', variable_end_string: ']]'}\n",
        questions=foreign.QUESTIONS
        + """\
mode: {type: "[[ 'str' if name else 'int' ]]", default: "a", choices: {"One [[ name ]]": a, Two: b}}
kind: {type: str, default: "[[ name ]]-kind", validator: "[% if kind == 'x' %]no[% endif %]"}
several: {type: str, multiselect: true, choices: [one, "[[ name ]]", "{{ name }}"], default: [one, orders]}
lines: {type: str, multiline: true, default: "a\\r\\n\\n"}
never: {type: str, default: "[[ name ]]", when: false}
""",
    )
    on = [tree(foreign.render(renderer, source, foreign.OLD, tmp_path / f"on{turn}" / "orders")) for turn in (1, 2)]
    off = tree(foreign.render(unpatched, source, foreign.OLD, tmp_path / "off" / "orders"))
    assert on == [off, off]
    assert off["orders/orders-kind/{{ name }}.txt"] == b"{{ orders }}\n"
    assert off["answers.txt"] == b"a orders-kind ['one', 'orders'] a\n\n\n"
    assert "orders-kind.txt" not in off


@pytest.mark.parametrize("path", ["a/{{ missing.name }}/b.txt", "{{ name", "{{ '../..' }}/c.txt"])
def test_a_path_that_cannot_be_rendered_says_so_as_without(
    path: str, tmp_path: Path, renderer: Renderer, unpatched: Renderer
) -> None:
    source = foreign.template(tmp_path / "template", [foreign.write(path)])
    said = []
    for patches, one in (("on", renderer), ("off", unpatched)):
        with pytest.raises(FleetError) as refused:
            foreign.render(one, source, foreign.OLD, tmp_path / patches / "orders")
        said.append(str(refused.value))
    assert said[0] == said[1]


def test_a_version_is_called_as_git_calls_it_now(tmp_path: Path, renderer: Renderer) -> None:
    """A commit that was rendered before it had its tag is that version afterwards, also for this machine's cache."""
    source = foreign.template(tmp_path / "template", [foreign.write("a.txt")])
    foreign.write("b.txt")(source / "template")
    commit_all(source, "Next")
    before = (foreign.render(renderer, source, "main", tmp_path / "before" / "orders") / foreign.ANSWERS).read_text()
    git(source, "tag", foreign.NEW)
    after = (foreign.render(renderer, source, foreign.NEW, tmp_path / "after" / "orders") / foreign.ANSWERS).read_text()
    assert f"_commit: {foreign.OLD}-1-g" in before
    assert f"_commit: {foreign.NEW}\n" in after
