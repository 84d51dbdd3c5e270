"""Render a template's files without writing them: names and contents go to git's objects at once.

For the worker process only, in place of Copier's own walk, which makes a path of each beginning, a context for each
file and a file that git reads again. What is not plain here (a yield tag, a link that is followed, a name that two
files have, a failure) is left to Copier: nothing is written before all is known. A test compares both on all templates
of the tests.
"""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2.runtime import Context

from golden_path.rendering import compiled, ordinary, reads, values, watched
from golden_path.rendering.contents import Content, Sink, refuse_conversions, write
from golden_path.rendering.functions import UnknownError
from golden_path.rendering.listing import LINK, Entry, inside
from golden_path.rendering.names import FARTHEST, MANY, NotPlainError, checked, of_git, parents

MOST = 64 << 20  # bytes of results that are remembered
_COUNT = itertools.count()
_path = functools.lru_cache(MANY)(Path)  # of files that services have alike


class Collector:
    """Renders exports; what is the same for several services or versions is done once.

    Args:
        exports: the folders of checkouts that nobody changes, as text.
    """

    def __init__(self, exports: set[str]) -> None:
        self.exports = exports
        self._listed: dict[tuple[str, str, bool], tuple[Entry, ...]] = {}
        self._static: dict[str, Content] = {}
        self._reads: dict[Any, reads.Reads | None] = {}
        self._siblings: dict[str, bool] = {}
        self._numbers: dict[Any, int] = {}
        self._results: dict[Any, Content] = {}
        self._written: set[tuple[str, str]] = set()
        self._size = 0

    def collect(self, worker: Any, sink: Sink) -> bool:
        """Render into a sink, where all of it is plain.

        Args:
            worker: Copier's, with its answers.
            sink: takes the files.

        Returns:
            Whether it did; otherwise nothing is written.
        """
        seen = watched.Watched()
        try:
            found = _Rendering(self, worker, seen).files()
            refuse_conversions(found, sink.attributes)
        except Exception:
            seen.restore()
            return False
        answers = str(worker.answers_relpath)
        if answers in found:  # migrations read it
            target = Path(worker.subproject.local_abspath, answers)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(found[answers][1].data)
        sink.files = [(path, mode, write(content, sink, self._written)) for path, (mode, content) in found.items()]
        return True

    def listed(self, worker: Any) -> tuple[Entry, ...]:
        """Return what an export has to render."""
        root, suffix = str(worker.template_copy_root), worker.template.templates_suffix
        key = root, suffix, bool(worker.template.preserve_symlinks)
        if not suffix:
            raise NotPlainError
        if key not in self._listed:
            self._listed[key] = tuple(inside(worker, root))
        return self._listed[key]

    def number(self, value: Any) -> int:
        """Return a number that only this value has."""
        if value not in self._numbers:
            if len(self._numbers) > MANY:
                self._numbers.clear()
                self._results.clear()
            self._numbers[value] = next(_COUNT)
        return self._numbers[value]

    def bytes_of(self, place: str) -> Content:
        """Return a file that is copied."""
        if place not in self._static:
            self._static[place] = Content(Path(place).read_bytes(), shared=True)
        return self._static[place]

    def there(self, place: str) -> bool:
        """Whether an export has a file."""
        if place not in self._siblings:
            self._siblings[place] = os.path.exists(place)  # noqa: PTH110 - once for each path, and faster
        return self._siblings[place]

    def reading(self, environment: Any, shape: str, text: str, source: str = "") -> reads.Reads:
        """Say what a text reads.

        Raises:
            UnknownError: that cannot be said.
        """
        alone, here = (shape, text), (shape, text, environment.loader.searchpath[0], source)
        if alone not in self._reads and here not in self._reads:
            was = compiled.names(environment, shape, text)
            try:
                found = reads.known(was, text) if was else reads.of(environment, text, source)
                if found.alone and not was:
                    compiled.keep_names(environment, shape, text, reads.kept(found))
                self._reads[alone if found.alone else here] = found
            except UnknownError:
                self._reads[here] = None
        known = self._reads.get(alone) or self._reads.get(here)
        if known is None:
            raise UnknownError(source)
        return known

    def result(self, key: Any, render: Callable[[], bytes]) -> Content:
        """Return the result of a text, rendered where nobody asked for it before."""
        if key not in self._results:
            content = Content(render())
            self._size += len(content.data)
            if self._size > MOST:
                self._results.clear()
                self._size = len(content.data)
            self._results[key] = content
            return content
        self._results[key].shared = True
        return self._results[key]


class _Rendering:
    """One rendering.

    Args:
        known: what others have found.
        worker: Copier's.
        seen: takes the values that the texts read.
    """

    def __init__(self, known: Collector, worker: Any, seen: watched.Watched) -> None:
        self._known, self._worker, self._watched = known, worker, seen
        self._export = worker.template.local_abspath
        self._environment = worker.jinja_env
        if (
            str(self._export) not in known.exports
            or (worker.template.tasks and not worker.skip_tasks)
            or worker.template.external_data  # files that may be among those that are rendered
            or not (shape := ordinary.shape(self._environment))
        ):
            raise NotPlainError
        self._answers = checked(str(worker.answers_relpath))
        self._suffix = worker.template.templates_suffix
        self._shape = shape
        given = worker._render_context()
        self._watched.add({**self._environment.globals, **given})
        self._context = self._environment.from_string("").new_context(given).get_all()
        self._watched.check()
        self._watched.add(self._context)
        self._values = values.Values(self._environment, self._context, self._export, known.number)
        self._names: dict[str, str] = {}
        self._found: dict[str, tuple[str, Content]] = {}
        self._folders: set[str] = set()

    def files(self) -> dict[str, tuple[str, Content]]:
        """Return mode and content by path."""
        self._walk(self._known.listed(self._worker), "")
        folders = self._folders.union(*map(parents, self._found))
        target = self._worker.subproject.local_abspath
        there = {one.relative_to(target).as_posix() for one in target.rglob("*") if one.is_symlink() or one.is_file()}
        kept = there and (self._answers not in self._found or self._worker.match_skip(Path(self._answers)))
        if folders & set(self._found) or kept or there - {self._answers}:
            raise NotPlainError
        return self._found

    def _walk(self, entries: tuple[Entry, ...], above: str) -> None:
        for one in entries:
            name = self._name(one)
            if not name:
                continue
            if one.inside is not None and name == self._answers:
                raise NotPlainError
            if one.inside is not None:
                place = above if name == "." else f"{above}{checked(name)}/"
                self._folders.add(place[:-1])
                self._walk(one.inside, place)
                continue
            path = self._answers if name == self._answers else above + checked(name)
            if self._written(one, path, answers=name == self._answers):
                self._found[path] = self._file(one)

    def _name(self, one: Entry) -> str:
        if one.plain:
            return one.name
        if one.name not in self._names:
            try:
                reading = self._known.reading(self._environment, self._shape, one.name)
                content = self._known.result(("", self._shape, self._values.key(reading)), lambda: self._text(one.name))
                self._names[one.name] = content.data.decode()
            except UnknownError:
                self._names[one.name] = self._text(one.name).decode()
        return self._names[one.name]

    def _text(self, name: str) -> bytes:
        text = str(self._worker._render_string(name, extra_context={}))
        self._watched.check()
        return text.encode()

    def _written(self, one: Entry, path: str, *, answers: bool) -> bool:
        if not one.template and not answers and self._known.there(f"{self._export}/{path}{self._suffix}"):
            return False
        if self._worker.match_exclude(_path(path)):
            return False
        if of_git(path):
            raise NotPlainError
        before = self._found.get(path)
        if len(path) > FARTHEST or (one.link is not None and path.lower().endswith(".gitmodules")):
            raise NotPlainError
        if before and (one.link is not None or before[0] == LINK or self._worker.match_skip(Path(path))):
            raise NotPlainError
        return True

    def _file(self, one: Entry) -> tuple[str, Content]:
        if one.link is not None:
            target = self._text(one.link).decode() if one.template else one.link
            return LINK, Content(os.fsencode(str(Path(target))))
        if not one.template:
            return one.mode, self._known.bytes_of(one.place)
        try:
            text, _, _ = self._environment.loader.get_source(self._environment, one.source)
            reading = self._known.reading(self._environment, self._shape, text, one.source)
            key = self._shape, one.source, self._values.key(reading)
        except UnknownError:
            return one.mode, Content(self._render(one.source, changes=True))
        return one.mode, self._known.result(key, lambda: self._render(one.source, self._context, changes=reading.calls))

    def _render(self, source: str, context: dict[str, Any] | None = None, *, changes: bool) -> bytes:
        """Render a text, also with a context that the template's hooks have seen already."""
        template = self._environment.get_template(source)
        if context is None:
            text: str = template.render(**self._worker._render_context())
        else:
            made = Context(self._environment, dict(context), template.name, template.blocks)
            text = "".join(template.root_render_func(made))
        if changes:
            self._watched.check()
        return text.encode()
