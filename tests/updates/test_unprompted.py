"""Copier without the libraries that it asks people with: answers are judged as with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from golden_path.rendering.render import Renderer
from golden_path.rendering.unprompted import LEFT_OUT, Choice
from tests.updates import foreign
from tests.updates.foreign import write
from tests.updates.renderings import LOADED, SETTINGS, compared, extension

QUESTIONS = """\
several: {type: str, multiselect: true, choices: {One: a, Two: b, "{{ name }}": c}, default: [a, c]}
one: {type: int, choices: [["first", 1], ["second", {value: 2, validator: "{% if name == 'x' %}not now{% endif %}"}]],
     default: 1}
none: {type: yaml, choices: {Nothing: null, Zero: 0, No: false, Empty: ""}, default: null}
checked: {type: str, default: ok, validator: "{% if checked != 'ok' %}must be ok{% endif %}"}
long: {type: str, multiline: true, default: "a\\nb"}
hidden: {type: str, secret: true, default: s}
where: {type: path, default: a/b}
data: {type: json, default: '{"a": [1]}'}
"""
SHOWN = "{{ several }} {{ one }} {{ none }} {{ checked }} {{ long }} {{ hidden }} {{ where }} {{ data }}\n"
ANSWERS: list[dict[str, Any]] = [
    {}, {"several": ["b"]}, {"several": []}, {"several": ["orders"]}, {"several": ["no"]}, {"several": "a"}, {"one": 2},
    {"one": 2, "name": "x"}, {"one": "second"}, {"one": 3}, {"one": True}, {"none": 0}, {"none": False}, {"none": ""},
    {"none": "null"}, {"none": "Zero"}, {"checked": "no"}, {"checked": None}, {"data": "{"}, {"data": {"a": 1}},
    {"where": "../x"}, {"long": "x\n"}, {"several": ["a", "a"]}, {"hidden": ""},
]  # fmt: skip


def test_answers_are_judged_alike(tmp_path: Path, renderer: Renderer, unpatched: Renderer) -> None:
    source = foreign.template(
        tmp_path / "template", [write("a.txt.jinja", SHOWN)], settings=SETTINGS, questions=foreign.QUESTIONS + QUESTIONS
    )
    found, _ = compared((renderer, unpatched), source, tmp_path, ANSWERS, [foreign.OLD])
    refused = [one for one in found if isinstance(one, str)]
    assert 0 < len(refused) < len(found)
    assert any("must be ok" in one for one in refused)
    assert any("not now" in one for one in refused)


def test_an_extension_gets_the_real_libraries(tmp_path: Path, renderer: Renderer, unpatched: Renderer) -> None:
    imports = """
import prompt_toolkit.validation, pygments.lexers, questionary
from questionary import Choice
environment.globals["real"] = [
    questionary.__file__.endswith(".py"), Choice("a", "b").value, issubclass(prompt_toolkit.validation.ValidationError,
         Exception),
    pygments.lexers.get_lexer_by_name("yaml").name, callable(questionary.text), Choice.__module__,
]
"""
    source = foreign.template(
        tmp_path / "template", [extension(imports), write("a.txt.jinja", "{{ real }}\n")], settings=LOADED
    )
    found, _ = compared((renderer, unpatched), source, tmp_path, versions=[foreign.OLD])
    assert isinstance(found[0], dict)
    assert found[0]["a.txt"][1] == b"[True, 'b', True, 'YAML', True, 'questionary.prompts.common']\n"


@pytest.mark.parametrize(
    "arguments", [("a",), ("a", "b"), ("a", None), ("a", 0), ("a", False), ("a", ""), ("a", ["x"])]
)
def test_a_choice_is_what_it_is_with_the_library(arguments: tuple[Any, ...]) -> None:
    from questionary.prompts.common import Choice as Real

    real, ours = Real(*arguments), Choice(*arguments)
    assert (ours.title, ours.value, ours.disabled) == (real.title, real.value, real.disabled)
    assert ours.checked == real.checked
    assert "questionary" in LEFT_OUT
