"""Hold the manifests of each environment against the policies, as the cluster will: `python .golden-path admission`.

The expressions are evaluated by CEL itself (Google's implementation in C++), from the files that the cluster is given.
Not judged here is who signed an image: `make verify` does that.

The policies are those in .golden-path/policies, or what policy/kustomization.yaml, the service's own, makes of them.
policy/exceptions.yaml, if there is one, holds Kyverno's PolicyExceptions, each with the day on which it ends.
"""

import datetime
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from cel_expr_python import cel
from cel_expr_python.ext import ext_optional, ext_strings

from golden_path.rules import objects
from golden_path.service.errors import RefusedError
from golden_path.service.manifests import build, render

OWN, POLICIES = Path("policy"), Path(".golden-path/policies")
EXCEPTIONS = Path("policy/exceptions.yaml")
# Nothing in the cluster is updated here: every object is judged as a new one.
REQUEST = {"operation": "CREATE"}

# Argo Rollouts makes jobs and replica sets of these.
MAKERS = ("AnalysisRun", "AnalysisTemplate", "ClusterAnalysisTemplate", "Experiment")

Object = dict[str, Any]


def main() -> int:
    try:
        folder = OWN if (OWN / "kustomization.yaml").exists() else POLICIES
        policies = [one for one in documents(build(folder)) if one["kind"] == "ValidatingPolicy"]
        if not policies:
            raise RefusedError(f"{folder} has no ValidatingPolicy: nothing would be checked")
        exceptions = list(permitted())
        found = [
            f"{environment}: {finding}"
            for environment, text in render(Path()).items()
            for finding in judge(policies, exceptions, documents(text))
        ]
    except RefusedError as reason:
        found = [str(reason)]
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


def documents(text: str) -> list[Object]:
    return [without_nulls(one) for one in yaml.safe_load_all(text) if one]


def made(one: Object) -> Iterator[Object]:
    """What a controller makes of an object that no policy looks at: the cluster judges it when it is there."""
    if one["kind"] not in MAKERS:
        return
    named = {key: one["metadata"][key] for key in ("name", "namespace") if key in one["metadata"]}
    for template in objects.templates(one["kind"], one):
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": named, "spec": {"template": template}}
        replicas = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": named, "spec": {"template": template}}
        yield replicas if one["kind"] == "Experiment" else job


def without_nulls(value: Any) -> Any:
    """For the API server a field that is null is one that is not there."""
    if isinstance(value, dict):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


def permitted() -> Iterator[Object]:
    """The exceptions that count today."""
    if not EXCEPTIONS.exists():
        return
    now = datetime.datetime.now(datetime.UTC)
    for one in documents(EXCEPTIONS.read_text(encoding="utf-8")):
        name = one.get("metadata", {}).get("name", "?")
        try:
            ends = datetime.datetime.fromisoformat(str(one["spec"]["expiresAt"]).replace("Z", "+00:00"))
            ends = ends if ends.tzinfo else ends.replace(tzinfo=datetime.UTC)
        except (KeyError, TypeError, ValueError):
            raise RefusedError(
                f"{EXCEPTIONS}: {name} must say when it ends, spec.expiresAt: 2026-12-31T00:00:00Z"
            ) from None
        if ends < now:
            raise RefusedError(f"{EXCEPTIONS}: {name} has ended on {ends:%Y-%m-%d}: remove it")
        yield one


def judge(policies: list[Object], exceptions: list[Object], given: list[Object]) -> Iterator[str]:
    """What breaks a policy in one environment, a line each; objects of lists count one by one."""
    given = [one.data for one in objects.apart(given)]
    engine = Engine(given)
    asked = [(f"{one['kind']} {one['metadata']['name']}", one) for one in given]
    asked += [(f"{what}: its {one['kind']}", one) for what, maker in asked for one in made(maker)]
    for what, one in asked:
        for policy in policies:
            name, spec = policy["metadata"]["name"], policy["spec"]
            if one["kind"] == "Namespace" and not selects(spec["matchConstraints"].get("namespaceSelector", {}), one):
                yield f"{what}: the policy {name} would not be applied to it: its labels are not what it selects"
            if not matches(spec["matchConstraints"]["resourceRules"], one):
                continue
            try:
                if not any(engine.exempt(exception, name, one) for exception in exceptions):
                    yield from (f"{what}: {said}" for said in engine.judge(spec, one))
            except ValueError as reason:
                # The cluster would refuse what it cannot evaluate, too.
                yield f"{what}: {name}: {reason}"


def matches(rules: list[Object], one: Object) -> bool:
    """Whether rules of a policy name the kind of an object."""
    group, _, version = one["apiVersion"].rpartition("/")
    asked = {"apiGroups": group, "apiVersions": version, "resources": plural(one["kind"])}
    return any(all({value, "*"} & set(rule[field]) for field, value in asked.items()) for rule in rules)


def plural(kind: str) -> str:
    return re.sub(r"y$", "ie", kind.lower()) + "s"


def selects(selector: Object, one: Object) -> bool:
    """Whether a label selector matches an object."""
    labels = one["metadata"].get("labels") or {}
    tests: dict[str, Callable[[str, list[str]], bool]] = {
        "In": lambda key, values: labels.get(key) in values,
        "NotIn": lambda key, values: labels.get(key) not in values,
        "Exists": lambda key, _: key in labels,
        "DoesNotExist": lambda key, _: key not in labels,
    }
    named = {"kubernetes.io/metadata.name": one["metadata"]["name"]}
    labels = {**labels, **named}
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        tests[asked["operator"]](asked["key"], asked.get("values", []))
        for asked in selector.get("matchExpressions", [])
    )


class Engine:
    """CEL with what the API server and Kyverno give an expression, over the objects of one environment."""

    def __init__(self, objects: list[Object]) -> None:
        self.objects = objects
        every = cel.Type.DYN
        listing = cel.Overload("resource_list", every, [cel.Type.MAP, *[cel.Type.STRING] * 3], True, impl=self.list)
        self.cel = cel.NewEnv(
            variables={
                **dict.fromkeys(("object", "oldObject", "request", "variables"), every),
                "resource": cel.Type.MAP,
            },
            functions=[cel.FunctionDecl("List", [listing])],
            extensions=[ext_strings.ExtStrings(), ext_optional.ExtOptional()],
        )
        self.compiled: dict[str, Any] = {}

    def list(self, _: object, version: str, resources: str, namespace: str) -> Object:
        """Kyverno's resource.List: of the objects beside it."""
        items = [
            one
            for one in self.objects
            if one["apiVersion"] == version
            and plural(one["kind"]) == resources
            and one["metadata"].get("namespace", "") == namespace
        ]
        return {"items": items}

    def judge(self, spec: Object, one: Object) -> Iterator[str]:
        """What an object breaks of a policy.

        Raises:
            ValueError: an expression cannot be evaluated.
        """
        given: Object = {"object": one, "oldObject": None, "request": REQUEST, "resource": {}, "variables": {}}
        if not self.all(spec, given):
            return
        for variable in spec.get("variables", []):
            given["variables"][variable["name"]] = self.evaluate(variable["expression"], given)
        for rule in spec["validations"]:
            if self.evaluate(rule["expression"], given) is not True:
                said = self.evaluate(rule["messageExpression"], given) if "messageExpression" in rule else ""
                yield str(said or rule["message"])

    def exempt(self, exception: Object, policy: str, one: Object) -> bool:
        """Whether an exception takes an object out of a policy."""
        named = any(one["name"] == policy for one in exception["spec"]["policyRefs"])
        return named and self.all(exception["spec"], {"object": one, "request": REQUEST})

    def all(self, spec: Object, given: Mapping[str, Any]) -> bool:
        """Whether the conditions under which it counts are met."""
        return all(self.evaluate(one["expression"], given) is True for one in spec.get("matchConditions", []))

    def evaluate(self, expression: str, given: Mapping[str, Any]) -> Any:
        try:
            if expression not in self.compiled:
                self.compiled[expression] = self.cel.compile(expression)
            result = self.compiled[expression].eval(data=dict(given))
        except RuntimeError as error:
            raise ValueError(str(error).splitlines()[0]) from None
        if result.type().name() == "ERROR":
            raise ValueError(str(result.plain_value()))
        return result.plain_value()
