"""The bare services, one a language: a hello-world of the framework that the generated service uses, and nothing else.

Each uses the versions, the interpreter or compiler, and the settings of process and workers of the generated service
that it is compared with, so that what is left of a difference is the golden path.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.labs import toolchains
from tests.labs.service import variable

BUILD_SECONDS = 900  # a cold start downloads the plugins of Maven that only this build needs


def build(language: str, service: Path, folder: Path) -> list[str]:
    """Build the bare service of a language.

    Args:
        language: ``go``, ``java``, ``node`` or ``python``.
        service: the generated service, built.
        folder: where the bare one goes; missing.

    Returns:
        The command that starts it in that folder. It listens on HOST and PORT, and answers ``GET /readyz`` and
        ``GET /items/{id}``.

    Raises:
        RuntimeError: it does not build; with the compiler's output.
    """
    shutil.copytree(Path(__file__).parent / language, folder)
    return _BUILDERS[language](service.resolve(), folder)


def _go(_: Path, folder: Path) -> list[str]:
    _run("go", folder, "env", "CGO_ENABLED=0", "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w",
         "-o", "bin/bare", ".")  # fmt: skip
    return ["bin/bare"]


def _java(service: Path, folder: Path) -> list[str]:
    pom = (service / "pom.xml").read_text()
    boot = _first(r"<artifactId>spring-boot-starter-parent</artifactId>\s*<version>([^<]+)</version>", pom)
    java = _first(r"<java.version>([^<]+)</java.version>", pom)
    maven = service / ".tools" / "maven" / "bin" / "mvn"
    _run("java", folder, maven, "--batch-mode", "--no-transfer-progress", "--quiet", f"-Dboot.version={boot}",
         f"-Djava.version={java}", "package")  # fmt: skip
    return [*shlex.split(variable(service, "java", "RUN", "QUICK="))[:-1], "target/bare.jar"]


def _node(service: Path, folder: Path) -> list[str]:
    (folder / "node_modules").symlink_to(service / "node_modules")
    return [*shlex.split(variable(service, "node", "RUN"))[:-1], "server.js"]


def _python(service: Path, _: Path) -> list[str]:
    return [str(service / ".venv" / "bin" / "python"), "main.py"]


_BUILDERS: dict[str, Callable[[Path, Path], list[str]]] = {"go": _go, "java": _java, "node": _node, "python": _python}


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError(f"the service's pom.xml has nothing like {pattern}")
    return found[1]


def _run(language: str, folder: Path, *command: str | Path) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env=toolchains.environment(language),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=BUILD_SECONDS,
    )
    if done.returncode != 0:
        raise RuntimeError(f"the bare {language} service does not build:\n{done.stdout}")
