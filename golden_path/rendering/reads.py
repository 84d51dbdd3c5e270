"""What a text of a template reads, so that it need not be rendered twice where that is the same.

For the worker process only. A text is one that can be remembered where its result follows from plain values, from the
texts that it includes, and from functions that give the same for the same: those of Jinja and Copier that are listed
here, and those of a template's extensions that say so with an attribute ``golden_path_reads``, a tuple of the files
that they read, by their paths in the template. All others, such as ``random`` or ``now``, are asked each time.
"""

from __future__ import annotations

import datetime
import functools
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import defaults, meta, nodes
from jinja2.filters import FILTERS
from jinja2.sandbox import safe_range
from jinja2.tests import TESTS

DECLARED = "golden_path_reads"
DEEPEST = 20  # levels of an answer
_FORM, _PARSED = "_golden_path_form", "_golden_path_parsed"
_CHANGING = {"random", "lipsum"}
ALL, VERSION, ONCE = "all", "version", "once"
# Of jinja2-ansible-filters, which Copier loads: without those that read files, the clock, variables or chance.
_ANSIBLE = frozenset(
    "to_json to_nice_json from_json to_yaml to_nice_yaml from_yaml b64encode b64decode basename dirname splitext "
    "regex_replace regex_search regex_findall regex_escape bool ternary hash sha1 md5 checksum quote mandatory combine "
    "flatten dict2items items2dict extract zip zip_longest type_debug".split()
)
_GLOBALS = (set(defaults.DEFAULT_NAMESPACE) - _CHANGING) | {"pathjoin"}
# They take other filters and tests by their names.
_BY_NAME = {"map", "select", "reject", "selectattr", "rejectattr"}
_UNKNOWN = (
    nodes.ExtensionAttribute, nodes.ImportedName, nodes.InternalName, nodes.EnvironmentAttribute,
    nodes.ContextReference, nodes.DerivedContextReference,
)  # fmt: skip
_OTHERS = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
_PLAIN = (str, int, bool, type(None))
_SPELLED = (float, datetime.date, datetime.datetime)  # two of them can be equal and be written otherwise


class UnknownError(Exception):
    """It cannot be said what a text reads."""


@dataclass
class Reads:
    """What a text reads.

    Attributes:
        names: variables, of the answers or of the environment.
        filters: by name.
        tests: by name.
        texts: itself, and those that it includes.
        alone: whether it includes none, itself neither.
        calls: whether they call what is no function of the environment, such as a list's ``append``.
    """

    names: set[str] = field(default_factory=set)
    filters: set[str] = field(default_factory=set)
    tests: set[str] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)
    alone: bool = True
    calls: bool = False

    @functools.cached_property
    def asked(self) -> tuple[tuple[str, str], ...]:
        """What a key is made of, in an order that is the same each time; once all is known."""
        kinds = ("name", self.names), ("filter", self.filters), ("test", self.tests)
        return tuple((kind, name) for kind, names in kinds for name in sorted(names))


def of(environment: jinja2.Environment, text: str, name: str) -> Reads:
    """Say what a text reads.

    Args:
        environment: that it is rendered in.
        text: as the template has it.
        name: of the text, for the environment's loader; empty of the name of a file.

    Raises:
        UnknownError: that cannot be said.
    """
    found = Reads()
    _add(environment, text, name, found, {name})
    return found


def kept(found: Reads) -> tuple[tuple[str, ...], ...]:
    """Return what a text that includes no other reads, in a form that can be kept; ``known`` takes it back."""
    called = ("calls",) if found.calls else ()
    return (*(tuple(sorted(one)) for one in (found.names, found.filters, found.tests)), called)


def known(was: tuple[tuple[str, ...], ...], text: str) -> Reads:
    """Return what a text reads that includes no other, as it was kept."""
    names, filters, tests = map(set, was[:3])
    return Reads(names, filters, tests, [text], calls=bool(was[3]))


def _add(environment: jinja2.Environment, source: str, name: str, found: Reads, seen: set[str]) -> None:
    if "yield" in source:
        raise UnknownError(name)
    tree = environment.__dict__.setdefault(_PARSED, {})[source, name] = environment.parse(source, name)
    found.texts.append(source)
    every = list(tree.find_all(nodes.Node))
    named = [node for node in every if isinstance(node, nodes.Name)]
    # Also those that the text sets itself, so that no variable that counts is missed.
    found.names |= {node.name for node in named}
    stored = {node.name for node in named if node.ctx != "load"}
    for node in every:
        if isinstance(node, _UNKNOWN):
            raise UnknownError(name)
        if isinstance(node, nodes.Call):
            free = isinstance(node.node, nodes.Name) and node.node.name not in stored
            found.calls = found.calls or not free
        if isinstance(node, nodes.Filter | nodes.Test):
            (found.filters if isinstance(node, nodes.Filter) else found.tests).add(node.name)
            if node.name in _BY_NAME:
                for given in _given(node):
                    found.filters |= {given} & set(environment.filters)
                    found.tests |= {given} & set(environment.tests)
    others = any(isinstance(node, _OTHERS) for node in every)
    for other in meta.find_referenced_templates(tree) if others else ():
        found.alone = False
        if other is None or environment.loader is None:
            raise UnknownError(name)
        if other not in seen:
            seen.add(other)
            _add(environment, environment.loader.get_source(environment, other)[0], other, found, seen)


def compiled_for(environment: jinja2.Environment, tree: nodes.Template) -> str:
    """Say where a text compiles to the same: Jinja calls filters and tests at that time, where it knows what with.

    Args:
        environment: that it was read in.
        tree: what was read.

    Returns:
        ``ALL`` versions of a template that read texts alike, this ``VERSION``, or ``ONCE`` only.
    """
    found = ALL
    for node in tree.find_all((nodes.Filter, nodes.Test, *_UNKNOWN)):
        if not isinstance(node, nodes.Filter | nodes.Test):
            return ONCE
        kind = "filter" if isinstance(node, nodes.Filter) else "test"
        there: Mapping[str, Any] = environment.filters if kind == "filter" else environment.tests
        function = there.get(node.name)
        if function is not None and _is_built_in(kind, node.name, function):
            continue
        found = VERSION  # how it is called is compiled, too
        declared = isinstance(getattr(function, DECLARED, None), tuple)
        if not (declared or _takes_context(function) or any(map(_open, _operands(node)))):
            return ONCE
    return found


def _operands(node: Any) -> list[nodes.Node | None]:
    more = [one for one in (node.dyn_args, node.dyn_kwargs) if one is not None]
    return [node.node, *node.args, *(pair.value for pair in node.kwargs), *more]


def _open(node: nodes.Node | None) -> bool:
    """Whether Jinja cannot know a value before the text is rendered, whatever stands beside it: ``1 or x`` is 1."""
    if node is None or isinstance(node, nodes.Name | nodes.Call):
        return True  # a filter's block has no node
    if isinstance(node, nodes.Filter | nodes.Test):
        return any(map(_open, _operands(node)))
    if isinstance(node, nodes.Or | nodes.And):
        return _open(node.left)
    if isinstance(node, nodes.Getattr | nodes.Getitem):
        return _open(node.node)
    return isinstance(node, nodes.List | nodes.Tuple | nodes.Concat) and any(map(_open, node.iter_child_nodes()))


def _takes_context(function: Any) -> bool:
    """Whether a function is given the variables, which Jinja has only when it renders."""
    return getattr(getattr(function, "jinja_pass_arg", None), "name", "") == "context"


def parsed(environment: jinja2.Environment, source: str, name: str | None) -> nodes.Template:
    """Return a text as it was read, also to say what it reads, where that was just done."""
    known: dict[Any, nodes.Template] = environment.__dict__.get(_PARSED, {})
    tree = known.pop((source, name or ""), None)
    return environment._parse(source, name, None) if tree is None else tree


def _given(node: nodes.Filter | nodes.Test) -> Iterator[str]:
    values = [*node.args, *(pair.value for pair in node.kwargs)]
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise UnknownError(node.name)
    for value in values:
        if not isinstance(value, nodes.Const):
            raise UnknownError(node.name)
        if isinstance(value.value, str):
            yield value.value


class Values:
    """The values that the texts of one rendering read, each looked at once.

    Args:
        environment: of the rendering.
        context: its variables, as the template's hooks have left them, and those of the environment.
        export: the checkout of the template.
        number: gives each value a number that only it has.
    """

    def __init__(
        self, environment: jinja2.Environment, context: Mapping[str, Any], export: Path, number: Callable[[Any], int]
    ) -> None:
        self._environment, self._context, self._export, self._number = environment, context, export, number
        self._known: dict[tuple[str, str], int | UnknownError] = {}

    def key(self, reads: Reads) -> tuple[Any, ...]:
        """Return what the result of a text follows from.

        Args:
            reads: what it reads.

        Raises:
            UnknownError: that cannot be said of one of its values or functions.
        """
        return tuple(reads.texts), *map(self._once, reads.asked)

    def _once(self, one: tuple[str, str]) -> int:
        if one not in self._known:
            try:
                self._known[one] = self._number((*one, self._look(*one)))
            except UnknownError as error:
                self._known[one] = error
        found = self._known[one]
        if isinstance(found, UnknownError):
            raise found
        return found

    def _look(self, kind: str, name: str) -> Any:
        if kind == "name":
            return self._variable(name)
        there: Mapping[str, Any] = self._environment.filters if kind == "filter" else self._environment.tests
        function = there.get(name)
        if function is None or _is_built_in(kind, name, function):
            return None
        return _declared(function, self._export)

    def _variable(self, name: str) -> Any:
        if name not in self._context:
            return None
        if name.startswith("_copier") or name == "_external_data":
            raise UnknownError(name)
        value = self._context[name]
        if name in _GLOBALS and _is_own(name, value):
            return "built in"
        return _declared(value, self._export) if callable(value) else ("value", plain(value))


def _is_own(name: str, value: Any) -> bool:
    """Whether a variable of the environment is still what Jinja and Copier make it."""
    if name == "pathjoin":
        return getattr(value, "__module__", "") == "copier._main"
    return value is (safe_range if name == "range" else defaults.DEFAULT_NAMESPACE[name])


def _is_built_in(kind: str, name: str, function: Any) -> bool:
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


def plain(value: Any, deep: int = 0) -> Any:
    """Return a value so that it can be compared and hashed, and equals no other's.

    Raises:
        UnknownError: it is no plain data.
    """
    if type(value) in _PLAIN:
        return type(value).__name__, value
    if type(value) in _SPELLED:
        return type(value).__name__, repr(value)
    if deep < DEEPEST and type(value) in (list, tuple):
        return type(value).__name__, tuple(plain(one, deep + 1) for one in value)
    if deep < DEEPEST and type(value) is dict:
        return "dict", tuple((plain(key, deep + 1), plain(one, deep + 1)) for key, one in value.items())
    raise UnknownError(type(value).__name__)


def _declared(function: Any, export: Path) -> Any:
    """What a function of an extension follows from, as it says itself: its own module, and files of the template."""
    files = getattr(function, DECLARED, None)
    if not isinstance(files, tuple) or _takes_context(function):
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
        if name not in there or not _is_built_in(kind, name, there[name])
    )
    known = environment.__dict__[_FORM] = (*(getattr(environment, one) for one in said), tuple(loaded), replaced)
    return known
