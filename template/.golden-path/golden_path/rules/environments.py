"""Rules on what Kustomize makes of an environment, which no schema and no single file tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from golden_path.rules import documents, objects, values
from golden_path.rules.book import ERROR, RENDERED, RULES, Finding, Found, chosen, rule
from golden_path.rules.documents import at, maps
from golden_path.rules.objects import Object, containers
from golden_path.rules.workloads import HOW

_WRITERS = ("ExternalSecret", "SealedSecret", "Secret")


class Environment(NamedTuple):
    """What an environment is to get.

    Attributes:
        name: of it.
        objects: all.
        told: what Argo CD is told of the service: projects and applications.
    """

    name: str
    objects: list[Object]
    told: list[Object]


def problems(name: str, text: str, told: str = "") -> list[Finding]:
    """Return what breaks a rule in what Kustomize made of an environment, by rule.

    Args:
        name: of the environment, which stands for a file.
        text: its manifests.
        told: those that Argo CD is told; empty if it is told nothing from here.
    """
    environment = Environment(name, *(list(objects.apart(documents.read(one))) for one in (text, told)))
    found = [Finding(one, what) for one in chosen([RENDERED]).values() for what in one.check(environment)]
    found += [Finding(RULES["GP404"], what) for what in _values(environment)]
    return sorted(found, key=lambda one: one.rule.identifier)


def _values(environment: Environment) -> Iterator[Found]:
    """Values of secrets, as in files; and forms of secrets, which in files are found by lines of text."""
    for one in environment.objects:
        whats = [found.what for found in values.values(one)]
        whats += [f"what looks like {what}" for what in values.anywhere(one)]
        for what in dict.fromkeys(whats):
            yield Found(environment.name, 0, f"{one.kind} {one.name} holds {what}: {HOW}")


@rule(
    "GP401", ERROR, "Patches leave the Rollout complete.", "a strategic merge patch can drop what it does not name",
    scope=RENDERED,
)  # fmt: skip
def whole(environment: Environment) -> Iterator[Found]:
    """Rollouts of which no container has an image, or none has resources."""
    for one in environment.objects:
        if one.kind != "Rollout" or at(one.data, "spec", "workloadRef"):
            continue
        has = [container for pod in one.pods() for container in containers(pod)]
        for needed in ("image", "resources"):
            if not any(needed in container for container in has):
                said = f"the Rollout has no {needed}: patch it with JSON 6902 (op, path, value) only"
                yield Found(environment.name, 0, said)


@rule(
    "GP402", ERROR, "Every Secret that a pod reads exists.", "a pod does not start without it",
    scope=RENDERED,
)  # fmt: skip
def written(environment: Environment) -> Iterator[Found]:
    """Secrets in variables that are not optional, which nothing in the environment writes."""
    there = {
        at(one.data, "spec", "target", "name") or one.name for one in environment.objects if one.kind in _WRITERS
    }  # fmt: skip
    for one in environment.objects:
        wanted = [at(source, *keys) for pod in one.pods() for container in containers(pod) for field, *keys in (
            ("envFrom", "secretRef"), ("env", "valueFrom", "secretKeyRef")
        ) for source in maps(container.get(field))]  # fmt: skip
        names = [_text(secret.get("name")) for secret in maps(wanted) if secret.get("optional") is not True]
        for name in dict.fromkeys(names):
            if name and name not in there:
                said = f"{one.kind} {one.name} reads the Secret {name}, which no ExternalSecret of the overlay writes"
                yield Found(environment.name, 0, said)


@rule(
    "GP403", ERROR, "Every SecretStore that is named exists.", "without it the ExternalSecret writes no Secret",
    scope=RENDERED,
)  # fmt: skip
def stored(environment: Environment) -> Iterator[Found]:
    """SecretStores that an ExternalSecret names and the environment lacks; those of the cluster are not its own."""
    stores = {one.name for one in environment.objects if one.kind == "SecretStore"}
    for one in environment.objects:
        for name in dict.fromkeys(_stores(one.data)) if one.kind == "ExternalSecret" else ():
            if name not in stores:
                there = ", ".join(sorted(stores)) or "none"
                said = f"{one.kind} {one.name} names the SecretStore {name}, which the overlay lacks; it has {there}"
                yield Found(environment.name, 0, said)


def _stores(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            if key in ("secretStoreRef", "storeRef") and isinstance(one, dict):
                if one.get("kind") != "ClusterSecretStore" and "name" in one:
                    yield _text(one["name"])
            else:
                yield from _stores(one)
    elif isinstance(value, list):
        for one in value:
            yield from _stores(one)


def _text(value: Any) -> str:
    return str(value) if value is not None else ""
