"""The stand-ins of the pinned base images, which cannot be pulled here.

The run images are made as distroless makes them: the same lists of Debian 13 packages, the same paths, user, entry
point and package records. They differ in this: versions are those that Debian has now; the JRE is linked out of this
machine's JDK and has no package record; Python's image lacks the linker cache, so ``ctypes.util.find_library`` finds
nothing; and Chainguard's static image has distroless' content.

The builders are a small Debian 13 with this machine's toolchain where the official image has it, and trust what this
machine trusts. They lack what the official images have besides (a C compiler, git, curl). Maven's is Debian and not
Ubuntu. Python is Debian's own, so packages that pip installs outside a virtual environment go to ``dist-packages``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from extensions import pins
from tests.labs import toolchains
from tests.labs.images import recipes
from tests.labs.images.recipes import Recipe
from tests.labs.places import digest

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CA = f"/{recipes.CA_BUNDLE}"
# How this machine's own clients reach the package registries; no other setting of the user's goes into an image.
_CLIENTS = (
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "GOPROXY", "GOSUMDB", "GONOSUMDB",
    "NPM_CONFIG_REGISTRY", "PIP_INDEX_URL", "PIP_DEFAULT_TIMEOUT", "UV_DEFAULT_INDEX", "UV_INDEX_URL",
)  # fmt: skip


@dataclass(frozen=True)
class Reference:
    """An image's name, as Docker completes it.

    Attributes:
        registry: for example ``docker.io``.
        repository: for example ``library/golang``.
        tag: for example ``1.26-trixie``.
    """

    registry: str
    repository: str
    tag: str

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Take an image's name apart; a digest is dropped."""
        name, _, _ = text.partition("@")
        first, slash, rest = name.partition("/")
        if not slash or not ("." in first or ":" in first or first == "localhost"):
            first, rest = "docker.io", name
        path, _, tag = rest.partition(":")
        if first == "docker.io" and "/" not in path:
            path = f"library/{path}"
        return cls(first, path, tag or "latest")

    @property
    def name(self) -> str:
        """Registry and repository."""
        return f"{self.registry}/{self.repository}"

    def inside(self, registry: str) -> str:
        """Return where the stand-in is in the lab's registry."""
        return f"{registry}/{self.name}:{self.tag}"


@dataclass(frozen=True)
class Base:
    """A stand-in.

    Attributes:
        layers: from the bottom to the top.
        env: environment variables.
        user: who runs it.
        entrypoint: the program that it starts, with arguments separated by spaces.
        workdir: the working directory.
        labels: its labels.
    """

    layers: tuple[Recipe, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    user: str = "0"
    entrypoint: str = ""
    workdir: str = "/"
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What tells it from an older stand-in of the same name."""
        settings = [self.env, self.user, self.entrypoint, self.workdir, self.labels]
        return digest(settings, [layer.path.name for layer in self.layers])


def _frontend() -> Base:
    capabilities = ("inputs", "subrequests", "contexts", "gitquerystring", "contexts.zstd")
    return Base(
        (recipes.program("dockerfile-frontend", {"bin/dockerfile-frontend": "dockerfile-frontend"}),),
        entrypoint="/bin/dockerfile-frontend",
        labels={
            "moby.buildkit.frontend.network.none": "true",
            "moby.buildkit.frontend.caps": ",".join(f"moby.buildkit.frontend.{name}" for name in capabilities),
        },
    )


def _scanner() -> Base:
    layer = recipes.program("sbom-scanner", {"bin/scanner": "scanner", "bin/syft": "syft"})
    return Base((layer,), env={"PATH": "/bin", "HOME": "/tmp"}, entrypoint="/bin/scanner")


def _run(*layers: Recipe, entrypoint: str = "", env: Mapping[str, str] | None = None) -> Base:
    settings = {"PATH": _PATH, "SSL_CERT_FILE": _CA, **(env or {})}
    return Base((recipes.static(), *layers), settings, "65532", entrypoint, "/home/nonroot")


def _build(*layers: Recipe, path: str = "", env: Mapping[str, str] | None = None, packages: tuple[str, ...] = (),
           workdir: str = "/") -> Base:  # fmt: skip
    clients = {name: os.environ[name] for name in _CLIENTS if name in os.environ}
    trust = {"SSL_CERT_FILE": _CA, "PIP_CERT": _CA, "REQUESTS_CA_BUNDLE": _CA, "NODE_EXTRA_CA_CERTS": _CA}
    name = f"slim-{packages[0]}" if packages else "slim"
    bottom = (recipes.slim(name, ("ca-certificates", *packages)), recipes.authorities())
    return Base((*bottom, *layers), {"PATH": f"{path}{_PATH}", **clients, **trust, **(env or {})}, workdir=workdir)


def all_bases() -> dict[str, tuple[Reference, Base]]:
    """Return every stand-in by its name in ``pins.yaml``.

    Raises:
        MissingToolchainError: a toolchain that a builder takes is missing.
    """
    versions = pins.load()["runtimes"]
    bases = {
        "dockerfile": _frontend(),
        "sbom-scanner": _scanner(),
        "go-build": _build(
            recipes.go_toolchain(),
            path="/go/bin:/usr/local/go/bin:",
            env={"GOPATH": "/go", "GOTOOLCHAIN": "local", "GOLANG_VERSION": versions["go"]},
            workdir="/go",
        ),
        "go-run": _run(),
        "go-run-wolfi": _run(),
        "java-build": _build(
            recipes.jdk(),
            path="/opt/java/openjdk/bin:",
            env={
                "JAVA_HOME": "/opt/java/openjdk",
                "MAVEN_HOME": "/usr/share/maven",
                "MAVEN_CONFIG": "/root/.m2",
                "LANG": "C.UTF-8",
            },
        ),
        "java-run": _run(
            recipes.cc(),
            recipes.java_libraries(),
            recipes.jre(),
            entrypoint="/usr/bin/java -jar",
            env={"LANG": "C.UTF-8", "JAVA_VERSION": _java_version()},
        ),
        "node-build": _build(recipes.node_toolchain()),
        "node-run": _run(recipes.cc(), recipes.node(), entrypoint="/nodejs/bin/node"),
        "python-build": _build(
            recipes.python_names(),
            env={"LANG": "C.UTF-8"},
            packages=("python3", "python3-pip", "python3-venv"),
        ),
        "python-run": _run(recipes.cc(), recipes.python(), entrypoint="/usr/bin/python3.13", env={"LANG": "C.UTF-8"}),
    }
    images = pins.load()["images"]
    return {name: (Reference.parse(images[name]), base) for name, base in bases.items()}


def _java_version() -> str:
    release = (toolchains.locate("java")["JAVA_HOME"] / "release").read_text(encoding="utf-8")
    found = re.search(r'^JAVA_VERSION="(.*)"$', release, re.MULTILINE)
    return found[1] if found else ""
