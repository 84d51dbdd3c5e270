"""The schemas of the API server and of the CRDs as JSON schemas, as strict as the server is about unknown fields."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.labs.cluster import definitions
from tests.labs.cluster.places import HERE, lab_folder
from tests.labs.places import digest, once

Schema = dict[str, Any]

_REF = "#/components/schemas/"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_QUANTITY_PATTERN = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$"
# The rest says nothing of what is valid, or means something else in OpenAPI.
_KEPT = frozenset(
    "$ref type enum required pattern minimum maximum minLength maxLength minItems maxItems minProperties maxProperties "
    "uniqueItems multipleOf".split()
)


def _strict(schema: Schema, closed: bool = True) -> Schema:
    """Return a JSON schema for an OpenAPI schema of Kubernetes.

    Args:
        schema: the OpenAPI schema.
        closed: whether a field that it does not list is an error; not so in a part that others complete.
    """
    result: Schema = {key: value for key, value in schema.items() if key in _KEPT}
    for key in ("items", "additionalProperties"):
        if key in schema:
            result[key] = _strict(schema[key], closed) if isinstance(schema[key], dict) else schema[key]
    for key in ("allOf", "anyOf", "oneOf"):
        if key in schema:
            result[key] = [_strict(part, closed=False) for part in schema[key]]
    if "not" in schema:
        result["not"] = _strict(schema["not"], closed=False)
    if "properties" in schema:
        result["properties"] = {name: _strict(part, closed) for name, part in schema["properties"].items()}
        if closed and "additionalProperties" not in schema and not _keeps_unknown(schema):
            result["additionalProperties"] = False
    if schema.get("x-kubernetes-int-or-string"):
        result.pop("anyOf", None)
        result["type"] = ["integer", "string"]
    if schema.get("x-kubernetes-embedded-resource"):
        _add_type_and_metadata(result)
    return result


def _keeps_unknown(schema: Schema) -> bool:
    return bool(schema.get("x-kubernetes-preserve-unknown-fields"))


def _add_type_and_metadata(schema: Schema) -> None:
    properties = schema.setdefault("properties", {})
    properties |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"$ref": f"{_REF}{_META}"}}


def _file(folder: Path, version: str) -> Path:
    return folder / f"{version.replace('/', '_')}.json"


def _write(folder: Path, version: str, kinds: Mapping[str, str], schemas: Mapping[str, Schema]) -> None:
    text = json.dumps({"kinds": kinds, "components": {"schemas": schemas}})
    _file(folder, version).write_text(text, encoding="utf-8")


def _of_the_server(source: Path) -> dict[str, Schema]:
    schemas: dict[str, Schema] = json.loads(source.read_text(encoding="utf-8"))["components"]["schemas"]
    return schemas


def _write_server(folder: Path, source: Path) -> None:
    # The file is called apis__apps__v1_openapi.json or api__v1_openapi.json.
    group, _, version = source.name.removesuffix("_openapi.json").partition("__")[2].rpartition("__")
    schemas = _of_the_server(source)
    kinds = {
        kind["kind"]: name
        for name, schema in schemas.items()
        for kind in schema.get("x-kubernetes-group-version-kind", [])
        if (kind["group"], kind["version"]) == (group, version)
    }
    strict = {name: _strict(schema) for name, schema in schemas.items()}
    if _QUANTITY in strict:
        strict[_QUANTITY]["pattern"] = _QUANTITY_PATTERN
    _write(folder, f"{group}/{version}" if group else version, kinds, strict)


def _write_crds(folder: Path, metadata: Mapping[str, Schema]) -> None:
    by_version: dict[str, dict[str, Schema]] = {}
    for crd in definitions.parsed_crds():
        for version in crd["spec"]["versions"]:
            strict = _strict(version["schema"]["openAPIV3Schema"])
            _add_type_and_metadata(strict)
            by_version.setdefault(f"{crd['spec']['group']}/{version['name']}", {})[crd["spec"]["names"]["kind"]] = (
                strict
            )
    for version, schemas in by_version.items():
        _write(folder, version, {kind: kind for kind in schemas}, {**metadata, **schemas})


def folder() -> Path:
    """Return the folder of the JSON schemas, made unless it is there.

    Raises:
        LabError: a Go module cannot be had.
        MissingToolchainError: Go is missing.
    """
    server = definitions.collect("openapi", definitions.OPENAPI)

    def make(target: Path) -> None:
        target.mkdir()
        for source in sorted(server.glob("*.json")):
            _write_server(target, source)
        core = _of_the_server(server / "api__v1_openapi.json")
        prefix = _META.removesuffix("ObjectMeta")
        metadata = {name: _strict(schema) for name, schema in core.items() if name.startswith(prefix)}
        _write_crds(target, metadata)

    return once(lab_folder() / f"schemas-{digest(server.name, definitions.crds().name, HERE / 'schemas.py')}", make)


@functools.cache
def find(version: str, kind: str) -> Schema | None:
    """Return the schema of a kind, or nothing where the cluster does not know it.

    Args:
        version: its ``apiVersion``.
        kind: its ``kind``.
    """
    file = _file(folder(), version)
    if not file.exists():
        return None
    document: Schema = json.loads(file.read_text(encoding="utf-8"))
    if kind not in document["kinds"]:
        return None
    return {"$ref": f"{_REF}{document['kinds'][kind]}", "components": document["components"]}
