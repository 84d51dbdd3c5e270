"""Whether a lock file knows what a manifest wants."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from golden_path.rules import packages, requirements
from golden_path.rules.documents import at
from golden_path.rules.files import Files, folder
from golden_path.rules.packages import NPM

Knows = Callable[[Files, str, str, str], bool]


def _go_modules(files: Files) -> set[str]:
    """The modules of Go that it has itself."""
    texts = (files.text(path) or "" for path in files.own("go.mod"))
    return {found[1] for text in texts if (found := re.search(r"^module\s+\"?([^\s\"]+)", text, re.MULTILINE))}


def _node_packages(files: Files) -> set[str]:
    """The packages of Node.js that it has itself."""
    return {str(files.mapping(path).get("name")) for path in files.own("package.json")}


def _go(files: Files, path: str, name: str, version: str) -> bool:
    wanted = re.compile(rf"^{re.escape(f'{name} {version}')}(?:/go\.mod)? ", re.MULTILINE)
    sums = (path, *(other for other in files.own("go.work.sum")))
    return any(wanted.search(files.text(one) or "") for one in sums) or name in files.once(_go_modules)


def _npm(files: Files, path: str, name: str, version: str) -> bool:
    lock = files.mapping(path)
    if "packages" not in lock and lock.get("lockfileVersion", 1) == 1:
        return isinstance(at(lock, "dependencies", name), dict)  # which does not say what was wanted
    return any(at(lock, "packages", "", part, name) == version for part in NPM)


def _pnpm(files: Files, path: str, name: str, version: str) -> bool:
    lock = next((one for one in reversed(files.documents(path)) if isinstance(one, dict)), {})
    root = at(lock, "importers", ".") or lock
    found = next(filter(None, (at(root, part, name) for part in NPM)), None)
    if found is None:
        return False
    if version.startswith(("catalog:", "workspace:")) or at(lock, "overrides", name):
        return True
    specifier = found.get("specifier") if isinstance(found, dict) else at(root, "specifiers", name)
    return specifier in (version, None) and not (isinstance(found, dict) and specifier is None)


def _yarn(files: Files, path: str, name: str, version: str) -> bool:
    text = files.text(path) or ""
    if name in files.once(_node_packages):
        return True  # a member of the workspace
    manifest = files.mapping(f"{folder(path)}package.json")
    if any(key.rpartition("/")[2] == name.rpartition("/")[2] for key in at(manifest, "resolutions") or {}):
        return f"{name}@" in text
    return any(f"{name}@{form}{version}" in text for form in ("", "npm:"))


def _named(files: Files, path: str, name: str, _: str) -> bool:
    names = re.findall(r'^name = "(.+?)"$', files.text(path) or "", re.MULTILINE)
    return name in map(requirements.normal, names)


def _bun(files: Files, path: str, name: str, _: str) -> bool:
    return f'"{name}"' in (files.text(path) or "")


def _pipfile(files: Files, path: str, name: str, _: str) -> bool:
    try:
        data = json.loads(files.text(path) or "{}")
    except (ValueError, RecursionError):
        return False
    return name in {requirements.normal(one) for part in ("default", "develop") for one in at(data, part) or {}}


def _requirements(files: Files, path: str, name: str, _: str) -> bool:
    return name in {line.name for line in requirements.read(files, path)}


# By the name of the lock file, the manifest that it stands beside, and what looks a name up.
MATCHES: Mapping[str, tuple[str, packages.Kind, Knows]] = {
    "go.sum": ("go.mod", packages.GO, _go),
    "package-lock.json": ("package.json", packages.NODE, _npm),
    "npm-shrinkwrap.json": ("package.json", packages.NODE, _npm),
    "pnpm-lock.yaml": ("package.json", packages.NODE, _pnpm),
    "yarn.lock": ("package.json", packages.NODE, _yarn),
    "bun.lock": ("package.json", packages.NODE, _bun),
    "uv.lock": ("pyproject.toml", packages.PYPROJECT, _named),
    "poetry.lock": ("pyproject.toml", packages.PYPROJECT, _named),
    "pdm.lock": ("pyproject.toml", packages.PYPROJECT, _named),
    "pylock.toml": ("pyproject.toml", packages.PYPROJECT, _named),
    "Pipfile.lock": ("Pipfile", packages.PIPFILE, _pipfile),
    "requirements.txt": ("pyproject.toml", packages.PYPROJECT, _requirements),
}


def missing(files: Files, lock: str) -> tuple[str, list[str]]:
    """Return the manifest beside a lock file, and what it wants that the lock does not know."""
    name, kind, knows = MATCHES[lock.rpartition("/")[2]]
    manifest = f"{folder(lock)}{name}"
    if not (files.text(lock) or "").strip() or not files.has(manifest):  # empty: GP301 says so
        return manifest, []
    wanted = packages.wanted(kind, files, manifest)
    return manifest, [one for one, version in wanted.items() if not knows(files, lock, one, version)]
