"""What a service's lock file says is there at run time, and what an SBOM lists, in the same form."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from extensions import pins
from tests.labs import toolchains
from tests.labs.service import variable

Packages = set[tuple[str, str]]

# github.com/package-url/purl-spec
_URL = re.compile(r"pkg:(?P<type>\w+)/(?P<name>[^?#]+?)@(?P<version>[^?#]+)(?:\?[^#]*)?(?:#(?P<path>.*))?")


def listed(document: dict[str, Any]) -> Packages:
    """Return the packages of an SPDX document by their package URLs.

    Args:
        document: SPDX 2.3 in JSON.

    Returns:
        Pairs of name and version. A Maven name is the artifact alone: a jar that does not name its group gets one from
        syft's guess.
    """
    found = set()
    for package in document["packages"]:
        for reference in package.get("externalRefs", ()):
            if reference["referenceType"] == "purl" and (url := _URL.fullmatch(reference["referenceLocator"])):
                name = unquote(url["name"]) + (f"/{url['path']}" if url["path"] else "")
                if url["type"] == "maven":
                    name = name.rpartition("/")[2]
                found.add((name, unquote(url["version"])))
    return found


def locked(folder: Path, language: str) -> Packages:
    """Return what the service's locks name for run time on Linux, as ``listed`` does.

    Args:
        folder: the service, set up.
        language: its language.

    Raises:
        subprocess.CalledProcessError: the language's own tool cannot read them.
    """
    return {"go": _go, "java": _java, "node": _node, "python": _python, "model": _python}[language](folder)


def _run(folder: Path, language: str, *command: str) -> str:
    env = {**toolchains.environment(language), "CGO_ENABLED": "0"}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True).stdout


def _go(folder: Path) -> Packages:
    form = "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}"
    lines = _run(folder, "go", "go", "list", "-deps", "-f", form, "./cmd/service").split("\n")
    return {(name, version) for name, version in (line.split() for line in lines if line)}


def _java(folder: Path) -> Packages:
    maven = variable(folder, "java", "MVN")
    report = folder / "target" / "runtime.txt"
    goal = f"dependency:list -DincludeScope=runtime -DoutputFile={report}"
    _run(folder, "java", "bash", "-c", f"{maven} --offline {goal}")
    # group:artifact:jar:version:scope
    found = re.findall(r"^\s+([\w.-]+):([\w.-]+):jar:([\w.-]+):(?:compile|runtime)", report.read_text(), re.MULTILINE)
    # The starters only bring others along; Spring Boot leaves the empty jars out.
    return {(artifact, version) for _, artifact, version in found if not artifact.startswith("spring-boot-starter")}


def _node(folder: Path) -> Packages:
    lock = yaml.safe_load((folder / "pnpm-lock.yaml").read_text())
    todo = [f"{name}@{entry['version']}" for name, entry in lock["importers"]["."]["dependencies"].items()]
    seen: set[str] = set()
    while todo:
        key = todo.pop()
        if key not in seen:
            seen.add(key)
            snapshot = lock["snapshots"][key]
            todo += [f"{name}@{version}" for name, version in snapshot.get("dependencies", {}).items()]
    names = (re.sub(r"\(.*", "", key).rpartition("@") for key in seen)
    return {(name, version) for name, _, version in names}


def _python(folder: Path) -> Packages:
    lines = (folder / "requirements.txt").read_text().replace("\\\n", " ").splitlines()
    wanted = (Requirement(re.sub(r"\s--hash.*", "", line)) for line in lines if line and not line.startswith("#"))
    version = pins.load()["runtimes"]["python"]
    target = {
        "python_version": version,
        "python_full_version": f"{version}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "platform_machine": os.uname().machine,
        "platform_system": "Linux",
        "sys_platform": "linux",
        "os_name": "posix",
    }
    return {
        (canonicalize_name(item.name), next(iter(item.specifier)).version)
        for item in wanted
        if item.marker is None or item.marker.evaluate(target)
    }


def read(path: Path) -> dict[str, Any]:
    """Read an SPDX document."""
    document: dict[str, Any] = json.loads(path.read_text())
    return document
