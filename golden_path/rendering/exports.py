"""Speed patches to Copier: the checkouts in the engine's cache, and what is known of one is asked once."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable, Mapping
from importlib.machinery import SourceFileLoader
from pathlib import Path, PurePosixPath
from typing import Any

from golden_path.untrusted import inside

MOST = 20000  # texts that are remembered

# By source and version: the checkout in the engine's cache, in place of a clone for each rendering.
_exports: dict[tuple[str, str], Path] = {}
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


def once(original: Callable[[Any], Any], name: str = "") -> Callable[[Any], Any]:
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


def replace(owner: type, name: str, function: Callable[[Any], Any]) -> None:
    replacement = functools.cached_property(function)
    replacement.__set_name__(owner, name)
    setattr(owner, name, replacement)


def make_room(known: dict[Any, Any]) -> None:
    """Memory stays flat over any number of services, whose answers all differ."""
    if len(known) >= MOST:
        known.clear()


def export_in_place_of_a_clone() -> None:
    from copier import _template

    original = _template.Template.__dict__["local_abspath"].func

    def local_abspath(self: Any) -> Path:
        return _exports.get((self.url, str(self.ref))) or original(self)

    replace(_template.Template, "local_abspath", local_abspath)


def git_facts_once() -> None:
    """An export does not change, so what git says of it is asked once."""
    from copier import _main, _template
    from packaging.version import Version

    modules: tuple[Any, ...] = (_main, _template)
    available = functools.cache(modules[1].is_git_available)
    for module in modules:
        module.is_git_available = available
    modules[1].get_repo = functools.cache(modules[1].get_repo)
    for name in ("commit", "commit_hash", "git_index_modes"):
        replace(_template.Template, name, once(_template.Template.__dict__[name].func, name))
    original = _template.Template.__dict__["version"].func  # some twenty processes of git
    version = once(lambda template: str(original(template) or ""), "version")
    replace(_template.Template, "version", lambda self: Version(text) if (text := version(self)) else None)


def sources_once() -> None:
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
            make_room(known)
            source, file, _ = original(self, environment, template)
            known[folder, template] = source, file, lambda: True
        return known[folder, template]

    loader.get_source = get_source


def modules_once() -> None:
    """Compile each module of a template's extensions once; it is still executed for each rendering."""
    original: Any = SourceFileLoader.get_code
    known: dict[tuple[str, str], Any] = {}

    def get_code(self: SourceFileLoader, fullname: str) -> Any:
        if (fullname, self.path) not in known:
            if not any(str(folder) in folders for folder in Path(self.path).parents):
                return original(self, fullname)
            make_room(known)
            known[fullname, self.path] = original(self, fullname)
        return known[fullname, self.path]

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign, assignment]
