"""0.1.0: ``secretstore.yaml`` and ``httproute.yaml`` came with the answers ``secrets`` and ``traffic``.

An update writes them once, and the ``kustomization.yaml`` next to them is the service's: without a line there nothing
applies them.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from golden_path.rules import bounded
from golden_path.untrusted import inside
from hooks.migrations.editing import names, read, refused, rewrite

STORE, ROUTE = "secretstore.yaml", "httproute.yaml"
_LIST = re.compile(r"^resources:[ ]*\n((?:(?:[ ]*#[^\n]*|[ ]*-[ ][^\n]*)\n)+)", re.MULTILINE)
_ENTRY = re.compile(r"^([ ]*)-[ ]", re.MULTILINE)
_TOP = re.compile(r"^([A-Za-z]\w*):", re.MULTILINE)
# Which entry of the store an environment reads; in the base it is the one without an environment.
_PATCH = """\
  - target:
      kind: ExternalSecret
    patch: |
      - op: replace
        path: /spec/dataFrom/0/extract/key
        value: {}
"""


def run(service: Path, answers: dict[str, Any]) -> list[str]:
    """Add what is missing to ``resources``, and to ``patches`` what a store needs."""
    lines = []
    for name in names(service, "deploy/overlays/*/kustomization.yaml"):
        folder = PurePosixPath(name).parent
        for one in (STORE, ROUTE):
            if not inside.is_file(service, f"{folder}/{one}"):
                continue
            try:
                lines += _add(service, name, one, _key(answers, folder.name) if one == STORE else "")
            except (OSError, UnicodeDecodeError) as error:
                lines.append(refused(name, error, f"see that its resources have {one}"))
    return lines


def _key(answers: dict[str, Any], environment: str) -> str:
    between = "-" if answers.get("secrets") == "gcp" else "/"
    return f"{answers.get('service_name')}{between}{environment}"


def _add(service: Path, name: str, resource: str, key: str) -> list[str]:
    if resource in _list(read(service, name), "resources"):
        return []
    if rewrite(service, name, lambda text: _with(text, resource, key)):
        return [f"done      {name}: applies {resource}"]
    return [f"skip      {name}: is not as it is known; add {resource} to its resources"]


def _list(text: str, key: str) -> list[Any]:
    try:
        found = bounded.load(text)
    except yaml.YAMLError:
        return []
    return list(found.get(key) or []) if isinstance(found, dict) else []


def _with(text: str, resource: str, key: str) -> str:
    """The text with one more resource at the end of the list; the same where that would not be what it says."""
    found = _LIST.search(text)
    indent = _ENTRY.search(found[1]) if found else None
    if not found or not indent or len(_LIST.findall(text)) != 1:
        return text
    changed = f"{text[: found.end()]}{indent[1]}- {resource}\n{text[found.end() :]}"
    patches = _list(text, "patches")
    if key and not any(_of_secret(one) for one in patches):
        tops = _TOP.findall(changed)
        if ("patches" in tops and tops[-1] != "patches") or not changed.endswith("\n"):
            return text
        changed += ("" if "patches" in tops else "patches:\n") + _PATCH.format(key)
        if len(_list(changed, "patches")) != len(patches) + 1:
            return text
    return changed if _list(changed, "resources") == [*_list(text, "resources"), resource] else text


def _of_secret(patch: Any) -> bool:
    return isinstance(patch, dict) and (patch.get("target") or {}).get("kind") == "ExternalSecret"
