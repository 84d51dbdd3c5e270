"""What a text of a template reads, so that it need not be rendered twice where that is the same.

For the worker process only. A text is one that can be remembered where its result follows from plain values
(``values``), from the texts that it includes, and from functions that give the same for the same (``functions``).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jinja2
from jinja2 import meta, nodes

from golden_path.rendering.functions import DECLARED, UnknownError, is_built_in, takes_context

_PARSED = "_golden_path_parsed"
ALL, VERSION, ONCE = "all", "version", "once"
# They take other filters and tests by their names.
_BY_NAME = {"map", "select", "reject", "selectattr", "rejectattr"}
_UNKNOWN = (
    nodes.ExtensionAttribute, nodes.ImportedName, nodes.InternalName, nodes.EnvironmentAttribute,
    nodes.ContextReference, nodes.DerivedContextReference,
)  # fmt: skip
_OTHERS = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


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
        if function is not None and is_built_in(kind, node.name, function):
            continue
        found = VERSION  # how it is called is compiled, too
        declared = isinstance(getattr(function, DECLARED, None), tuple)
        if not (declared or takes_context(function) or any(map(_open, _operands(node)))):
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
