"""What Jinja made of a template's texts, kept beside its exports: the next run neither reads nor compiles them again.

For the worker process only. The cache is the user's own folder, as that of Python's compiled modules is; what another
version of Python, Jinja, Copier or this engine wrote there has another name.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import marshal
from pathlib import Path
from types import CodeType
from typing import Any

from golden_path.rendering import exports
from golden_path.untrusted import inside

MOST = 5000  # texts; with more, those that this run did not use are forgotten
LARGEST = 1 << 25  # bytes of the file
# What a text becomes depends on these.
OWN = ("compiled.py", "documents.py", "exports.py", "functions.py", "ordinary.py", "patches.py", "reads.py", "texts.py")
_books: dict[Path, _Book] = {}


class _Book:
    """What is kept of one template.

    Args:
        folder: of its exports.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._name = folder, f"compiled-{_version()}"
        self._used: set[bytes] = set()
        self._new = False
        self._known: dict[bytes, Any] = {}
        with contextlib.suppress(OSError, EOFError, ValueError, TypeError):
            found = marshal.loads(inside.read(folder, self._name, largest=LARGEST))  # noqa: S302 - the user's own
            self._known = found if isinstance(found, dict) else {}

    def get(self, key: bytes) -> Any:
        self._used.add(key)
        return self._known.get(key)

    def put(self, key: bytes, value: Any) -> None:
        self._used.add(key)
        self._known[key] = value
        self._new = True

    def save(self) -> None:
        if not self._new:
            return
        kept = self._known
        if len(kept) > MOST:
            kept = {key: value for key, value in kept.items() if key in self._used}
        content = marshal.dumps(kept)
        if len(content) <= LARGEST:
            with contextlib.suppress(OSError):
                inside.write(self._folder, self._name, content)


def _book(environment: Any) -> _Book | None:
    """The book of a template whose exports are in the cache; others have none."""
    folders = getattr(environment.loader, "searchpath", ())
    if not folders or folders[0] not in exports.folders:
        return None
    place = Path(folders[0]).parent
    if place not in _books:
        _books[place] = _Book(place)
    return _books[place]


def _key(kind: str, shape: object, name: str, text: str) -> bytes:
    return hashlib.sha256(repr((kind, shape, name, text)).encode(errors="surrogatepass")).digest()


def code(environment: Any, shape: object, name: str, text: str) -> CodeType | None:
    """Return what a text was compiled to; None where that is not kept.

    Args:
        environment: of Jinja.
        shape: how it reads texts; with a ``repr`` that is the same in each run.
        name: of the text.
        text: what is compiled.
    """
    book = _book(environment)
    found = book.get(_key("code", shape, name, text)) if book else None
    return found if isinstance(found, CodeType) else None


def keep_code(environment: Any, shape: object, name: str, text: str, value: CodeType) -> None:
    """Keep what a text was compiled to, which follows from nothing but these."""
    if book := _book(environment):
        book.put(_key("code", shape, name, text), value)


def names(environment: Any, shape: object, text: str) -> tuple[tuple[str, ...], ...] | None:
    """Return what a text that includes no other reads (``reads.kept``); None where that is not kept."""
    book = _book(environment)
    found = book.get(_key("names", shape, "", text)) if book else None
    return found if isinstance(found, tuple) and len(found) == 4 else None


def keep_names(environment: Any, shape: object, text: str, value: tuple[tuple[str, ...], ...]) -> None:
    """Keep what a text that includes no other reads."""
    if book := _book(environment):
        book.put(_key("names", shape, "", text), value)


def save() -> None:
    """Write what is new."""
    for book in _books.values():
        book.save()


@functools.cache
def _version() -> str:
    """What the form of the file depends on."""
    from importlib.metadata import version

    own = [Path(__file__).with_name(name).read_bytes() for name in OWN]
    parts = (importlib.util.MAGIC_NUMBER, *(version(name).encode() for name in ("jinja2", "copier")), *own)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]
