"""The layers that stand-in bases are made of, each cached by what it is made from."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from extensions import pins
from tests.labs import toolchains
from tests.labs.debian import architecture
from tests.labs.errors import LabError, run
from tests.labs.images import debian, tools
from tests.labs.images.layers import Layer
from tests.labs.images.places import HERE, lab_folder
from tests.labs.places import digest, once, remove

CA_BUNDLE = "etc/ssl/certs/ca-certificates.crt"
CA_STORE = "etc/ssl/certs/java/cacerts"
JRE = "usr/lib/jvm/temurin-{version}-jre-{architecture}"

# The packages of distroless' own lists for Debian 13.
STATIC = ("base-files", "netbase", "tzdata", "media-types")
CC = ("libc6", "libssl3t64", "libzstd1", "zlib1g", "libgomp1", "libstdc++6", "libgcc-s1", "gcc-14-base")
JAVA = (
    "libjpeg62-turbo", "liblcms2-2", "libfreetype6", "fonts-dejavu-core", "fontconfig-config", "libexpat1",
    "libfontconfig1", "libuuid1", "libbrotli1", "libcrypt1", "libpng16-16t64", "libbz2-1.0",
)  # fmt: skip
PYTHON = (
    "libbz2-1.0", "libdb5.3t64", "libexpat1", "liblzma5", "libsqlite3-0", "libuuid1", "libncursesw6", "libtinfo6",
    "libcom-err2", "libcrypt1", "libgssapi-krb5-2", "libk5crypto3", "libkeyutils1", "libkrb5-3", "libkrb5support0",
    "libnsl2", "libreadline8t64", "libtirpc3t64", "libffi8", "libpython3.13-minimal", "libpython3.13-stdlib",
    "python3.13-minimal", "python3.13-venv",
)  # fmt: skip

# What a JDK has and a JRE has not.
JDK_MODULES = frozenset(
    "jdk.compiler jdk.javadoc jdk.jdeps jdk.jlink jdk.jpackage jdk.jshell jdk.jartool jdk.editpad jdk.jconsole "
    "jdk.jdi jdk.hotspot.agent jdk.jstatd jdk.internal.ed jdk.internal.le jdk.internal.md jdk.internal.opt "
    "jdk.unsupported.desktop jdk.graal.compiler jdk.graal.compiler.management jdk.internal.vm.ci".split()
)


NODE_PROGRAMS = {"npm": "npm/bin/npm-cli.js", "npx": "npm/bin/npx-cli.js", "corepack": "corepack/dist/corepack.js"}


@dataclass(frozen=True)
class Recipe:
    """How to make one layer.

    Attributes:
        name: what it is called.
        make: writes the tar file.
        sources: what it is made from: values, and files whose content counts.
    """

    name: str
    make: Callable[[Path], None]
    sources: tuple[object, ...] = ()

    @property
    def path(self) -> Path:
        """Where the tar file is, or goes."""
        code = (HERE / "recipes.py", HERE / "layers.py", HERE / "debian.py", HERE.parent / "debian.py")
        return lab_folder() / "layers" / f"{self.name}-{digest(self.name, *self.sources, *code)}.tar"

    def build(self) -> Path:
        """Make the layer unless it is there.

        Returns:
            The tar file.

        Raises:
            LabError: something that it is made from cannot be had.
            MissingToolchainError: a toolchain is missing.
        """
        return once(self.path, self.make)


def _packages(name: str, packages: Sequence[str], adapt: Callable[[Layer], None] = lambda _: None) -> Recipe:
    def make(target: Path) -> None:
        layer = debian.Archive().layer(packages)
        adapt(layer)
        layer.write(target)

    return Recipe(name, make, tuple(packages))


def static() -> Recipe:
    """Return the layer of all run images: no shell, a user, time zones and Debian's certificates."""

    def adapt(layer: Layer) -> None:
        authorities = debian.Archive().layer(["ca-certificates"])
        names = [name for name in authorities if name.startswith("usr/share/ca-certificates/mozilla/")]
        layer.file(CA_BUNDLE, b"".join(authorities.content(name) for name in names))
        people = {"root": (0, "/root"), "nobody": (65534, "/nonexistent"), "nonroot": (65532, "/home/nonroot")}
        layer.file("etc/passwd", "".join(
            f"{name}:x:{number}:{number}:{name}:{home}:/sbin/nologin\n" for name, (number, home) in people.items()
        ).encode())  # fmt: skip
        layer.file("etc/group", b"root:x:0:\nnobody:x:65534:\ntty:x:5:\nstaff:x:50:\nnonroot:x:65532:\n")
        layer.file("etc/nsswitch.conf", b"hosts: files dns\n")
        layer.folder("root", 0o700)
        layer.folder("home/nonroot", 0o700, 65532)
        layer.folder("tmp", 0o1777)

    return _packages("static", STATIC, adapt)


def cc() -> Recipe:
    """Return the layer of run images whose programs are linked with the C library."""
    return _packages("cc", CC)


def python() -> Recipe:
    """Return the layer of Debian's Python without a package manager."""

    def adapt(layer: Layer) -> None:
        for name in ("python", "python3"):
            layer.link(f"usr/bin/{name}", "/usr/bin/python3.13")

    return _packages("python", PYTHON, adapt)


def java_libraries() -> Recipe:
    """Return the layer of what a JRE is linked with."""
    return _packages("java-libraries", JAVA)


def node() -> Recipe:
    """Return the layer of the node program where distroless has it."""
    prefix = _node_prefix()

    def make(target: Path) -> None:
        layer = Layer()
        layer.file("nodejs/bin/node", (prefix / "bin" / "node").read_bytes(), 0o755)
        layer.write(target)

    return Recipe("node", make, (_node_version(prefix),))


def jre() -> Recipe:
    """Return the layer of a JRE, linked out of this machine's JDK, where distroless has Temurin's."""
    home = toolchains.locate("java")["JAVA_HOME"]
    version = pins.load()["runtimes"]["java"]
    folder = JRE.format(version=version, architecture=architecture())

    def make(target: Path) -> None:
        listed = run(home / "bin" / "java", "--list-modules", failure="cannot list the modules of the JDK")
        modules = sorted({line.split("@")[0] for line in listed.split()} - JDK_MODULES)
        image = target.with_name(f"{target.name}.jre")
        layer = Layer()
        try:
            run(
                home / "bin" / "jlink", "--add-modules", ",".join(modules), "--no-header-files", "--no-man-pages",
                "--generate-cds-archive", "--output", image,
                failure="cannot link a JRE, check that the JDK is a complete one",
            )  # fmt: skip
            layer.tree(image, folder)
        finally:
            remove(image)
        # The same chain of links as in the real image, to this machine's certificates.
        layer.link(f"{folder}/lib/security/cacerts", "/etc/ssl/certs/adoptium/cacerts")
        layer.link("etc/ssl/certs/adoptium/cacerts", "/etc/ssl/certs/java/cacerts")
        layer.file(CA_STORE, ca_store().read_bytes())
        layer.link("usr/bin/java", f"/{folder}/bin/java")
        layer.write(target)

    return Recipe("jre", make, (home / "release", ca_store()))


def slim(name: str, packages: Sequence[str]) -> Recipe:
    """Return the layer of a small Debian with a shell, for builders.

    Args:
        name: what it is called.
        packages: what it has besides.
    """
    return Recipe(name, lambda target: debian.slim(target, packages), tuple(packages))


def ca_bundle() -> Path:
    """Return the certificates that this machine trusts.

    Raises:
        LabError: there are none.
    """
    for candidate in (os.environ.get("SSL_CERT_FILE", ""), f"/{CA_BUNDLE}", "/etc/pki/tls/certs/ca-bundle.crt"):
        if candidate and Path(candidate).is_file():
            return Path(candidate)
    raise LabError("this machine has no CA bundle: install the package ca-certificates")


def ca_store() -> Path:
    """Return the same for Java."""
    home: Path = toolchains.locate("java")["JAVA_HOME"]
    return (home / "lib" / "security" / "cacerts").resolve()


def authorities() -> Recipe:
    """Return the layer that makes a builder trust what this machine trusts."""

    def make(target: Path) -> None:
        layer = Layer()
        layer.file(CA_BUNDLE, ca_bundle().read_bytes())
        layer.write(target)

    return Recipe("authorities", make, (ca_bundle(),))


def go_toolchain() -> Recipe:
    """Return the layer of this machine's Go where the official image has it."""
    root = Path(run("go", "env", "GOROOT", failure="cannot ask Go where it is").strip())

    def make(target: Path) -> None:
        layer = Layer()
        layer.tree(root, "usr/local/go", skip=lambda name: name.split("/")[0] in ("api", "doc", "test"))
        for folder in ("go", "go/bin", "go/src"):
            layer.folder(folder, 0o1777)
        layer.write(target)

    return Recipe("go-toolchain", make, (root / "VERSION",))


def jdk() -> Recipe:
    """Return the layer of this machine's JDK and the pinned Maven where the official image has them."""
    home = toolchains.locate("java")["JAVA_HOME"]
    version = pins.load()["tools"]["maven"]
    service = toolchains.ROOT / "template" / "[[ java ]]"

    def make(target: Path) -> None:
        layer = Layer()
        layer.tree(home, "opt/java/openjdk", skip=lambda name: name.split("/")[0] == "man" or name == "lib/src.zip")
        layer.link("opt/java/openjdk/lib/security/cacerts", f"/{CA_STORE}")
        layer.file(CA_STORE, ca_store().read_bytes())
        maven = target.with_name(f"{target.name}.maven")
        try:
            run(
                "bash", ".golden-path/maven.sh", version, maven,
                failure=f"cannot get Maven {version}, check that mvn can download",
                env=toolchains.environment("java"), cwd=service,
            )  # fmt: skip
            layer.tree(maven, "usr/share/maven")
        finally:
            remove(maven)
        layer.link("usr/bin/mvn", "/usr/share/maven/bin/mvn")
        layer.folder("root/.m2", 0o755)
        layer.write(target)

    return Recipe("jdk", make, (home / "release", ca_store(), version))


def _node_prefix() -> Path:
    """Return the folder that holds ``bin/node`` and ``lib/node_modules`` of this machine's Node.js."""
    prefix = (toolchains.locate("node")["node"] / "node").resolve().parent.parent
    if not (prefix / "lib" / "node_modules" / "npm").is_dir():
        raise LabError(f"{prefix} has a Node.js without npm: take it from PATH, the lab gets one of its own")
    return prefix


def _node_version(prefix: Path) -> str:
    return run(prefix / "bin" / "node", "--version", failure=f"{prefix} has a Node.js that does not run").strip()


def node_toolchain() -> Recipe:
    """Return the layer of this machine's Node.js, npm and headers where the official image has them."""
    prefix = _node_prefix()

    def make(target: Path) -> None:
        layer = Layer()
        layer.file("usr/local/bin/node", (prefix / "bin" / "node").read_bytes(), 0o755)
        layer.link("usr/local/bin/nodejs", "node")
        modules = prefix / "lib" / "node_modules"
        for package in ("npm", "corepack"):
            if (modules / package).is_dir():
                layer.tree((modules / package).resolve(), f"usr/local/lib/node_modules/{package}")
        for name, script in NODE_PROGRAMS.items():
            file = f"usr/local/lib/node_modules/{script}"
            if file in layer:
                layer.file(file, layer.content(file), 0o755)
                layer.link(f"usr/local/bin/{name}", f"../lib/node_modules/{script}")
        layer.tree(prefix / "include" / "node", "usr/local/include/node")
        layer.write(target)

    return Recipe("node-toolchain", make, (_node_version(prefix),))


def python_names() -> Recipe:
    """Return the layer that puts Debian's Python where the official image has its own."""

    def make(target: Path) -> None:
        layer = Layer()
        for name in ("python", "python3", "python3.13"):
            layer.link(f"usr/local/bin/{name}", "/usr/bin/python3.13")
        for name in ("pip", "pip3"):
            layer.link(f"usr/local/bin/{name}", "/usr/bin/pip3")
        # Debian's mark that only apt may install; the official image has none.
        layer.file("usr/lib/python3.13/.wh.EXTERNALLY-MANAGED", b"")
        layer.write(target)

    return Recipe("python-names", make)


def program(name: str, files: dict[str, str]) -> Recipe:
    """Return a layer of the lab's own programs.

    Args:
        name: what it is called.
        files: programs of the tools folder, by where they go.
    """
    folder = tools.folder()

    def make(target: Path) -> None:
        layer = Layer()
        for path, source in files.items():
            layer.file(path, (folder / source).read_bytes(), 0o755)
        layer.folder("tmp", 0o1777)
        layer.write(target)

    return Recipe(name, make, (files, folder.name))
