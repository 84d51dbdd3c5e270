"""The rule on what Argo CD may apply: what its project does not list it refuses, after the merge."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from golden_path.rules.book import ERROR, RENDERED, Found, rule
from golden_path.rules.documents import at, maps
from golden_path.rules.environments import Environment
from golden_path.rules.objects import Object


@rule(
    "GP408", ERROR, "Argo CD's project permits every kind.", "a sync with one that it does not list fails as a whole",
    scope=RENDERED,
)  # fmt: skip
def permitted(environment: Environment) -> Iterator[Found]:
    """Kinds of objects that the project of the environment's Application does not permit."""
    named = dict.fromkeys(_projects(environment))
    for project in (one for one in environment.told if one.kind == "AppProject" and one.name in named):
        refused = dict.fromkeys(_kind(one) for one in environment.objects if not _permits(project, one))
        for group, kind in refused:
            what = f"the kind {kind} of {group or 'the core group'}"
            said = (
                f"Argo CD's project {project.name} does not list {what}: add it to the project in "
                "deploy/argocd/kustomization.yaml, and apply that"
            )
            yield Found(environment.name, 0, said)


def _projects(environment: Environment) -> Iterator[str]:
    """The projects of what deploys the environment's folder."""
    for one in environment.told:
        spec = at(one.data, "spec", "template", "spec") if one.kind == "ApplicationSet" else one.data.get("spec")
        if one.kind in ("Application", "ApplicationSet"):
            sources = [at(spec, "source"), *maps(at(spec, "sources"))]
            if any(at(source, "path") == f"deploy/overlays/{environment.name}" for source in sources):
                yield str(at(spec, "project"))


def _kind(one: Object) -> tuple[str, str]:
    return str(one.data.get("apiVersion", "")).rpartition("/")[0], one.kind


def _permits(project: Object, one: Object) -> bool:
    """As Argo CD does: without a list of kinds in namespaces all are, without one of kinds of the cluster none is."""
    scope = "namespace" if at(one.data, "metadata", "namespace") else "cluster"
    wanted, unwanted = (at(project.data, "spec", f"{scope}Resource{which}list") for which in ("White", "Black"))
    listed = scope == "namespace" if wanted is None else _lists(wanted, one)
    return listed and not _lists(unwanted, one)


def _lists(entries: Any, one: Object) -> bool:
    group, kind = _kind(one)
    return any(
        fnmatchcase(group, str(entry.get("group", ""))) and fnmatchcase(kind, str(entry.get("kind", "")))
        for entry in maps(entries)
    )
