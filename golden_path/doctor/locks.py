"""Whether a lock file knows what a manifest wants."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

from golden_path.doctor import manifests, requirements
from golden_path.doctor.manifests import NPM
from golden_path.doctor.repository import Repository

Knows = Callable[[Repository, str, str, str], bool]


def folder(path: str) -> str:
    """Return the folder of a file with a slash at its end; empty for the root."""
    return "" if str(PurePosixPath(path).parent) == "." else f"{PurePosixPath(path).parent}/"


def _at(data: Any, *keys: str) -> Any:
    """The value at a place of a document; None where there is none."""
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _go(repository: Repository, path: str, name: str, version: str) -> bool:
    wanted = re.compile(rf"^{re.escape(f'{name} {version}')}(?:/go\.mod)? ", re.MULTILINE)
    sums = (path, *(other for other in repository.own("go.work.sum")))
    return any(wanted.search(repository.text(one) or "") for one in sums) or name in repository.go_modules


def _npm(repository: Repository, path: str, name: str, version: str) -> bool:
    lock = repository.mapping(path)
    if "packages" not in lock and lock.get("lockfileVersion", 1) == 1:
        return isinstance(_at(lock, "dependencies", name), dict)  # which does not say what was wanted
    return any(_at(lock, "packages", "", part, name) == version for part in NPM)


def _pnpm(repository: Repository, path: str, name: str, version: str) -> bool:
    lock = next((one for one in reversed(repository.documents(path)) if isinstance(one, dict)), {})
    root = _at(lock, "importers", ".") or lock
    found = next(filter(None, (_at(root, part, name) for part in NPM)), None)
    if found is None:
        return False
    if version.startswith(("catalog:", "workspace:")) or _at(lock, "overrides", name):
        return True
    specifier = found.get("specifier") if isinstance(found, dict) else _at(root, "specifiers", name)
    return specifier in (version, None) and not (isinstance(found, dict) and specifier is None)


def _yarn(repository: Repository, path: str, name: str, version: str) -> bool:
    text = repository.text(path) or ""
    if name in repository.node_packages:
        return True  # a member of the workspace
    manifest = repository.mapping(f"{folder(path)}package.json")
    if any(key.rpartition("/")[2] == name.rpartition("/")[2] for key in _at(manifest, "resolutions") or {}):
        return f"{name}@" in text
    return any(f"{name}@{form}{version}" in text for form in ("", "npm:"))


def _named(repository: Repository, path: str, name: str, _: str) -> bool:
    names = re.findall(r'^name = "(.+?)"$', repository.text(path) or "", re.MULTILINE)
    return name in map(requirements.normal, names)


def _bun(repository: Repository, path: str, name: str, _: str) -> bool:
    return f'"{name}"' in (repository.text(path) or "")


def _pipfile(repository: Repository, path: str, name: str, _: str) -> bool:
    try:
        data = json.loads(repository.text(path) or "{}")
    except (ValueError, RecursionError):
        return False
    return name in {requirements.normal(one) for part in ("default", "develop") for one in _at(data, part) or {}}


def _requirements(repository: Repository, path: str, name: str, _: str) -> bool:
    return name in {line.name for line in requirements.read(repository, path)}


# By the name of the lock file, the manifest that it stands beside, and what looks a name up.
MATCHES: Mapping[str, tuple[str, manifests.Kind, Knows]] = {
    "go.sum": ("go.mod", manifests.GO, _go),
    "package-lock.json": ("package.json", manifests.NODE, _npm),
    "npm-shrinkwrap.json": ("package.json", manifests.NODE, _npm),
    "pnpm-lock.yaml": ("package.json", manifests.NODE, _pnpm),
    "yarn.lock": ("package.json", manifests.NODE, _yarn),
    "bun.lock": ("package.json", manifests.NODE, _bun),
    "uv.lock": ("pyproject.toml", manifests.PYPROJECT, _named),
    "poetry.lock": ("pyproject.toml", manifests.PYPROJECT, _named),
    "pdm.lock": ("pyproject.toml", manifests.PYPROJECT, _named),
    "pylock.toml": ("pyproject.toml", manifests.PYPROJECT, _named),
    "Pipfile.lock": ("Pipfile", manifests.PIPFILE, _pipfile),
    "requirements.txt": ("pyproject.toml", manifests.PYPROJECT, _requirements),
}


def missing(repository: Repository, lock: str) -> tuple[str, list[str]]:
    """Return the manifest beside a lock file, and what it wants that the lock does not know."""
    name, kind, knows = MATCHES[lock.rpartition("/")[2]]
    manifest = f"{folder(lock)}{name}"
    if not (repository.text(lock) or "").strip() or manifest not in repository.tree:  # empty: GP301 says so
        return manifest, []
    wanted = manifests.wanted(kind, repository, manifest)
    return manifest, [one for one, version in wanted.items() if not knows(repository, lock, one, version)]
