"""Speed patches to Copier's internals, all of them, for the worker process only.

What is patched is not Copier's public API, so it can change with any version. ``GOLDEN_PATH_PATCHES=off`` turns all of
it off, and a test renders with and without and compares the bytes. Measured: docs/reference/benchmarks.md.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import json
import os
import pickle
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.machinery import SourceFileLoader
from pathlib import Path, PurePosixPath
from types import CodeType
from typing import TYPE_CHECKING, Any

from golden_path.rendering import unprompted
from golden_path.untrusted import inside

if TYPE_CHECKING:
    from golden_path.rendering import collect

MOST = 20000  # texts that are remembered
LONG = 60  # characters of a name that any disk takes, whatever suffix is added
SELDOM = 20000  # new containers between two looks for cycles
_PLAIN_LINES = re.compile(r"[ -~\n]*")

# By source and version: the checkout in the engine's cache, in place of a clone for each rendering.
_exports: dict[tuple[str, str], Path] = {}
sinks: list[collect.Sink] = []  # of the rendering that is going on
folders: set[str] = set()  # of these checkouts, as they are and resolved; nobody changes them


def use_export(source: str, version: str, folder: Path) -> None:
    """Let Copier read a version of a template from a folder.

    Args:
        source: the template, as Copier is told it.
        version: the version, as Copier is told it.
        folder: a checkout that nobody changes.
    """
    _exports[source, version] = folder
    folders.update((str(folder), str(folder.resolve())))


def apply() -> None:
    """Patch Copier and Jinja in this process."""
    unprompted.import_copier()
    _export_in_place_of_a_clone()
    _git_facts_once()
    _no_index_to_keep()
    _compile_once()
    _matchers_once()
    _files_at_once()
    _plain_text_as_it_is()
    _answers_once()
    _answers_at_once()
    _paths_at_once()
    _config_once()
    _yaml_once()
    _scalars_once()
    _literals_at_once()
    _sources_once()
    _modules_once()
    _cycles_seldom()


def _export_in_place_of_a_clone() -> None:
    from copier import _template

    original = _template.Template.__dict__["local_abspath"].func

    def local_abspath(self: Any) -> Path:
        return _exports.get((self.url, str(self.ref))) or original(self)

    _replace(_template.Template, "local_abspath", local_abspath)


def _git_facts_once() -> None:
    """An export does not change, so what git says of it is asked once."""
    from copier import _main, _template
    from packaging.version import Version

    modules: tuple[Any, ...] = (_main, _template)
    available = functools.cache(modules[1].is_git_available)
    for module in modules:
        module.is_git_available = available
    modules[1].get_repo = functools.cache(modules[1].get_repo)
    for name in ("commit", "commit_hash", "git_index_modes"):
        _replace(_template.Template, name, _once(_template.Template.__dict__[name].func, name))
    original = _template.Template.__dict__["version"].func  # some twenty processes of git
    version = _once(lambda template: str(original(template) or ""), "version")
    _replace(_template.Template, "version", lambda self: Version(text) if (text := version(self)) else None)


def _once(original: Callable[[Any], Any], name: str = "") -> Callable[[Any], Any]:
    """Ask once for each export; what has a name is kept beside the export, for other runs."""
    known: dict[Path, Any] = {}

    def fact(self: Any) -> Any:
        folder = self.local_abspath
        if str(folder) not in folders:
            return original(self)
        if folder not in known:
            known[folder] = _kept(folder, name, lambda: original(self)) if name else original(self)
        return known[folder]

    return fact


def _kept(folder: Path, name: str, find: Callable[[], Any]) -> Any:
    file = f"{folder.name}.{name}.json"
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(inside.read(folder.parent, file))
        return {PurePosixPath(path): mode for path, mode in found.items()} if isinstance(found, dict) else found
    found = find()
    plain = {str(path): mode for path, mode in found.items()} if isinstance(found, Mapping) else found
    with contextlib.suppress(OSError):
        inside.write(folder.parent, file, json.dumps(plain).encode())
    return found


def _replace(owner: type, name: str, function: Callable[[Any], Any]) -> None:
    replacement = functools.cached_property(function)
    replacement.__set_name__(owner, name)
    setattr(owner, name, replacement)


def _no_index_to_keep() -> None:
    """Copier asks git about core.fileMode after each file; what we render into is no repository."""
    from copier import _main

    _main.Worker._sync_git_index_executable_bit = lambda *_: None  # type: ignore[method-assign]


def _compile_once() -> None:
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
                _make_room(known)
                known[places[used]] = code
            if used == reads.ALL:
                compiled.keep_code(self, shape, name or "", source, code)
        _nothing_yielded(self)
        return code

    jinja2.Environment.compile = compile_  # type: ignore[method-assign]


def _matchers_once() -> None:
    """Services of a template exclude by the same patterns, and have the same paths."""
    from copier import _main

    original = _main.Worker._path_matcher
    known: dict[tuple[str, ...], Callable[[Path], bool]] = {}

    def path_matcher(self: Any, patterns: Iterable[str]) -> Callable[[Path], bool]:
        key = tuple(patterns)
        if key not in known:
            _make_room(known)
            known[key] = functools.lru_cache(MOST)(original(self, key))
        return known[key]

    _main.Worker._path_matcher = path_matcher  # type: ignore[method-assign]


def _files_at_once() -> None:
    """Let a rendering go to git's objects, where the job wants that and it is plain enough."""
    from copier import _main

    from golden_path.rendering import collect

    original = _main.Worker._render_template
    collector = collect.Collector(folders)

    def render_template(self: Any) -> None:
        if not (sinks and collector.collect(self, sinks[-1])):
            original(self)

    _main.Worker._render_template = render_template  # type: ignore[method-assign]


def _nothing_yielded(environment: Any) -> None:
    """Forget what a yield tag left in the environment, as Copier does for each text that it compiles."""
    found = _yield_context()(environment)
    found.yield_name = found.yield_iterable = None


@functools.cache
def _yield_context() -> Callable[[Any], Any]:
    from copier import _jinja_ext

    return _jinja_ext.get_yield_context


def _plain_text_as_it_is() -> None:
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

    @functools.lru_cache(MOST)
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


def _answers_once() -> None:
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


def _answers_at_once() -> None:
    """Put the sources of answers together in one go; Copier looks each name up in each of them, for each context."""
    from copier import _user_data

    def combined(self: Any) -> dict[str, Any]:
        found: dict[str, Any] = {**_user_data.DEFAULT_DATA, "_external_data": self.external}
        for source in (self.user_defaults, self.last, self.metadata, self.init, self.user):
            found.update(source)
        return found

    _user_data.AnswersMap.combined = property(combined)  # type: ignore[assignment]


def _paths_at_once() -> None:
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


def _config_once() -> None:
    """Parse the copier.yml of an export once; each rendering gets a copy, since Copier writes into it."""
    import yaml
    from copier import _template

    fact = _once(_template.Template.__dict__["_raw_config"].func)
    copies: dict[Path, Callable[[], Any]] = {}

    def raw_config(self: Any) -> Any:
        folder = self.local_abspath
        if str(folder) not in folders:
            return fact(self)
        if folder not in copies:
            copies[folder] = _copies(fact(self))
        return copies[folder]()

    _replace(_template.Template, "_raw_config", raw_config)
    original: Any = yaml.load_all
    fast = getattr(yaml, "CSafeLoader", None)
    known: dict[bytes, Callable[[], list[Any]] | None] = {}

    def load_all(stream: Any, Loader: Any) -> Any:  # noqa: N803 - of PyYAML
        """Two versions mostly have the same copier.yml; libyaml reads it, where that comes to the same."""
        if fast is None or not Loader.__qualname__.startswith("load_template_config."):
            return original(stream, Loader)
        text = stream if isinstance(stream, bytes) else stream.read()  # an included file comes as bytes
        if text not in known:
            try:
                known[text] = _copies(list(original(text, fast))) if _read_alike(text, fast) else None
            except yaml.YAMLError:
                known[text] = None
        made = known[text]
        return original(text, Loader) if made is None else made()

    yaml.load_all = load_all


def _copies(value: Any) -> Callable[[], Any]:
    """Return what makes copies of a value that was read from YAML; several times as fast as ``copy.deepcopy``."""
    if type(value) in (str, int, float, bool, type(None)):
        return lambda: value
    return functools.partial(pickle.loads, pickle.dumps(value))


def _read_alike(text: bytes, fast: Any) -> bool:
    """Whether libyaml reads a text as PyYAML does.

    Tags are Copier's own. A tab between words, a mark of the byte order further down, and a question mark in a word in
    brackets are read by one and not, or otherwise, by the other.
    """
    import yaml

    if re.search(rb"[!\t\0]|\xef\xbb\xbf", text):
        return False
    deep = 0
    for token in yaml.scan(text, fast) if b"?" in text else ():
        deep += isinstance(token, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken)
        deep -= isinstance(token, yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken)
        if deep and isinstance(token, yaml.ScalarToken) and token.plain and "?" in token.value:
            return False
    return True


def _yaml_once() -> None:
    """Copier parses the type, the choices and the answer of each question as YAML; each time gets a copy."""
    import yaml

    original: Any = yaml.safe_load
    fast = getattr(yaml, "CSafeLoader", None)
    known: dict[str, Callable[[], Any]] = {}

    def read(text: str) -> Any:
        """Read what has several lines, such as an answers file, with libyaml, where that comes to the same."""
        if fast is not None and "\n" in text and text.isascii():
            with contextlib.suppress(yaml.YAMLError):
                if _read_alike(text.encode(), fast):
                    return yaml.load(text, fast)  # noqa: S506 - a safe one
        return original(text)

    def safe_load(stream: Any) -> Any:
        if not isinstance(stream, str):
            return original(stream)
        if stream not in known:
            _make_room(known)
            known[stream] = _copies(read(stream))
        return known[stream]()

    yaml.safe_load = safe_load


def _scalars_once() -> None:
    """Look once at each text that is written as YAML, for the style that it can be written in."""
    import yaml.emitter

    emitter: Any = yaml.emitter.Emitter
    original = emitter.analyze_scalar
    known: dict[tuple[str, Any], Any] = {}

    def analyze_scalar(self: Any, scalar: str) -> Any:
        if "\n" in scalar and _PLAIN_LINES.fullmatch(scalar):
            return _of_lines(scalar)
        key = scalar, self.allow_unicode
        if key not in known:
            _make_room(known)
            known[key] = original(self, scalar)
        return known[key]

    emitter.analyze_scalar = analyze_scalar


def _of_lines(scalar: str) -> Any:
    """What PyYAML's emitter finds in a text of several lines of ASCII, without a look at each character."""
    from yaml.emitter import ScalarAnalysis

    after, before = "\n " in scalar, " \n" in scalar
    return ScalarAnalysis(
        scalar=scalar, empty=False, multiline=True, allow_flow_plain=False, allow_block_plain=False,
        allow_single_quoted=not (after or before), allow_double_quoted=True,
        allow_block=not (before or scalar.endswith(" ")),
    )  # fmt: skip


def _literals_at_once() -> None:
    """Write a text of several lines of ASCII line by line; PyYAML looks at each character."""
    import yaml.emitter

    emitter: Any = yaml.emitter.Emitter
    original = emitter.write_literal

    def write_literal(self: Any, text: str) -> None:
        if not _PLAIN_LINES.fullmatch(text):
            original(self, text)
            return
        hints = self.determine_block_hints(text)
        self.write_indicator(f"|{hints}", True)
        if hints[-1:] == "+":
            self.open_ended = True
        self.write_line_break()
        pad, lines = " " * (self.indent or 0), text.split("\n")
        if not lines[-1]:
            lines.pop()
        written = "".join(f"{pad}{line}{self.best_line_break}" if line else self.best_line_break for line in lines)
        self.stream.write(written.encode(self.encoding) if self.encoding else written)
        self.line += len(lines)

    emitter.write_literal = write_literal


def _sources_once() -> None:
    """Read each file of an export once, and look once whether it is inside: each rendering has a loader of its own."""
    from copier import _jinja_ext

    loader: Any = _jinja_ext.CopierTemplateLoader
    original = loader.get_source
    known: dict[tuple[str, str], tuple[str, str, Callable[[], bool]]] = {}

    def get_source(self: Any, environment: Any, template: str) -> tuple[str, str, Callable[[], bool]]:
        folder = self.searchpath[0]
        if folder not in folders:
            found: tuple[str, str, Callable[[], bool]] = original(self, environment, template)
            return found
        if (folder, template) not in known:
            _make_room(known)
            source, file, _ = original(self, environment, template)
            known[folder, template] = source, file, lambda: True
        return known[folder, template]

    loader.get_source = get_source


def _modules_once() -> None:
    """Compile each module of a template's extensions once; it is still executed for each rendering."""
    original: Any = SourceFileLoader.get_code
    known: dict[tuple[str, str], Any] = {}

    def get_code(self: SourceFileLoader, fullname: str) -> Any:
        if (fullname, self.path) not in known:
            if not any(str(folder) in folders for folder in Path(self.path).parents):
                return original(self, fullname)
            _make_room(known)
            known[fullname, self.path] = original(self, fullname)
        return known[fullname, self.path]

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign, assignment]


def _cycles_seldom() -> None:
    """Look for cycles less often: what Copier and Jinja have imported lives as long as the process anyway."""
    gc.freeze()
    gc.set_threshold(SELDOM, *gc.get_threshold()[1:])


def _make_room(known: dict[Any, Any]) -> None:
    """Memory stays flat over any number of services, whose answers all differ."""
    if len(known) >= MOST:
        known.clear()
