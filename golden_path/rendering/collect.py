"""Render a template's files without writing them: names and contents go to git's objects at once.

For the worker process only, in place of Copier's own walk, which makes a path of each beginning, a context for each
file and a file that git reads again. What is not plain here (a yield tag, a link that is followed, a name that two
files have, a failure) is left to Copier: nothing is written before all is known. A test compares both on all templates
of the tests.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import os
import re
import zlib
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from jinja2.runtime import Context

from golden_path.rendering import compiled, ordinary, reads, watched

FILE, PROGRAM, LINK = "100644", "100755", "120000"
MOST, MANY = 64 << 20, 200_000  # bytes of results, and values, that are remembered
# With one of these in .gitattributes, git may keep other bytes than a file has.
CHANGING = re.compile(rb"\b(?:filter|ident|working-tree-encoding|encoding)\b")
LINE_ENDS = re.compile(rb"\b(?:text|eol|crlf)\b")
LONGEST, FARTHEST = 200, 1000  # bytes of a name, characters of a path, which any disk takes
GITS_OWN = re.compile(r"(?:\.git|git~\d+)[ .]*(?::.*)?", re.IGNORECASE)  # names that git takes for its folder's
_HASHES: dict[str, Callable[[bytes], Any]] = {"sha1": hashlib.sha1, "sha256": hashlib.sha256}
_COUNT = itertools.count()
_path = functools.lru_cache(MANY)(Path)  # of files that services have alike


class NotPlainError(Exception):
    """Copier has to do it."""


class Content:
    """The bytes of a file, and what git makes of them, each computed once.

    Args:
        data: the bytes.
        shared: whether services have the same, as far as is known.

    Attributes:
        data: the bytes.
        shared: the same.
    """

    def __init__(self, data: bytes, *, shared: bool = False) -> None:
        self.data, self.shared = data, shared
        self.stored = ""  # the object folder of the service that has it, before others had the same
        self._keys: dict[str, str] = {}
        self._packed = b""

    def key(self, form: str) -> str:
        """Return git's id.

        Args:
            form: ``sha1`` or ``sha256``.
        """
        if form not in self._keys:
            self._keys[form] = _HASHES[form](b"blob %d\0" % len(self.data) + self.data).hexdigest()
        return self._keys[form]

    def packed(self) -> bytes:
        """Return the bytes of git's loose object."""
        self._packed = self._packed or zlib.compress(b"blob %d\0" % len(self.data) + self.data, 1)
        return self._packed


@dataclass(frozen=True)
class _Entry:
    """A file or folder of an export.

    Attributes:
        name: as it is rendered, without the suffix of templates.
        plain: whether it is that already.
        place: where it is.
        source: the same below the template.
        template: whether its content is rendered.
        link: where it leads to, of a link.
        mode: git's.
        inside: of a folder, what is in it, in the order in which Copier finds it.
    """

    name: str
    plain: bool
    place: str
    source: str = ""
    template: bool = False
    link: str | None = None
    mode: str = FILE
    inside: tuple[_Entry, ...] | None = None


@dataclass
class Sink:
    """Where a rendering goes.

    Attributes:
        objects: an object folder of git.
        shared: one for what several services have.
        form: of the ids: ``sha1`` or ``sha256``.
        attributes: the service's ``.gitattributes``.
        files: what was rendered: path, mode and id; None where Copier wrote the files itself.
    """

    objects: str
    shared: str
    form: str
    attributes: bytes = b""
    files: list[tuple[str, str, str]] | None = None


class Collector:
    """Renders exports; what is the same for several services or versions is done once.

    Args:
        exports: the folders of checkouts that nobody changes, as text.
    """

    def __init__(self, exports: set[str]) -> None:
        self.exports = exports
        self._listed: dict[tuple[str, str, bool], tuple[_Entry, ...]] = {}
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
        values = watched.Watched()
        try:
            found = _Rendering(self, worker, values).files()
            _refuse_conversions(found, sink.attributes)
        except Exception:
            values.restore()
            return False
        answers = str(worker.answers_relpath)
        if answers in found:  # migrations read it
            target = Path(worker.subproject.local_abspath, answers)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(found[answers][1].data)
        sink.files = [(path, mode, _write(content, sink, self._written)) for path, (mode, content) in found.items()]
        return True

    def listed(self, worker: Any) -> tuple[_Entry, ...]:
        """Return what an export has to render."""
        root, suffix = str(worker.template_copy_root), worker.template.templates_suffix
        key = root, suffix, bool(worker.template.preserve_symlinks)
        if not suffix:
            raise NotPlainError
        if key not in self._listed:
            self._listed[key] = tuple(_inside(worker, root))
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
            except reads.UnknownError:
                self._reads[here] = None
        known = self._reads.get(alone) or self._reads.get(here)
        if known is None:
            raise reads.UnknownError(source)
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
        values: takes those that the texts read.
    """

    def __init__(self, known: Collector, worker: Any, values: watched.Watched) -> None:
        self._known, self._worker, self._watched = known, worker, values
        self._export = worker.template.local_abspath
        self._environment = worker.jinja_env
        if (
            str(self._export) not in known.exports
            or (worker.template.tasks and not worker.skip_tasks)
            or worker.template.external_data  # files that may be among those that are rendered
            or not (shape := ordinary.shape(self._environment))
        ):
            raise NotPlainError
        self._answers = _checked(str(worker.answers_relpath))
        self._suffix = worker.template.templates_suffix
        self._shape = shape
        given = worker._render_context()
        self._watched.add({**self._environment.globals, **given})
        self._context = self._environment.from_string("").new_context(given).get_all()
        self._watched.check()
        self._watched.add(self._context)
        self._values = reads.Values(self._environment, self._context, self._export, known.number)
        self._names: dict[str, str] = {}
        self._found: dict[str, tuple[str, Content]] = {}
        self._folders: set[str] = set()

    def files(self) -> dict[str, tuple[str, Content]]:
        """Return mode and content by path."""
        self._walk(self._known.listed(self._worker), "")
        folders = self._folders.union(*map(_parents, self._found))
        target = self._worker.subproject.local_abspath
        there = {one.relative_to(target).as_posix() for one in target.rglob("*") if one.is_symlink() or one.is_file()}
        kept = there and (self._answers not in self._found or self._worker.match_skip(Path(self._answers)))
        if folders & set(self._found) or kept or there - {self._answers}:
            raise NotPlainError
        return self._found

    def _walk(self, entries: tuple[_Entry, ...], above: str) -> None:
        for one in entries:
            name = self._name(one)
            if not name:
                continue
            if one.inside is not None and name == self._answers:
                raise NotPlainError
            if one.inside is not None:
                place = above if name == "." else f"{above}{_checked(name)}/"
                self._folders.add(place[:-1])
                self._walk(one.inside, place)
                continue
            path = self._answers if name == self._answers else above + _checked(name)
            if self._written(one, path, answers=name == self._answers):
                self._found[path] = self._file(one)

    def _name(self, one: _Entry) -> str:
        if one.plain:
            return one.name
        if one.name not in self._names:
            try:
                reading = self._known.reading(self._environment, self._shape, one.name)
                content = self._known.result(("", self._shape, self._values.key(reading)), lambda: self._text(one.name))
                self._names[one.name] = content.data.decode()
            except reads.UnknownError:
                self._names[one.name] = self._text(one.name).decode()
        return self._names[one.name]

    def _text(self, name: str) -> bytes:
        text = str(self._worker._render_string(name, extra_context={}))
        self._watched.check()
        return text.encode()

    def _written(self, one: _Entry, path: str, *, answers: bool) -> bool:
        if not one.template and not answers and self._known.there(f"{self._export}/{path}{self._suffix}"):
            return False
        if self._worker.match_exclude(_path(path)):
            return False
        if _of_git(path):
            raise NotPlainError
        before = self._found.get(path)
        if len(path) > FARTHEST or (one.link is not None and path.lower().endswith(".gitmodules")):
            raise NotPlainError
        if before and (one.link is not None or before[0] == LINK or self._worker.match_skip(Path(path))):
            raise NotPlainError
        return True

    def _file(self, one: _Entry) -> tuple[str, Content]:
        if one.link is not None:
            target = self._text(one.link).decode() if one.template else one.link
            return LINK, Content(os.fsencode(str(Path(target))))
        if not one.template:
            return one.mode, self._known.bytes_of(one.place)
        try:
            text, _, _ = self._environment.loader.get_source(self._environment, one.source)
            reading = self._known.reading(self._environment, self._shape, text, one.source)
            key = self._shape, one.source, self._values.key(reading)
        except reads.UnknownError:
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


def _inside(worker: Any, folder: str) -> Iterator[_Entry]:
    suffix, modes = worker.template.templates_suffix, worker.template.git_index_modes
    marks = [getattr(worker.jinja_env, f"{one}_start_string") for one in ("block", "variable", "comment")]
    prefixes = worker.jinja_env.line_statement_prefix or worker.jinja_env.line_comment_prefix
    for one in os.scandir(folder):
        link = os.readlink(one.path) if one.is_symlink() else None  # noqa: PTH115 - a path would change it
        if "yield" in one.name or (link is not None and not worker.template.preserve_symlinks):
            raise NotPlainError
        plain = not prefixes and not any(mark in one.name for mark in (*marks, "\n", "\r"))
        if link is None and one.is_dir():
            if one.name.endswith(suffix):
                raise NotPlainError  # Copier makes another folder, too
            yield _Entry(one.name, plain, one.path, inside=tuple(_inside(worker, one.path)))
        elif not os.path.exists(f"{one.path}{suffix}"):  # noqa: PTH110 - else there is a template of the name
            template = one.name.endswith(suffix)
            name = Path(one.name).with_suffix("").name if template else one.name
            source = Path(one.path).relative_to(worker.template.local_abspath).as_posix()
            known = modes.get(PurePosixPath(source))
            runs = (one.stat(follow_symlinks=False).st_mode if known is None else known) & 0o100
            yield _Entry(name, plain, one.path, source, template, link, PROGRAM if runs else FILE)


@functools.lru_cache(MANY)
def _of_git(path: str) -> bool:
    """Whether a part of a path is a name that git takes for its folder's."""
    return any(GITS_OWN.fullmatch(part.encode("ascii", "ignore").decode()) for part in path.split("/"))


@functools.lru_cache(MANY)
def _checked(name: str) -> str:
    parts = name.split("/")  # a name may be rendered as several, such as those of a Java package
    if "\0" in name or any(part in ("", ".", "..") or len(os.fsencode(part)) > LONGEST for part in parts):
        raise NotPlainError
    return name


@functools.lru_cache(MANY)
def _parents(path: str) -> Set[str]:
    folder = path.rpartition("/")[0]
    return {folder, *_parents(folder)} if folder else frozenset()


def _refuse_conversions(found: dict[str, tuple[str, Content]], attributes: bytes) -> None:
    """Where git would keep other bytes than a file has, git has to read the files."""
    own = [content.data for path, (_, content) in found.items() if path.rpartition("/")[2] == ".gitattributes"]
    said = b"\n".join((attributes, *own))
    if CHANGING.search(said) or (LINE_ENDS.search(said) and any(b"\r" in one.data for _, one in found.values())):
        raise NotPlainError


def _write(content: Content, sink: Sink, written: set[tuple[str, str]]) -> str:
    key, folder = content.key(sink.form), sink.shared if content.shared else sink.objects
    if content.stored != sink.objects and (folder, key) not in written:
        place = f"{folder}/{key[:2]}"
        os.makedirs(place, exist_ok=True)  # noqa: PTH103 - for each object, and faster
        with open(f"{place}/{key[2:]}", "wb") as file:  # noqa: PTH123
            file.write(content.packed())
        if content.shared:
            written.add((folder, key))
        else:
            content.stored = sink.objects
    return key
