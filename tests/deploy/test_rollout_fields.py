"""Kustomize does to the pods of a Rollout what it does to those of a Deployment, in each field of the pod's schema."""

from __future__ import annotations

import copy
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.labs import kustomize
from tests.labs.cluster import schemas
from tests.labs.toolchains import ROOT

pytestmark = pytest.mark.one_language

FIELDS = ROOT / "template/deploy/base/rollout-fields.yaml"
# Which kind a type of the schema names, and in which of its fields.
TYPES = {
    "ConfigMapEnvSource": ("ConfigMap", "name"),
    "ConfigMapKeySelector": ("ConfigMap", "name"),
    "ConfigMapProjection": ("ConfigMap", "name"),
    "ConfigMapVolumeSource": ("ConfigMap", "name"),
    "SecretEnvSource": ("Secret", "name"),
    "SecretKeySelector": ("Secret", "name"),
    "SecretProjection": ("Secret", "name"),
    "SecretVolumeSource": ("Secret", "secretName"),
    "LocalObjectReference": ("Secret", "name"),
    "AzureFileVolumeSource": ("Secret", "secretName"),
    "PersistentVolumeClaimVolumeSource": ("PersistentVolumeClaim", "claimName"),
}
STRINGS = {
    "serviceAccountName": "ServiceAccount",
    "serviceAccount": "ServiceAccount",
    "priorityClassName": "PriorityClass",
    "runtimeClassName": "RuntimeClass",
    "resourceClaimName": "ResourceClaim",
    "resourceClaimTemplateName": "ResourceClaimTemplate",
}
VERSIONS = {"PriorityClass": "scheduling.k8s.io/v1", "RuntimeClass": "node.k8s.io/v1", "ResourceClaim":
            "resource.k8s.io/v1", "ResourceClaimTemplate": "resource.k8s.io/v1"}  # fmt: skip
# Fields that end like those above and name something else: part of the pod itself, of a volume's driver, of the node.
NOTHING_OF_OURS = re.compile(
    r"ephemeralContainers/.*"  # no template of pods may have them
    r"|volumes/ephemeral/.*"  # the claim is made from a template of its own, whose class and source no overlay makes
    r"|volumes/projected/sources/(clusterTrustBundle|podCertificate)/.*"
)
_PREFIX = "io.k8s.api.core.v1."


def walk(components: dict[str, Any], name: str, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the path and the name of the type of each object in a type, and of each string, whose name is its own."""
    for field, schema in components[f"{_PREFIX}{name}"].get("properties", {}).items():
        inner = schema.get("items", schema)
        named = next((one["$ref"] for one in (inner, *inner.get("allOf", ())) if "$ref" in one), "")
        kind = named.rpartition(_PREFIX)[2] if _PREFIX in named else ""
        here = (*path, field)
        yield here, kind or field
        if kind and f"{_PREFIX}{kind}" in components:
            yield from walk(components, kind, here)


def references() -> dict[str, str]:
    """Return the kind that a field of a pod names, by the field's path."""
    pod = schemas.find("v1", "Pod")
    assert pod
    found = {}
    for path, kind in walk(pod["components"]["schemas"], "PodSpec"):
        if NOTHING_OF_OURS.fullmatch("/".join(path)):
            continue
        if kind in TYPES:
            found["/".join((*path, TYPES[kind][1]))] = TYPES[kind][0]
        elif path[-1] in STRINGS:
            found["/".join(path)] = STRINGS[path[-1]]
    return found


def put(target: dict[str, Any], path: list[str], value: str) -> None:
    """Set a field, in an item of its own where lists are on the way."""
    first, *rest = path
    if not rest:
        target[first] = value
    elif first in ("containers", "initContainers", "volumes", "resourceClaims", "imagePullSecrets", "envFrom", "env",
                   "sources"):  # fmt: skip
        item: dict[str, Any] = {} if first in ("imagePullSecrets", "envFrom", "sources") else {"name": f"i{value}"}
        target.setdefault(first, []).append(item)
        put(item, rest, value)
    else:
        put(target.setdefault(first, {}), rest, value)


def get(source: Any, path: list[str]) -> list[str]:
    """Return what a field has, in each item of the lists on the way."""
    if isinstance(source, list):
        return [found for item in source for found in get(item, path)]
    if not path:
        return [source]
    return get(source[path[0]], path[1:]) if path[0] in source else []


def rendered(folder: Path, objects: list[dict[str, Any]], **settings: Any) -> list[dict[str, Any]]:
    """Render objects of a base through an overlay with these settings."""
    for name, content in {
        "base/objects.yaml": yaml.safe_dump_all(objects),
        "base/kustomization.yaml": yaml.safe_dump({"resources": ["objects.yaml"], "configurations": [FIELDS.name]}),
        "overlay/kustomization.yaml": yaml.safe_dump({"resources": ["../base"], **settings}),
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    shutil.copy(FIELDS, folder / "base")
    program = kustomize.folder() / "kustomize"
    done = subprocess.run([program, "build", folder / "overlay"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def rollout(pods: dict[str, Any]) -> dict[str, Any]:
    """Return a Rollout with such pods."""
    template = {"metadata": {"labels": {"app": "orders"}}, "spec": pods}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "orders"},
            "spec": {"selector": {"matchLabels": {"app": "orders"}}, "template": template}}  # fmt: skip


def test_each_name_in_a_pod_follows_its_object(tmp_path: Path) -> None:
    pods: dict[str, Any] = {}
    for path in references():
        put(pods, path.split("/"), "thing")
    objects = [
        {"apiVersion": VERSIONS.get(kind, "v1"), "kind": kind, "metadata": {"name": "thing"}}
        for kind in sorted(set(references().values()))
    ]
    found = rendered(tmp_path, [rollout(pods), *objects], namePrefix="new-")
    after = next(one for one in found if one["kind"] == "Rollout")["spec"]["template"]["spec"]
    stay = [path for path in references() if set(get(after, path.split("/"))) != {"new-thing"}]
    assert stay == []


def test_the_configuration_names_each_of_these_fields_and_no_other() -> None:
    listed = yaml.safe_load(FIELDS.read_text())["nameReference"]
    known = {
        field["path"].removeprefix("spec/template/spec/"): one["kind"]
        for one in listed for field in one["fieldSpecs"] if field["path"].startswith("spec/template/spec/")
    }  # fmt: skip
    assert known == references()


SELECTOR = {"labelSelector": {"matchLabels": {"app": "orders"}}}
TERM = {"topologyKey": "zone", **SELECTOR}
AFFINITY = {
    "requiredDuringSchedulingIgnoredDuringExecution": [TERM],
    "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": TERM}],
}
PODS = {
    "containers": [{"name": "a", "image": "app"}], "initContainers": [{"name": "b", "image": "app"}],
    "volumes": [{"name": "c", "image": {"reference": "app"}}],
    "topologySpreadConstraints": [SELECTOR], "affinity": {"podAffinity": AFFINITY, "podAntiAffinity": AFFINITY},
}  # fmt: skip


@pytest.mark.parametrize(
    "settings",
    [
        {"labels": [{"pairs": {"new": "label"}, "includeSelectors": True}]},
        {"labels": [{"pairs": {"new": "label"}, "includeTemplates": True}]},
        {"commonLabels": {"new": "label"}},
        {"images": [{"name": "app", "newName": "mirror/app", "newTag": "v1"}]},
        {"replicas": [{"name": "orders", "count": 7}]},
        {"commonAnnotations": {"new": "annotation"}},
    ],
    ids=["labels and selectors", "labels of pods", "commonLabels", "images", "replicas", "annotations"],
)
def test_labels_images_and_replicas_reach_it_as_they_reach_a_deployment(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    one = rollout(PODS)
    other = {**copy.deepcopy(one), "apiVersion": "apps/v1", "kind": "Deployment"}
    found = {each["kind"]: each["spec"] for each in rendered(tmp_path, [one, other], **settings)}
    assert found["Deployment"] != one["spec"]
    assert found["Rollout"] == found["Deployment"]


def test_a_digest_reaches_what_an_init_container_fetches(tmp_path: Path) -> None:
    """A variable that is an image's name, and no other."""
    told = [{"name": "MODEL_REF", "value": "app"}, {"name": "OTHER", "value": "app-2"}, {"name": "EMPTY"}]
    pods = {**PODS, "initContainers": [{"name": "b", "image": "x", "env": told}]}
    digest = f"sha256:{'1' * 64}"
    [found] = rendered(tmp_path, [rollout(pods)], images=[{"name": "app", "digest": digest}])
    after = found["spec"]["template"]["spec"]
    assert get(after, ["initContainers", "env", "value"]) == [f"app@{digest}", "app-2"]
    assert get(after, ["volumes", "image", "reference"]) == [f"app@{digest}"]


def test_a_service_selects_the_pods_whatever_labels_an_overlay_adds(tmp_path: Path) -> None:
    service: dict[str, Any] = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "orders"}}
    service["spec"] = {"selector": {"app": "orders"}}
    labels = [{"pairs": {"new": "label"}, "includeSelectors": True}]
    found = {one["kind"]: one["spec"] for one in rendered(tmp_path, [rollout(PODS), service], labels=labels)}
    assert found["Service"]["selector"] == {"app": "orders", "new": "label"}
    assert found["Service"]["selector"].items() <= found["Rollout"]["template"]["metadata"]["labels"].items()
