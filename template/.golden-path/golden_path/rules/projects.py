"""The rule on what Argo CD may apply: what its project does not list it refuses, after the merge."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from golden_path.rules.book import ERROR, RENDERED, Found, rule
from golden_path.rules.documents import at, maps
from golden_path.rules.environments import Environment
from golden_path.rules.objects import Object

_CLASS = re.compile(r"\[([!^])([^]]*)]")


class _Deployed(NamedTuple):
    """How something of Argo CD's deploys an environment.

    Attributes:
        project: its name.
        destination: server, name and namespace.
        moved: whether another namespace is set than the environment names.
    """

    project: str
    destination: dict[str, Any]
    moved: bool


@rule(
    "GP408", ERROR, "Argo CD's project permits every object.", "a sync with one that it does not list fails as a whole",
    scope=RENDERED,
)  # fmt: skip
def permitted(environment: Environment) -> Iterator[Found]:
    """Objects that the project of the environment's Application does not permit: kinds, names, namespaces."""
    projects = {one.name: one for one in environment.told if one.kind == "AppProject"}
    said: dict[str, None] = {}
    for deployed in _deployed(environment):
        if project := projects.get(deployed.project):
            for what in dict.fromkeys(_refused(environment, deployed, project)):
                said[
                    f"Argo CD's project {project.name} does not list {what}: add it to the project in "
                    "deploy/argocd/kustomization.yaml, and apply that"
                ] = None
    yield from (Found(environment.name, 0, one) for one in said)


def _deployed(environment: Environment) -> Iterator[_Deployed]:
    for one in environment.told:
        spec = at(one.data, "spec", "template", "spec") if one.kind == "ApplicationSet" else one.data.get("spec")
        if one.kind not in ("Application", "ApplicationSet"):
            continue
        for source in (at(spec, "source"), *maps(at(spec, "sources"))):
            if at(source, "path") == f"deploy/overlays/{environment.name}":
                moved = at(source, "kustomize", "namespace") is not None
                destination = at(spec, "destination")
                yield _Deployed(str(at(spec, "project")), destination if isinstance(destination, dict) else {}, moved)


def _refused(environment: Environment, deployed: _Deployed, project: Object) -> Iterator[str]:
    """What a project does not list, in words."""
    # Names and namespaces that an ApplicationSet fills in are not known here.
    namespaces = {} if deployed.moved else {_namespace(deployed.destination): "that the Application deploys to"}
    for one in environment.objects:
        wanted, unwanted = _names(project, one)
        if not wanted or "*" in unwanted:
            group, kind = _kind(one)
            yield f"the kind {kind} of {group or 'the core group'}"
        elif not deployed.moved:
            if not _any(wanted, one.name) or _any(unwanted, one.name):
                yield f"the {one.kind} {one.name}"
            namespaces.setdefault(_namespace(at(one.data, "metadata")), f"of the {one.kind} {one.name}")
    for namespace, whose in namespaces.items():
        if namespace and not _reaches(project, deployed.destination, namespace):
            yield f"the namespace {namespace} among its destinations, {whose}"


def _kind(one: Object) -> tuple[str, str]:
    return str(one.data.get("apiVersion", "")).rpartition("/")[0], one.kind


def _namespace(value: Any) -> str:
    return str(at(value, "namespace") or "")


def _names(project: Object, one: Object) -> tuple[list[str], list[str]]:
    """Patterns of the names that a project permits of a kind, and of those that it forbids.

    As Argo CD does: without a list of kinds in namespaces all are permitted, without one of kinds of the cluster none.
    """
    scope = "namespace" if _namespace(at(one.data, "metadata")) else "cluster"
    wanted, unwanted = (at(project.data, "spec", f"{scope}Resource{which}list") for which in ("White", "Black"))
    return ["*"] if wanted is None and scope == "namespace" else _listed(wanted, one), _listed(unwanted, one)


def _listed(entries: Any, one: Object) -> list[str]:
    kinds = [[str(entry.get(key) or "") for key in ("group", "kind", "name")] for entry in maps(entries)]
    return [
        name or "*"
        for *pattern, name in kinds
        if all(_any([what], value) for value, what in zip(_kind(one), pattern, strict=True))
    ]


def _any(patterns: Iterable[str], name: str) -> bool:
    """Whether a name is like one of the patterns, in which Go writes ``[^a]`` for all but an a, and ``!`` is itself."""
    return any(fnmatchcase(name, _CLASS.sub(_class, pattern)) for pattern in patterns)


def _class(found: re.Match[str]) -> str:
    return f"[!{found[2]}]" if found[1] == "^" else f"[{found[2]}!]"


def _reaches(project: Object, destination: dict[str, Any], namespace: str) -> bool:
    """As Argo CD does: a destination that begins with ``!`` takes out what it names, whatever the others say."""
    found = False
    for entry in maps(at(project.data, "spec", "destinations")):
        server, name = (_matches(entry.get(key), destination.get(key)) for key in ("server", "name"))
        inside = _matches(entry.get("namespace"), namespace)
        if (server or name) and inside:
            found = True
        elif any((
            _denies(entry.get("name")) and not name,
            _denies(entry.get("server")) and not server and inside,
            _denies(entry.get("namespace")) and not inside and server,
        )):  # fmt: skip
            return False
    return found


def _denies(pattern: Any) -> bool:
    return str(pattern or "").startswith("!")


def _matches(pattern: Any, value: Any) -> bool:
    """As Argo CD does; but what cannot be known here matches: a cluster by another of its names, texts in braces."""
    text = str(pattern or "")
    if not text or value is None or "{" in text:
        return bool(text)
    return not fnmatchcase(str(value), text[1:]) if _denies(text) else fnmatchcase(str(value), text)
