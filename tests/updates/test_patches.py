"""The speed patches change nothing where Copier keeps state between two texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.render import Renderer
from tests.updates import foreign


def tree(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_yielded_paths_and_contexts_that_are_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
    with Renderer() as patched:
        on = tree(foreign.render(patched, source, foreign.OLD, tmp_path / "on" / "orders"))
        again = tree(foreign.render(patched, source, foreign.OLD, tmp_path / "again" / "orders"))
    monkeypatch.setenv("GOLDEN_PATH_PATCHES", "off")
    with Renderer() as plain:
        off = tree(foreign.render(plain, source, foreign.OLD, tmp_path / "off" / "orders"))
    assert on == again == off
    assert (on["ann/plain/orders/is.txt"], on["bob/plain/orders/is.txt"]) == (b"ann\n", b"bob\n")
    assert (on["last/ann.txt"], on["last/bob.txt"]) == (b"ann here\n", b"bob here\n")
    assert on["orders/plain/b.txt"] == b"orders render\n"
