"""What the lab takes out of Go modules as they are published: CRDs, KWOK's stages, the API's own schemas.

Modules, because every machine that builds the lab reaches them, and their checksums are public.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.labs import go_tools, toolchains
from tests.labs.cluster.places import lab_folder
from tests.labs.errors import LabError, run
from tests.labs.places import digest, once

_GATEWAY = ("backendtlspolicies", "gatewayclasses", "gateways", "grpcroutes", "httproutes", "referencegrants")
_MONITORING = ("podmonitors", "probes", "prometheusrules", "servicemonitors")


@dataclass(frozen=True)
class Module:
    """Files of one version of a Go module.

    Attributes:
        path: of the module.
        version: of it; the one that the tools are built from where it is one of theirs.
        files: patterns of the files.
        sum: what its content hashes to, as in a ``go.sum``; in that of the tools where it is one of theirs.
    """

    path: str
    files: tuple[str, ...]
    version: str = ""
    sum: str = ""

    @property
    def pinned(self) -> tuple[str, str]:
        """Version and sum."""
        if self.version:
            return self.version, self.sum
        return go_tools.versions()[self.path], go_tools.checksum(self.path)

    def sources(self) -> Iterator[Path]:
        """Yield the files, downloaded.

        Raises:
            LabError: it cannot be had, or is not what it was.
            MissingToolchainError: Go is missing.
        """
        version, expected = self.pinned
        env = toolchains.environment("go") | {"GOWORK": "off", "GOFLAGS": ""}
        lab_folder().mkdir(parents=True, exist_ok=True)
        failure = f"cannot get {self.path} {version}, check that Go can download modules"
        download, name = ("go", "mod", "download"), f"{self.path}@{version}"
        # With -json the reason of a failure is not on standard error.
        run(*download, name, failure=failure, env=env, cwd=lab_folder())
        module = json.loads(run(*download, "-json", name, failure=failure, env=env, cwd=lab_folder()))
        if module["Sum"] != expected:
            raise LabError(f"{self.path} {version} has the checksum {module['Sum']} instead of {expected}")
        for pattern in self.files:
            found = sorted(Path(module["Dir"]).glob(pattern))
            if not found:
                raise LabError(f"{self.path} {version} has no {pattern}")
            yield from found


CRDS = (
    Module("github.com/argoproj/argo-rollouts", ("manifests/crds/*-crd.yaml",)),
    Module(
        "github.com/argoproj/argo-cd/v3",
        ("manifests/crds/*-crd.yaml",),
    ),
    Module(
        "github.com/external-secrets/external-secrets",
        ("config/crds/bases/external-secrets.io_*.yaml",),
        "v1.3.2",
        "h1:u2J8RjlHIeF0oZCqtl92adI/uZWUwOesJIDkfql6LqQ=",
    ),
    Module(
        "github.com/kyverno/kyverno",
        tuple(
            f"config/crds/policies.kyverno.io/*{kind}.yaml"
            for kind in ("validatingpolicies", "deletingpolicies", "policyexceptions")
        ),
    ),
    Module(
        "github.com/prometheus-operator/prometheus-operator",
        tuple(f"example/prometheus-operator-crd/*_{kind}.yaml" for kind in _MONITORING),
        "v0.85.0",
        "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
    ),
    Module(
        "sigs.k8s.io/gateway-api",
        tuple(f"config/crd/standard/*_{kind}.yaml" for kind in _GATEWAY),
        "v1.6.3",
        "h1:lKpJa5bGlraC/QeACvCpsHLdmO6y0iKfzVl6gzaFEYc=",
    ),
)
STAGES = (
    Module(
        "sigs.k8s.io/kwok",
        ("kustomize/stage/node/fast/node-*.yaml", "kustomize/stage/node/heartbeat-with-lease/node-*.yaml",
         "kustomize/stage/pod/fast/pod-*.yaml"),
    ),
)  # fmt: skip
OPENAPI = (
    Module(
        "k8s.io/kubernetes",
        ("api/openapi-spec/v3/api__v1_openapi.json", "api/openapi-spec/v3/apis__*__v*_openapi.json"),
    ),
)


def collect(name: str, modules: Sequence[Module]) -> Path:
    """Return a folder with the files of modules, made unless it is there.

    Args:
        name: what the folder is called.
        modules: what it holds.

    Raises:
        LabError: a module cannot be had.
        MissingToolchainError: Go is missing.
    """
    key = digest(*([module.path, module.files, *module.pinned] for module in modules))

    def make(target: Path) -> None:
        target.mkdir()
        for module in modules:
            for source in module.sources():
                shutil.copyfile(source, target / source.name)

    return once(lab_folder() / f"{name}-{key}", make)


def crds() -> Path:
    """Return the folder of the CRDs."""
    return collect("crds", CRDS)


def parsed_crds() -> Iterator[dict[str, Any]]:
    """Yield the CRDs."""
    for file in sorted(crds().glob("*.yaml")):
        for document in yaml.load_all(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader):
            if document and document["kind"] == "CustomResourceDefinition":
                yield document


def stages() -> Path:
    """Return the folder of what KWOK does to nodes and pods."""
    return collect("stages", STAGES)
