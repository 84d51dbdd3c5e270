"""What texts become with the fast way is what Copier makes of them, whoever was rendered before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from golden_path.rendering.render import Renderer
from tests.updates import foreign
from tests.updates.foreign import Step, append, write
from tests.updates.renderings import LOADED, SETTINGS, Answers, compared, extension

TWO = ({"name": "orders"}, {"name": "bills"})
FAST, COPIER = {True}, {False}
NOT_RENDERED = "_exclude: ['*.part', copier.yml]\n"


def at_root(step: Step) -> Step:
    """Let a step change the template's root."""
    return lambda folder: step(folder.parent)


FILTER = "@declared('data.txt')\ndef worded(text): return text + (HERE / 'data.txt').read_text()\n"
HERE = "HERE = Path(__file__).parent\n"
HOOK = "    def hook(self, context):\n"


@dataclass(frozen=True)
class Case:
    """A template of two versions.

    Attributes:
        name: what it is about.
        first: the steps of its first version.
        second: those of its second.
        services: answers.
        settings: of ``copier.yml``.
        questions: more of them.
        ways: whether the fast way was taken.
        more: as for ``rendered``.
    """

    name: str
    first: Sequence[Step]
    second: Sequence[Step] = (write("new.txt", "new\n"),)
    services: Sequence[Answers] = TWO
    settings: str = SETTINGS
    questions: str = ""
    ways: set[bool] = field(default_factory=lambda: FAST)
    more: dict[str, Any] = field(default_factory=dict)


def each(values: Sequence[str]) -> tuple[Answers, ...]:
    return tuple({"value": one} for one in values)


VALUE = "value: {type: yaml, default: ''}\n"
SHOWN = write("a.txt.jinja", "{{ value }} {{ value is string }} {{ value is number }}\n")
INCLUDING = "{% if deep|default(0) < 1 %}{% set deep = 1 %}{% include 'template/a.txt.jinja' %}{% endif %}x\n"
CASES = [
    Case("answers that are equal in Python and not in YAML", [SHOWN], questions=VALUE,
         services=each(["1", "1.0", "true", "'1'", "[1]", "[1.0]", "[true]", "{a: 1}", "{a: true}", "{1: a}", "null",
                        "{true: a}", "''", "{a: 1, b: 2}", "{b: 2, a: 1}", "2020-01-01", "2020-01-01 00:00:00"])),
    Case("zero with and without a sign", [SHOWN], questions="value: {type: float, default: 1}\n",
         services=({"value": 0.0}, {"value": -0.0})),
    Case("one moment in two time zones", [SHOWN], questions=VALUE,
         services=each(["2020-01-01T12:00:00Z", "2020-01-01T13:00:00+01:00"])),
    Case("an include that only the second version changes",
         [write("b.part", "one {{ name }}\n"), write("a.txt.jinja", "{% include 'template/b.part' %}")],
         [write("b.part", "two {{ name }} {{ more }}\n")], settings=SETTINGS + NOT_RENDERED,
         questions="more: {type: str, default: '{{ name }}!'}\n"),
    Case("an include that includes, an import, a macro and a block that is extended",
         [write("c.part", "c {{ name }}\n"), write("b.part", "{% include 'template/c.part' %}"),
          write("m.part", "{% macro m(x) %}{{ x }} {{ name }}{% endmacro %}"),
          write("base.part", "{% block one %}base{% endblock %} {{ self.one() }}\n"),
          write("a.txt.jinja", "{% from 'template/m.part' import m with context %}{{ m(1) }}"
                "{% include 'template/b.part' %}{% import 'template/m.part' as n %}{{ n.m(name) }}"),
          write("d.txt.jinja", "{% extends 'template/base.part' %}{% block one %}{{ super() }}{% endblock %}")],
         [write("c.part", "c2 {{ name }}\n"), write("base.part", "{% block one %}2{% endblock %}\n")],
         settings=SETTINGS + NOT_RENDERED),
    Case("an include whose name is computed",
         [write("orders.part", "for orders\n"), write("bills.part", "for bills\n"),
          write("a.txt.jinja", "{% include 'template/' ~ name ~ '.part' %}")],
         [write("orders.part", "other\n")], settings=SETTINGS + NOT_RENDERED),
    Case("an include that is missing in one version",
         [write("a.txt.jinja", "{% include 'template/b.part' ignore missing %}.\n")],
         [write("b.part", "{{ name }}")], settings=SETTINGS + NOT_RENDERED, ways={True, False}),
    Case("texts that include themselves, or another one that is the same",
         [write("a.txt.jinja", INCLUDING), write("b.txt.jinja", INCLUDING)], [write("a.txt.jinja", "other\n")]),
    Case("filters and tests of Jinja and of Ansible",
         [write("a.txt.jinja", "{{ name|upper }} {{ [name]|map('upper')|list|to_nice_json }} {{ 'x'|hash('sha256') }}"
                "{{ [1, 2]|select('odd')|list }} {{ name|regex_replace('o', '0') }} {{ name|b64encode }}"
                "{{ [{'a': name}]|map(attribute='a')|join }} {{ {'b': 1, 'a': name}|to_yaml }}{{ range(3)|list }}\n")]),
    Case("an undefined variable", [write("a.txt.jinja", "[{{ missing }}]\n")]),
    Case("an undefined variable that is refused", [write("a.txt.jinja", "[{{ missing }}]\n")],
         settings=SETTINGS + "_envops: {undefined: jinja2.StrictUndefined}\n", ways=COPIER),
    Case("a variable that is refused from the second version on", [write("a.txt.jinja", "[{{ missing }}]\n")],
         [at_root(append("copier.yml", "_envops: {undefined: jinja2.StrictUndefined}\n"))], ways={True, False}),
    Case("other marks, and other line ends of the same texts, in the second version",
         [write("a.txt.jinja", "{{ name }} [[ name ]]\n\n"), write("{{ name }}-[[ name ]].txt", "x")],
         [at_root(append("copier.yml", "_envops: {variable_start_string: '[[', variable_end_string: ']]', "
                         "keep_trailing_newline: false}\n")),
          foreign.move("{{ _copier_conf.answers_file }}.jinja", "[[ _copier_conf.answers_file ]].jinja"),
          write("[[ _copier_conf.answers_file ]].jinja", "[[ _copier_answers|to_nice_yaml ]]")]),
    Case("statements by lines, trimmed blocks", [write("a.txt.jinja",
         "  {% if name %}\n  %% if 1\n{{ name }}\n%% endif\n{% endif %}")],
         [at_root(append("copier.yml",
              "_envops: {line_statement_prefix: '%%', trim_blocks: true, lstrip_blocks: true}\n"))]),
    Case("what Copier says of the run",
         [write("a.txt.jinja", "{{ _copier_conf.answers_file }} {{ _copier_answers.name }} {{ _folder_name }}\n"),
          write("{{ _copier_answers.name }}.txt", "x")]),
    Case("a yield tag", [write("{% yield one from [name, 'b'] %}{{ one }}{% endyield %}.txt.jinja", "{{ one }}\n")],
         ways=COPIER),
    Case("data of other files", [write("a.txt.jinja", "{{ _external_data.other.x }}\n")],
         settings=SETTINGS + "_external_data: {other: other.yml}\n", ways=COPIER,
         more={"there": {"other.yml": "x: 1\n"}}),
    Case("a filter that says what it reads, and reads something else in the second version",
         [extension("environment.filters['worded'] = worded", HERE + FILTER), at_root(write("data.txt", "one")),
          write("a.txt.jinja", "{{ name|worded }} {{ 'constant'|worded }} {{ [name]|map('worded')|join }}\n")],
         [at_root(write("data.txt", "two"))], settings=LOADED),
    Case("a filter that says what it reads, of a module that changes",
         [extension("environment.filters['worded'] = worded", HERE + FILTER), at_root(write("data.txt", "one")),
          write("a.txt.jinja", "{{ name|worded }} {{ 'constant'|worded }}\n")],
         [extension("environment.filters['worded'] = worded", HERE + FILTER.replace("text +", "'new' + text +"))],
         settings=LOADED),
    Case("functions that do not say what they read, and a filter whose file is missing",
         [extension("environment.filters['a'] = lambda text: text + (here / 'data.txt').read_text()\n"
                    "environment.globals['b'] = declared('missing.txt')(environment.filters['a'])\n"
                    "environment.tests['c'] = lambda text: 'two' in environment.filters['a'](text)"),
          at_root(write("data.txt", "one")), write("a.txt.jinja",
               "{{ name|a }} {{ 'x'|a }} {{ b(name) }} {{ 'x' is c }}\n")],
         [at_root(write("data.txt", "two"))], settings=LOADED),
    Case("variables of the environment, of which one changes",
         [extension("environment.globals['words'] = (here / 'data.txt').read_text()\n"
                    "environment.globals['fixed'] = [1, {'a': True}]"),
          at_root(write("data.txt", "one")), write("a.txt.jinja", "{{ words }} {{ fixed }}\n")],
         [at_root(write("data.txt", "two"))], settings=LOADED),
    Case("Jinja's own names, taken by an extension",
         [extension("words = (here / 'data.txt').read_text()\nenvironment.globals['range'] = lambda *_: words\n"
                    "environment.globals['pathjoin'] = lambda *_: words\n"
                    "environment.filters['upper'] = lambda _: words\n"
                    "environment.tests['odd'] = lambda _: words == 'two'"),
          at_root(write("data.txt", "one")),
          write("a.txt.jinja", "{{ range(1) }} {{ pathjoin('a') }} {{ 'x'|upper }} {{ name|upper }} {{ 1 is odd }}\n")],
         [at_root(write("data.txt", "two"))], settings=LOADED),
    Case("one of Jinja's filters, taken only where there is a file",
         [extension("if (here / 'data.txt').exists(): environment.filters['upper'] = named",
                    "@pass_context\ndef named(context, _): return context['name']\n"),
          write("a.txt.jinja", "{{ 'x'|upper }} {{ name|upper }}\n")],
         [at_root(write("data.txt", "two"))], settings=LOADED),
    Case("a hook that adds and changes variables, and one that changes with the version",
         [extension(base="ContextHook",
              members=HOOK + "        context['name'] += '!'\n        context['more'] = ['a']\n"),
          write("a.txt.jinja", "{{ name }} {{ more }}\n"), write("{{ name }}.txt.jinja", "{{ name }}\n"),
          write("b.part", "{{ name }}\n"), write("c.txt.jinja", "{% include 'template/b.part' %}")],
         [extension(base="ContextHook",
              members=HOOK + "        context['name'] += '?'\n        context['more'] = {1: 2}\n")],
         settings=LOADED + NOT_RENDERED),
    Case("an extension that changes texts before they are read",
         [extension(members="    def preprocess(self, source, name, filename=None):\n"
                    "        return source.replace('@@', (HERE / 'data.txt').read_text())\n", before=HERE),
          at_root(write("data.txt", "one")), write("a.txt.jinja", "@@ {{ name }}\n"), write("@@.txt", "x")],
         [at_root(write("data.txt", "two"))], settings=LOADED, ways=COPIER),
    Case("an extension that looks variables up itself",
         [extension("environment.context_class = Own", "class Own(Context):\n    def resolve_or_missing(self, key):\n"
                    "        found = super().resolve_or_missing(key)\n"
                    "        return found + '!' if key == 'name' else found\n"),
          write("a.txt.jinja", "{{ name }}\n")], settings=LOADED, ways=COPIER),
    Case("an extension that writes what it finds otherwise",
         [extension("environment.finalize = lambda found: (here / 'data.txt').read_text() + str(found)\n"),
          at_root(write("data.txt", "one")), write("a.txt.jinja", "{{ name }} {{ 'x' }} {{ 1 }}\n")],
         [at_root(write("data.txt", "two"))], settings=LOADED, ways=COPIER),
    Case("an extension that sets how JSON is written",
         [extension("environment.policies['json.dumps_kwargs'] = {'indent': int((here / 'data.txt').read_text())}\n"),
          at_root(write("data.txt", "1")), write("a.txt.jinja", "{{ [name]|tojson }} {{ [1]|tojson }}\n")],
         [at_root(write("data.txt", "3"))], settings=LOADED, ways=COPIER),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[one.name.replace(" ", "-") for one in CASES])
def test_texts(case: Case, tmp_path: Path, renderer: Renderer, unpatched: Renderer) -> None:
    source = foreign.template(
        tmp_path / "template", case.first, case.second, settings=case.settings,
        questions=foreign.QUESTIONS + case.questions,
    )  # fmt: skip
    found, ways = compared((renderer, unpatched), source, tmp_path, case.services, **case.more)
    assert ways == case.ways
    assert len({repr(one) for one in found}) > 1
