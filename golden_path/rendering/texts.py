"""Speed patches to Copier: texts and paths are compiled and rendered once, and plain ones not at all."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType
from typing import Any

from golden_path.rendering import exports

LONG = 60  # characters of a name that any disk takes, whatever suffix is added


def compile_once() -> None:
    """Compile each text once: Copier makes a Jinja environment a rendering, each with an empty cache."""
    import jinja2

    from golden_path.rendering import compiled, ordinary, reads

    original: Any = jinja2.Environment.compile
    known: dict[tuple[object, ...], CodeType] = {}

    def compile_(
        self: jinja2.Environment,
        source: Any,
        name: str | None = None,
        filename: str | None = None,
        raw: bool = False,
        defer_init: bool = False,
    ) -> Any:
        here = tuple(getattr(self.loader, "searchpath", ()))
        shape = ordinary.shape(self) if here else None
        # A yield tag leaves what it found in the environment while it is compiled.
        if raw or defer_init or shape is None or not isinstance(source, str) or "yield" in source:
            return original(self, source, name, filename, raw, defer_init)
        places = {reads.VERSION: (here, source, name), reads.ALL: (shape, source, name)}
        code = known.get(places[reads.ALL]) or known.get(places[reads.VERSION])
        if code is None and (code := compiled.code(self, shape, name or "", source)):
            known[places[reads.ALL]] = code
        if code is None:
            tree = reads.parsed(self, source, name)
            code = original(self, tree, name, filename, raw, defer_init)
            used = reads.compiled_for(self, tree)
            if used in places:
                exports.make_room(known)
                known[places[used]] = code
            if used == reads.ALL:
                compiled.keep_code(self, shape, name or "", source, code)
        _nothing_yielded(self)
        return code

    jinja2.Environment.compile = compile_  # type: ignore[method-assign]


def _nothing_yielded(environment: Any) -> None:
    """Forget what a yield tag left in the environment, as Copier does for each text that it compiles."""
    found = _yield_context()(environment)
    found.yield_name = found.yield_iterable = None


@functools.cache
def _yield_context() -> Callable[[Any], Any]:
    from copier import _jinja_ext

    return _jinja_ext.get_yield_context


def plain_text_as_it_is() -> None:
    """Copier renders each part of each path, and each type, choice and text of a question; most are plain."""
    from copier import _main, _user_data

    from golden_path.rendering import ordinary

    worker: Any = _main.Worker
    question: Any = _user_data.Question
    original, original_path, original_value = (
        worker._render_string, worker.answers_relpath.fget, question.render_value,
    )  # fmt: skip
    path_of = functools.lru_cache(Path)

    def plain(env: Any, string: str) -> bool:
        prefixes = env.line_statement_prefix or env.line_comment_prefix
        marks = env.block_start_string, env.variable_start_string, env.comment_start_string
        return not prefixes and unmarked(string, *marks) and ordinary.reads_texts_as_they_are(env)

    @functools.lru_cache(exports.MOST)
    def unmarked(string: str, *marks: str) -> bool:
        return not any(mark in string for mark in (*marks, "\n", "\r"))

    def render_string(self: Any, string: str, extra_context: Any = None) -> str:
        return string if plain(self.jinja_env, string) else str(original(self, string, extra_context))

    def render_value(self: Any, value: Any, extra_answers: Any = None) -> Any:
        if type(value) is not str or not plain(self.jinja_env, value):
            return original_value(self, value, extra_answers)
        _nothing_yielded(self.jinja_env)
        return value

    def answers_relpath(self: Any) -> Path:
        path = str(self.answers_file or self.template.answers_relpath)
        if not plain(self.jinja_env, path):
            return Path(original_path(self))
        _nothing_yielded(self.jinja_env)
        return path_of(path)

    worker._render_string, question.render_value = render_string, render_value
    worker.answers_relpath = property(answers_relpath)


def answers_once() -> None:
    """While Copier renders files the answers stay as they are, so context and repeated parts of paths are made once."""
    from copier import _main

    worker: Any = _main.Worker
    original, original_context, original_string = worker._render_template, worker._render_context, worker._render_string
    context, texts = "_golden_path_context", "_golden_path_texts"
    now: list[dict[str, str]] = []  # the texts of the rendering that walks the template

    def render_template(self: Any) -> None:
        self.__dict__[context], self.__dict__[texts] = original_context(self), {}
        now.append(self.__dict__[texts])
        try:
            original(self)
        finally:
            now.pop()
            del self.__dict__[context], self.__dict__[texts]

    def scantree(path: str, follow_symlinks: bool) -> Iterator[os.DirEntry[str]]:
        """Nothing below a folder whose name is rendered as nothing is written, so nobody needs to look there."""
        for entry in os.scandir(path):
            yield entry
            if not entry.is_dir(follow_symlinks=follow_symlinks):
                continue
            if "yield" in entry.name:  # names below it may be rendered otherwise than elsewhere
                yield from original_scantree(entry.path, follow_symlinks)
            elif now[-1].get(entry.name) != "":
                yield from scantree(entry.path, follow_symlinks)

    def render_context(self: Any) -> dict[str, Any]:
        known = self.__dict__.get(context)
        if known is None:
            return dict(original_context(self))
        run = known["_copier_conf"]  # Copier, extensions and templates write into both
        own = {"_copier_conf": type(run)(run._pending), "_copier_answers": dict(known["_copier_answers"])}
        return {**known, **own}

    def render_string(self: Any, string: str, extra_context: Any = None) -> str:
        known = self.__dict__.get(texts)
        _nothing_yielded(self.jinja_env)
        if known is None or extra_context or "yield" in string:
            return str(original_string(self, string, extra_context))
        if string not in known:
            known[string] = str(original_string(self, string, extra_context))
        return str(known[string])

    original_scantree, _main.scantree = _main.scantree, scantree  # type: ignore[attr-defined]
    worker._render_template, worker._render_context, worker._render_string = (
        render_template, render_context, render_string,
    )  # fmt: skip


def answers_at_once() -> None:
    """Put the sources of answers together in one go; Copier looks each name up in each of them, for each context."""
    from copier import _user_data

    def combined(self: Any) -> dict[str, Any]:
        found: dict[str, Any] = {**_user_data.DEFAULT_DATA, "_external_data": self.external}
        for source in (self.user_defaults, self.last, self.metadata, self.init, self.user):
            found.update(source)
        return found

    _user_data.AnswersMap.combined = property(combined)  # type: ignore[assignment]


def paths_at_once() -> None:
    """Render the parts of a path in one go; Copier goes from part to part and makes a path of each beginning."""
    from copier import _main
    from copier.errors import UserMessageError
    from jinja2 import TemplateError

    worker: Any = _main.Worker
    original = worker._render_parts

    def names(self: Any, parts: tuple[str, ...]) -> list[str] | None:
        """Return the rendered parts; an empty one ends them; nothing where Copier has to look at each by itself."""
        found: list[str] = []
        answers = str(self.answers_relpath)
        if any("yield" in part for part in parts):
            return None
        for part in parts:
            try:
                name = self._render_string(part, extra_context={})
            except (TemplateError, UserMessageError):
                return None  # Copier says where
            if name == answers or len(name) > LONG:
                return None
            found.append(name)
            if not name:
                break
        return found

    def render_parts(
        self: Any,
        parts: tuple[str, ...],
        rendered_parts: tuple[str, ...] | None = None,
        extra_context: Any = None,
        is_template: bool = False,
        source_parts: tuple[str, ...] = (),
    ) -> Iterator[tuple[Path, Any]]:
        first = rendered_parts is None and not extra_context and parts
        found = names(self, parts) if first else None
        if found is None:
            yield from original(self, parts, rendered_parts, extra_context, is_template, source_parts)
        elif found[-1]:
            path = Path(*found)
            sibling = os.path.join(self.template.local_abspath, f"{path}{self.template.templates_suffix}")  # noqa: PTH118
            if is_template or not os.path.exists(sibling):  # noqa: PTH110 - once for each path, and faster
                yield path, {}

    worker._render_parts = render_parts
