"""Which functions of a template give the same for the same: Jinja's, Copier's, and those of extensions that say so.

An extension's function says it with an attribute ``golden_path_reads``, a tuple of the files that it reads, by their
paths in the template. All others, such as ``random`` or ``now``, are asked each time.
"""

from __future__ import annotations

import functools
import hashlib
import os
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import defaults
from jinja2.filters import FILTERS
from jinja2.sandbox import safe_range
from jinja2.tests import TESTS

DECLARED = "golden_path_reads"
_FORM = "_golden_path_form"
_CHANGING = {"random", "lipsum"}
# Of jinja2-ansible-filters, which Copier loads: without those that read files, the clock, variables or chance.
_ANSIBLE = frozenset(
    "to_json to_nice_json from_json to_yaml to_nice_yaml from_yaml b64encode b64decode basename dirname splitext "
    "regex_replace regex_search regex_findall regex_escape bool ternary hash sha1 md5 checksum quote mandatory combine "
    "flatten dict2items items2dict extract zip zip_longest type_debug".split()
)
GLOBALS = (set(defaults.DEFAULT_NAMESPACE) - _CHANGING) | {"pathjoin"}


class UnknownError(Exception):
    """It cannot be said what a text reads."""


def is_own(name: str, value: Any) -> bool:
    """Whether a variable of the environment is still what Jinja and Copier make it."""
    if name == "pathjoin":
        return getattr(value, "__module__", "") == "copier._main"
    return value is (safe_range if name == "range" else defaults.DEFAULT_NAMESPACE[name])


def is_built_in(kind: str, name: str, function: Any) -> bool:
    """Whether a filter or test is one of Jinja's or Copier's that gives the same for the same."""
    if function is getattr(defaults, f"DEFAULT_{kind.upper()}S").get(name):
        return name not in _CHANGING
    if kind == "test" or name not in _ANSIBLE:
        return False
    other = _ansible().get(name)
    if isinstance(function, functools.partial) and isinstance(other, functools.partial):
        return (function.func, function.args, function.keywords) == (other.func, other.args, other.keywords)
    return function is other or (
        name == "to_json" and getattr(function, "func", None) is other
    )  # Copier's has a default


@functools.cache
def _ansible() -> dict[str, Any]:
    return jinja2.Environment(extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"]).filters  # noqa: S701


def takes_context(function: Any) -> bool:
    """Whether a function is given the variables, which Jinja has only when it renders."""
    return getattr(getattr(function, "jinja_pass_arg", None), "name", "") == "context"


def declared(function: Any, export: Path) -> Any:
    """What a function of an extension follows from, as it says itself: its own module, and files of the template."""
    files = getattr(function, DECLARED, None)
    if not isinstance(files, tuple) or takes_context(function):
        raise UnknownError(repr(function))
    code = getattr(function, "__wrapped__", function)
    code = getattr(code, "__code__", None) or getattr(type(code).__call__, "__code__", None)
    if code is None:
        raise UnknownError(repr(function))
    return getattr(function, "__qualname__", type(function).__name__), tuple(
        _digest(one) for one in (code.co_filename, *_places(export, files))
    )


@functools.lru_cache(1024)
def _places(export: Path, files: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(export / file) for file in files)


@functools.cache
def _digest(file: str) -> str:
    """Of a file of an export, which nobody changes."""
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
    except OSError as error:
        raise UnknownError(f"{os.path.basename(file)}: {error.strerror}") from None  # noqa: PTH119


def form(environment: jinja2.Environment) -> tuple[Any, ...]:
    """Return how an environment reads texts: its marks, its settings, its extensions' code, what they replace."""
    known: tuple[Any, ...] | None = environment.__dict__.get(_FORM)
    if known is not None:
        return known
    said = ("block_start_string", "block_end_string", "variable_start_string", "variable_end_string",
            "comment_start_string", "comment_end_string", "line_statement_prefix", "line_comment_prefix", "trim_blocks",
            "lstrip_blocks", "newline_sequence", "keep_trailing_newline", "autoescape", "undefined",
            "optimized", "is_async")  # fmt: skip
    loaded = []
    for extension in environment.extensions.values():
        members = [one for kind in type(extension).__mro__ for one in vars(kind).values()]
        files = {one.__code__.co_filename for one in members if hasattr(one, "__code__")}
        loaded.append((type(extension).__qualname__, tuple(sorted(map(_digest, files)))))
    replaced = tuple(
        (kind, name)
        for kind, own, there in (
            ("filter", {*FILTERS, *_ANSIBLE}, environment.filters),
            ("test", TESTS, environment.tests),
        )
        for name in sorted(own)
        if name not in there or not is_built_in(kind, name, there[name])
    )
    known = environment.__dict__[_FORM] = (*(getattr(environment, one) for one in said), tuple(loaded), replaced)
    return known
