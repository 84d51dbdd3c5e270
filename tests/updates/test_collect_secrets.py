"""Nobody gets what was made for another, and a text changes nothing for others, whatever is remembered."""

from __future__ import annotations

from pathlib import Path

import pytest

from golden_path.rendering.render import Renderer
from tests.updates import foreign
from tests.updates.foreign import write
from tests.updates.renderings import LOADED, SETTINGS, VERSIONS, extension, rendered

# Each has to be asked for each file anew, also where Jinja could do that while it compiles.
SECRETS = {
    "chance in Jinja": "{{ range(90000)|random }}{{ lipsum() }}",
    "chance in Ansible": "{{ (10 ** 18)|int|ans_random }}{{ 1000000000000000000|ans_random }}",
    "a constant": "{{ 'x'|secret }}",
    "what Jinja knows beforehand": "{{ ('x' or name)|secret }}",
    "one of two": "{{ ('x' if true else name)|secret }}",
    "a comparison": "{{ (1 == 2 == name)|secret }}",
    "with the environment": "{{ 'x'|with_environment }}",
    "by name": "{{ ['x']|map('secret')|join }}",
    "by a name that is computed": "{{ ['x']|map('sec' ~ 'ret')|join }}",
    "a function": "{{ secret(name) }}",
    "with the variables, though it says that it reads nothing": "{{ name|with_variables }}",
    "a tag": "{% secret %}",
    "a hook": "{{ hooked }}",
    "an object": "{{ holder.secret }}",
}
SECRET = """\
def secret(text): return secrets.token_hex(16)
@pass_environment
def with_environment(_, text): return secret(text)
@declared()
@pass_context
def with_variables(context, text): return str(context["hooked"])
class Holder:
    secret = property(secret)
"""
OFFERED = """\
environment.filters.update(secret=secret, with_environment=with_environment, with_variables=with_variables)
environment.globals.update(secret=secret, holder=Holder())
"""
MEMBERS = """\
    tags = {"secret"}
    def parse(self, parser):
        return nodes.Output([nodes.TemplateData(secret("x"))], lineno=next(parser.stream).lineno)
    def hook(self, context):
        context["hooked"] = secret("x")
"""


@pytest.mark.parametrize("text", SECRETS.values(), ids=[one.replace(" ", "-") for one in SECRETS])
def test_nobody_gets_the_secret_of_another(text: str, tmp_path: Path, renderer: Renderer) -> None:
    steps = [write("a.txt.jinja", text)]
    loaded = not text.startswith("{{ range") and "ans_random" not in text
    if loaded:
        steps.append(extension(OFFERED, SECRET, "ContextHook", MEMBERS))
    source = foreign.template(
        tmp_path / "template", steps, [write("new.txt", "")], settings=LOADED if loaded else SETTINGS
    )  # fmt: skip
    found = set()
    for number, version in enumerate(VERSIONS * 2):
        files, _ = rendered(renderer, source, version, tmp_path / str(number) / "orders", {})
        assert isinstance(files, dict), files
        found.add(files["a.txt"])
    assert len(found) == 4


@pytest.mark.parametrize(
    "text",
    [
        "{% set _ = users.append('x') %}{{ users|join }}",
        "{% if name %}{% set add = users.append %}{% endif %}{% set _ = add('x') %}{{ users|join }}",
        "{% macro m(f) %}{% set _ = f('x') %}{% endmacro %}{{ m(users.append) }}{{ users|join }}",
    ],
)
def test_what_a_text_changes_is_changed_as_with_copier(text: str, tmp_path: Path, renderer: Renderer) -> None:
    """What comes of it depends on the order of the files on the disk, so only Copier can say."""
    source = foreign.template(
        tmp_path / "template",
        [write("a.txt.jinja", text), write("b.txt.jinja", "{{ users|join }}")],
        [write("new.txt", "")], settings=SETTINGS, questions=foreign.QUESTIONS + "users: {type: yaml, default: [a]}\n",
    )  # fmt: skip
    for number, version in enumerate(VERSIONS * 2):
        files, fast = rendered(renderer, source, version, tmp_path / str(number) / "orders", {})
        assert isinstance(files, dict), files
        assert not fast
        assert files["a.txt"][1] == b"ax"
        assert files["b.txt"][1] in (b"a", b"ax")
