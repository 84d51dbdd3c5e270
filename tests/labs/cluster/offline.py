"""Check manifests against the schemas of the API server and of the CRDs in seconds, without a cluster.

``python -m tests.labs.cluster.offline FILE...`` prints the problems. It finds unknown and doubled fields, wrong types,
missing fields and values out of range; rules in CEL, admission and references are for the API server.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from tests.labs.cluster import schemas
from tests.labs.errors import LabError
from tests.labs.toolchains import MissingToolchainError


class _Loader(yaml.CSafeLoader):
    """Reads YAML as Kubernetes does: dates are text, and a doubled field is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        if doubled := [key for key in dict.fromkeys(keys) if keys.count(key) > 1]:
            raise yaml.constructor.ConstructorError(None, None, f'key "{doubled[0]}" already set', node.start_mark)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def problems(manifests: str) -> list[str]:
    """Return what is wrong with manifests, one line each, each naming the object and the field.

    Args:
        manifests: YAML, with any number of documents.

    Raises:
        LabError: the schemas cannot be had.
        MissingToolchainError: Go is missing, which gets them.
    """
    try:
        documents = [document for document in yaml.load_all(manifests, Loader=_Loader) if document is not None]
    except yaml.YAMLError as error:
        return [f"no valid YAML: {' '.join(str(error).split())}"]
    return [problem for document in documents for problem in _of_document(document)]


def _of_document(document: Any) -> Iterator[str]:
    if not isinstance(document, dict) or not {"apiVersion", "kind"} <= document.keys():
        yield "a document has no apiVersion or no kind"
        return
    if document["kind"] == "List":
        for item in document.get("items") or []:
            yield from _of_document(item)
        return
    metadata = document.get("metadata")
    name = f"{document['kind']} {metadata.get('name', '') if isinstance(metadata, dict) else ''}".strip()
    validator = _validator(str(document["apiVersion"]), str(document["kind"]))
    if validator is None:
        yield f"{name}: the cluster knows no {document['kind']} in {document['apiVersion']}"
        return
    for error in validator.iter_errors(_without_nulls(document)):
        for line in _lines(error):
            yield f"{name}: {line}"


@functools.cache
def _validator(version: str, kind: str) -> Draft202012Validator | None:
    schema = schemas.find(version, kind)
    return None if schema is None else Draft202012Validator(schema)


def _without_nulls(value: Any) -> Any:
    """Return a value as the server reads it: a field that is null is not there."""
    if isinstance(value, dict):
        return {str(key): _without_nulls(part) for key, part in value.items() if part is not None}
    return [_without_nulls(part) for part in value] if isinstance(value, list) else value


def _lines(error: ValidationError) -> Iterator[str]:
    where = error.json_path.removeprefix("$").removeprefix(".")
    if error.validator == "additionalProperties" and error.validator_value is False:
        known = error.schema.get("properties", {})
        for field in error.instance:
            if field not in known:
                yield f'unknown field "{where}.{field}"' if where else f'unknown field "{field}"'
    else:
        yield f"{where}: {error.message[:200]}"


def main(files: list[str]) -> int:
    """Print the problems of files.

    Args:
        files: their paths.

    Returns:
        The exit code.
    """
    found = 0
    try:
        for file in files:
            for problem in problems(Path(file).read_text(encoding="utf-8")):
                found += 1
                sys.stdout.write(f"{file}: {problem}\n")
    except (LabError, MissingToolchainError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
