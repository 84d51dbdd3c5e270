"""Reading manifests of packages: what they want of others, by package manager."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from golden_path.rules import requirements
from golden_path.rules.files import Files

NPM = ("dependencies", "devDependencies", "optionalDependencies")
_GO_BLOCK = re.compile(r"^(\w+)\s*\(\s*$")


@dataclass(frozen=True)
class Kind:
    """A kind of manifest.

    Attributes:
        files: patterns of its names.
        locks: names of the lock files that go with it, the usual one first.
        wanted: what it wants, the version by name, for its text; empty where it cannot be read.
        above: whether the lock file of a folder above is its lock, too, as in a workspace.
    """

    files: tuple[str, ...]
    locks: tuple[str, ...]
    wanted: Callable[[str], Mapping[str, str]]
    above: bool = True


def wanted(kind: Kind, files: Files, path: str) -> Mapping[str, str]:
    """Return what a manifest wants; empty where it cannot be read."""
    try:
        return kind.wanted(files.text(path) or "")
    except (ValueError, AttributeError, TypeError, RecursionError):
        return {}


def _node(text: str) -> dict[str, str]:
    data = json.loads(text or "{}")
    return {name: str(spec) for part in NPM for name, spec in (data.get(part) or {}).items()}


def _go(text: str) -> dict[str, str]:
    lines: dict[str, list[list[str]]] = {}
    block = ""
    for line in text.splitlines():
        words = [word.strip('"') for word in line.split("//")[0].split()]
        if opened := _GO_BLOCK.match(line.split("//")[0].strip()):
            block = opened[1]
        elif words == [")"]:
            block = ""
        elif words:
            lines.setdefault(block or words[0], []).append(words if block else words[1:])
    without = {words[0] for key in ("replace", "exclude") for words in lines.get(key, ()) if words}
    return {words[0]: words[1] for words in lines.get("require", ()) if len(words) > 1 and words[0] not in without}


def _python(text: str) -> dict[str, str]:
    data = tomllib.loads(text)
    found = {}
    for requirement in data.get("project", {}).get("dependencies", ()):
        if name := re.match(r"[A-Za-z0-9][\w.-]*", requirement):
            found[requirements.normal(name[0])] = requirement
    for name, spec in data.get("tool", {}).get("poetry", {}).get("dependencies", {}).items():
        if name != "python":
            found[requirements.normal(name)] = str(spec)
    return found


def _pipfile(text: str) -> dict[str, str]:
    data = tomllib.loads(text)
    return {requirements.normal(name): str(spec) for name, spec in data.get("packages", {}).items()}


def _setup(text: str) -> dict[str, str]:
    """Names in what ``install_requires`` lists; something where it is computed."""
    plain = re.sub(r"^[ \t]*#.*$", "", text, flags=re.MULTILINE)
    found = re.search(r"install_requires\s*=\s*(\[[^\]]*\]|\n(?:[ \t]+\S.*\n?)+|\S+)", plain)
    if not found or found[1] == "[]":
        return {}
    names = re.findall(r"(?:[\"']|^[ \t]*)([A-Za-z][\w.-]*)", found[1], re.MULTILINE)
    return {requirements.normal(name): "" for name in names} or ({"": ""} if found[1].strip("[]() ,") else {})


def _gradle(text: str) -> dict[str, str]:
    plain = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)
    called = r"^[ \t]*(?:\w*(?:[iI]mplementation|[cC]ompile|[rR]untime|[aA]pi)(?:Only)?)\s*\(?\s*(?:platform\()?[\"']"
    return dict.fromkeys(re.findall(called + r"([\w.-]+:[\w.-]+)", plain, re.MULTILINE), "") | (
        {"": ""} if re.search(r"^[ \t]*\w*[iI]mplementation[ (]+libs\.", plain, re.MULTILINE) else {}
    )


def _table(*keys: str) -> Callable[[str], dict[str, str]]:
    def read(text: str) -> dict[str, str]:
        data = tomllib.loads(text)
        tables = [data.get(key) or {} for key in keys] + [(data.get("workspace") or {}).get(key) or {} for key in keys]
        return {name: str(spec) for table in tables for name, spec in table.items() if not _local(spec)}

    return read


def _local(spec: Any) -> bool:
    return isinstance(spec, dict) and ("path" in spec or "workspace" in spec)


def _composer(text: str) -> dict[str, str]:
    data = json.loads(text or "{}")
    return {name: str(spec) for name, spec in (data.get("require") or {}).items() if "/" in name}


def _gems(text: str) -> dict[str, str]:
    return dict.fromkeys(re.findall(r"^[ \t]*gem\s*\(?\s*[\"']([\w.-]+)", text, re.MULTILINE), "")


def _nuget(text: str) -> dict[str, str]:
    return dict.fromkeys(re.findall(r"<PackageReference\s+Include=\"([^\"]+)\"", text), "")


PYTHON_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "Pipfile.lock")
NODE = Kind(
    ("package.json",),
    ("package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb"), _node,
)  # fmt: skip
GO = Kind(("go.mod",), ("go.sum",), _go, above=False)
PYPROJECT = Kind(("pyproject.toml",), (*PYTHON_LOCKS, "requirements.txt"), _python)
PIPFILE = Kind(("Pipfile",), ("Pipfile.lock",), _pipfile)
SETUP = Kind(("setup.py", "setup.cfg"), (*PYTHON_LOCKS, "requirements.txt"), _setup)
GRADLE = Kind(("build.gradle", "build.gradle.kts"), ("gradle.lockfile",), _gradle)
CARGO = Kind(("Cargo.toml",), ("Cargo.lock",), _table("dependencies"))
COMPOSER = Kind(("composer.json",), ("composer.lock",), _composer)
GEMS = Kind(("Gemfile",), ("Gemfile.lock",), _gems)
NUGET = Kind(("*.csproj", "*.fsproj"), ("packages.lock.json",), _nuget, above=False)
KINDS = (NODE, GO, PYPROJECT, PIPFILE, SETUP, GRADLE, CARGO, COMPOSER, GEMS, NUGET)
