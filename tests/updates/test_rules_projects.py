"""What Argo CD's project does not permit is found when the environment is rendered."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from golden_path.rules import environments, every  # noqa: F401 - every has all rules

Object = dict[str, Any]
LISTED = [{"group": "", "kind": "ConfigMap"}, {"group": "apps", "kind": "*"}]


SERVER = "https://kubernetes.default.svc"
STAGING = {"server": SERVER, "namespace": "orders-staging"}


def project(name: str = "orders", **spec: Any) -> Object:
    lists: Object = {"destinations": [STAGING]}
    lists |= {"clusterResourceWhitelist": [{"group": "", "kind": "Namespace"}], "namespaceResourceWhitelist": LISTED}
    return {"kind": "AppProject", "metadata": {"name": name}, "spec": {**lists, **spec}}


def application(environment: str = "staging", of: str = "orders", **source: Any) -> Object:
    spec = {"project": of, "destination": STAGING, "source": {"path": f"deploy/overlays/{environment}"}, **source}
    return {"kind": "Application", "metadata": {"name": f"orders-{environment}"}, "spec": spec}


def one(kind: str, version: str = "v1", namespace: str = "orders-staging") -> Object:
    metadata = {"name": "x", **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


def found(objects: list[Object], *told: Object) -> list[str]:
    problems = environments.problems("staging", yaml.safe_dump_all(objects), yaml.safe_dump_all(told))
    return [said.found.message.partition(": add")[0] for said in problems if said.rule.identifier == "GP408"]


def refused(kind: str, group: str = "the core group", of: str = "orders") -> str:
    return f"Argo CD's project {of} does not list the kind {kind} of {group}"


PERMITTED = [one("ConfigMap"), one("Deployment", "apps/v1"), one("Namespace", namespace="")]
REFUSED = [one("Secret"), one("Secret"), one("Job", "batch/v1"), one("Namespace"), one("ConfigMap", namespace="")]
ELSEWHERE = one("ConfigMap", namespace="billing")


def test_what_the_project_lists_passes_and_the_rest_is_named_once() -> None:
    assert found([*PERMITTED, *REFUSED], project(), application()) == [
        refused("Secret"), refused("Job", "batch"), refused("Namespace"), refused("ConfigMap")
    ]  # fmt: skip


@pytest.mark.parametrize(("spec", "kinds"), [
    ({"namespaceResourceWhitelist": None}, ["ConfigMap"]),
    ({"namespaceResourceWhitelist": []}, ["Secret", "Job", "Namespace", "ConfigMap"]),
    ({"namespaceResourceWhitelist": None, "namespaceResourceBlacklist": [{"group": "*", "kind": "Job"}]},
     ["Job", "ConfigMap"]),
    ({"namespaceResourceWhitelist": None, "clusterResourceWhitelist": [{"group": "*", "kind": "*"}]}, []),
])  # fmt: skip
def test_as_argo_cd_reads_the_lists(spec: Object, kinds: list[str]) -> None:
    said = found(REFUSED, project(**spec), application())
    assert [line.partition("the kind ")[2].split()[0] for line in said] == kinds


def test_the_project_is_that_of_the_environment() -> None:
    """Of an ApplicationSet, too; an environment that Argo CD is not told of is not its business."""
    told = [project(), project("others", namespaceResourceWhitelist=None, clusterResourceWhitelist=LISTED)]
    assert found([one("Secret")], *told, application(of="others")) == []
    assert found([one("Secret")], *told, application("production")) == []
    assert found([one("Secret")]) == []
    made = {**application(), "kind": "ApplicationSet", "spec": {"template": application()}}
    assert found([one("Secret")], *told, made) == [refused("Secret")]
    several = application(source=None, sources=[{"path": "x"}, {"path": "deploy/overlays/staging"}])
    assert found([one("Secret")], *told, several) == [refused("Secret")]


@pytest.mark.parametrize(("named", "passes"), [
    ("x", True), ("x*", True), ("[a-z]", True), (None, True), ("", True), ("*", True), ("y", False), ("[^x]", False),
    ("[^y]", True), ("[!x]", True), ("[!y]", False),
])  # fmt: skip
def test_a_name_of_the_cluster(named: str | None, passes: bool) -> None:
    entry = {"group": "", "kind": "Namespace", "name": named}
    said = found([one("Namespace", namespace="")], project(clusterResourceWhitelist=[entry]), application())
    assert said == ([] if passes else ["Argo CD's project orders does not list the Namespace x"])
    refused_by = project(clusterResourceBlacklist=[entry])
    said = found([one("Namespace", namespace="")], refused_by, application())
    assert bool(said) == passes


@pytest.mark.parametrize(("destinations", "passes"), [
    ([], False),
    ([STAGING], False),
    ([STAGING, {"server": SERVER, "namespace": "bill*"}], True),
    ([STAGING, {"server": "https://other.example.com", "namespace": "billing"}], False),
    ([{"server": "*", "namespace": "*"}], True),
    ([{"server": "*", "namespace": "!billing"}], False),
    ([{"server": "*", "namespace": "*"}, {"server": "*", "namespace": "!bill*"}], False),
    ([{"server": f"!{SERVER}", "namespace": "*"}, {"server": "*", "namespace": "*"}], False),
    ([{"name": "in-cluster", "namespace": "*"}], True),
    ([{"server": SERVER, "namespace": "{billing,orders-staging}"}], True),
])  # fmt: skip
def test_a_namespace_that_is_no_destination(destinations: list[Object], passes: bool) -> None:
    said = found([ELSEWHERE], project(destinations=destinations), application())
    line = "Argo CD's project orders does not list the namespace billing among its destinations, of the ConfigMap x"
    assert [one for one in said if "billing" in one] == ([] if passes else [line])


def test_the_namespace_of_the_application_itself() -> None:
    elsewhere = application(destination={"server": SERVER, "namespace": "orders-stage"})
    assert found([], project(), elsewhere) == [
        "Argo CD's project orders does not list the namespace orders-stage among its destinations, "
        "that the Application deploys to"
    ]


def test_what_an_application_set_fills_in_is_not_judged() -> None:
    template = application(source={"path": "deploy/overlays/staging", "kustomize": {"namespace": "orders-{{.number}}"}})
    made = {"kind": "ApplicationSet", "metadata": {"name": "orders"}, "spec": {"template": template}}
    lists = project(clusterResourceWhitelist=[{"group": "", "kind": "Namespace", "name": "orders-[0-9]*"}])
    assert found([ELSEWHERE, one("Namespace", namespace="")], lists, made) == []
