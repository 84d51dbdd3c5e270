"""The lab's programs: those of Kubernetes and Argo Rollouts built with Go, Prometheus from Debian."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from pathlib import Path

from tests.labs import costs, go_tools, toolchains
from tests.labs.cluster.places import lab_folder
from tests.labs.debian import SUITE, Archive
from tests.labs.errors import LabError
from tests.labs.places import digest, once

PROGRAMS = (
    "./kubernetes",
    "github.com/argoproj/argo-rollouts/cmd/kubectl-argo-rollouts",
    "github.com/argoproj/argo-rollouts/cmd/rollouts-controller",
    "sigs.k8s.io/kwok/cmd/kwok",
)
# What kubernetes is, depending on what it is called as.
KUBERNETES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kustomize")
DEBIAN = ("prometheus", "promtool")


def folder() -> Path:
    """Return the folder of the programs built with Go, whether they are there or not."""
    return lab_folder() / f"tools-{digest(*go_tools.sources(PROGRAMS), PROGRAMS, KUBERNETES)}"


def prometheus_folder() -> Path:
    """Return the folder of Prometheus' programs, whether they are there or not."""
    return lab_folder() / f"prometheus-{digest(DEBIAN, SUITE)}"


def path() -> str:
    """Return PATH with the lab's programs in front."""
    return os.pathsep.join([str(folder()), str(prometheus_folder()), os.environ.get("PATH", os.defpath)])


def program(name: str) -> Path:
    """Return where a program is.

    Raises:
        LabError: it is not built.
    """
    where = prometheus_folder() if name in DEBIAN else folder()
    if (where / name).exists():
        return where / name
    if where.exists():
        raise LabError(f"{where} has no {name}: delete the folder and run python -m tests.labs.cluster up")
    raise LabError(f"the cluster lab has no {name} yet: run python -m tests.labs.cluster up")


def build() -> None:
    """Build or get what is not there yet.

    Raises:
        LabError: a download is missing.
        MissingToolchainError: Go is missing.
    """
    if not folder().exists():
        toolchains.locate("go")
    # What takes seconds first: what is missing shows at once.
    prometheus()
    once(folder(), _build)


def prometheus() -> Path:
    """Return the folder of Prometheus' programs, got unless they are there.

    Raises:
        LabError: Debian's packages cannot be had.
    """
    return once(prometheus_folder(), _prometheus)


def _link_flags() -> str:
    """Return linker flags for the versions that the programs report; built from a module they know none."""
    versions = go_tools.versions()
    kubernetes = versions["k8s.io/kubernetes"]
    major, minor = kubernetes.removeprefix("v").split(".")[:2]
    known = {
        "k8s.io/component-base/version.gitVersion": kubernetes,
        "k8s.io/component-base/version.gitMajor": major,
        "k8s.io/component-base/version.gitMinor": minor,
        "github.com/argoproj/argo-rollouts/utils/version.version": versions[
            "github.com/argoproj/argo-rollouts"
        ].removeprefix("v"),
    }
    return " ".join(f"-X {name}={value}" for name, value in known.items())


def _build(target: Path) -> None:
    go_tools.build(target, PROGRAMS, _link_flags(), "the cluster lab's tools")
    for name in KUBERNETES:
        (target / name).symlink_to("kubernetes")


def _prometheus(target: Path) -> None:
    target.mkdir()
    with costs.measured(target):
        _unpack(target)
    if missing := [name for name in DEBIAN if not (target / name).exists()]:
        raise LabError(f"Debian {SUITE} has no {missing[0]} in the package {missing[0]}")


def _unpack(target: Path) -> None:
    for deb in Archive(lab_folder() / "apt").download(DEBIAN):
        files = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], capture_output=True, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(files)) as archive:
            for name in DEBIAN:
                # Only the program: the pages of its user interface need other packages.
                if f"./usr/bin/{name}" in archive.getnames() and (content := archive.extractfile(f"./usr/bin/{name}")):
                    (target / name).write_bytes(content.read())
                    (target / name).chmod(0o755)
        deb.unlink()
