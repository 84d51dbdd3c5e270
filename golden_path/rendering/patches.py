"""Speed patches to Copier's internals, for the worker only; ``exports``, ``texts`` and ``documents`` have most of them.

What is patched is not Copier's public API, so it can change with any version. ``GOLDEN_PATH_PATCHES=off`` turns all of
it off, and a test renders with and without and compares the bytes. Measured: docs/reference/benchmarks.md.
"""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from golden_path.rendering import documents, exports, texts, unprompted

if TYPE_CHECKING:
    from golden_path.rendering import contents


sinks: list[contents.Sink] = []  # of the rendering that is going on


def apply() -> None:
    """Patch Copier and Jinja in this process."""
    unprompted.import_copier()
    exports.export_in_place_of_a_clone()
    exports.git_facts_once()
    _no_index_to_keep()
    texts.compile_once()
    _matchers_once()
    _files_at_once()
    texts.plain_text_as_it_is()
    texts.answers_once()
    texts.answers_at_once()
    texts.paths_at_once()
    documents.config_once()
    documents.yaml_once()
    documents.scalars_once()
    documents.literals_at_once()
    exports.sources_once()
    exports.modules_once()
    gc.freeze()  # what is imported lives as long as the process: nobody looks for cycles in it


def _no_index_to_keep() -> None:
    """Copier asks git about core.fileMode after each file; what we render into is no repository."""
    from copier import _main

    _main.Worker._sync_git_index_executable_bit = lambda *_: None  # type: ignore[method-assign]


def _matchers_once() -> None:
    """Services of a template exclude by the same patterns, and have the same paths."""
    from copier import _main

    original = _main.Worker._path_matcher
    known: dict[tuple[str, ...], Callable[[Path], bool]] = {}

    def path_matcher(self: Any, patterns: Iterable[str]) -> Callable[[Path], bool]:
        key = tuple(patterns)
        if key not in known:
            exports.make_room(known)
            known[key] = functools.lru_cache(exports.MOST)(original(self, key))
        return known[key]

    _main.Worker._path_matcher = path_matcher  # type: ignore[method-assign]


def _files_at_once() -> None:
    """Let a rendering go to git's objects, where the job wants that and it is plain enough."""
    from copier import _main

    from golden_path.rendering import collect

    original = _main.Worker._render_template
    collector = collect.Collector(exports.folders)

    def render_template(self: Any) -> None:
        if not (sinks and collector.collect(self, sinks[-1])):
            original(self)

    _main.Worker._render_template = render_template  # type: ignore[method-assign]
