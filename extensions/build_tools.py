"""The build tools that a service can have of its own: what the verbs call, and what a runner of CI needs for it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jinja2 import Environment
from jinja2.ext import Extension

OURS = "golden-path"
_NODE = 'env PATH="$PWD/node_modules/.bin:$PATH"'
_VENV = 'env VIRTUAL_ENV="$PWD/.tools/venv" PATH="$PWD/.tools/venv/bin:$PATH"'
_MAVEN = "mvn --batch-mode --no-transfer-progress"


@dataclass(frozen=True)
class BuildTool:
    """A build tool; commands are of a shell, and empty if nothing is to be done.

    Attributes:
        languages: whose services it builds.
        ecosystem: as Dependabot calls it.
        setup: installs what is locked.
        lint: checks the sources.
        test: runs the unit tests.
        build: builds what runs.
        within: what the other commands are given to, to find what ``setup`` installed.
        manifests: if one of them changes, ``setup`` runs again.
        install: how a person gets it.
        runner: how a runner of CI gets it, if it has none.
    """

    languages: tuple[str, ...]
    ecosystem: str = ""
    setup: str = ""
    lint: str = ""
    test: str = ""
    build: str = ""
    within: str = ""
    manifests: tuple[str, ...] = ()
    install: str = ""
    runner: str = ""


_COREPACK = "corepack enable, or npm install --global {}"
_PIPX = "pipx install {}"
_PYTHON = ("pyproject.toml", "setup.py", "setup.cfg", "requirements*.txt", "requirements/*.txt", "tox.ini")
BUILD_TOOLS = {
    OURS: BuildTool(("go", "java", "node", "python")),
    "go": BuildTool(
        ("go",), "gomod", "go mod download", "", "go test ./...", "go build -o /dev/null ./...",
        manifests=("go.mod", "go.sum", "go.work"), install="go.dev/dl",
    ),
    "maven": BuildTool(
        ("java",), "maven", test=f"{_MAVEN} test", build=f"{_MAVEN} -DskipTests package",
        manifests=("pom.xml",), install="maven.apache.org, or commit Maven's wrapper, mvnw",
    ),
    "gradle": BuildTool(
        ("java",), "gradle", test="gradle --no-daemon test", build="gradle --no-daemon assemble",
        manifests=("build.gradle*",), install="gradle.org, or commit Gradle's wrapper, gradlew",
    ),
    "npm": BuildTool(
        ("node",), "npm", "npm ci", within=_NODE,
        manifests=("package.json", "package-lock.json", "npm-shrinkwrap.json"), install="it comes with Node.js",
    ),
    "pnpm": BuildTool(
        ("node",), "npm", "pnpm install --frozen-lockfile", within=_NODE,
        manifests=("package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml"), install=_COREPACK.format("pnpm"),
        runner="corepack enable",
    ),
    "yarn": BuildTool(
        ("node",), "npm", "yarn install --frozen-lockfile", within=_NODE,
        manifests=("package.json", "yarn.lock", ".yarnrc.yml"), install=_COREPACK.format("yarn"),
        runner="corepack enable",
    ),
    "pip": BuildTool(
        ("python",), "pip", "python3 -m venv .tools/venv && .tools/venv/bin/pip install -r requirements.txt",
        within=_VENV,
        manifests=_PYTHON, install="it comes with Python",
    ),
    "uv": BuildTool(
        ("python",), "uv", "uv sync --locked", within="uv run --no-sync",
        manifests=("pyproject.toml", "uv.lock"), install="make setup installs it into .tools",
    ),
    "poetry": BuildTool(
        ("python",), "pip", "poetry install --no-interaction", within="poetry run",
        manifests=("pyproject.toml", "poetry.lock"), install=_PIPX.format("poetry"),
        runner=_PIPX.format("poetry=={version}"),
    ),
    "pdm": BuildTool(
        ("python",), "pip", "pdm install --frozen-lockfile", within="pdm run",
        manifests=("pyproject.toml", "pdm.lock"), install=_PIPX.format("pdm"),
        runner=f"{_PIPX.format('pdm=={version}')} && pipx inject pdm 'hishel<2'",  # the newest of that breaks it
    ),
    "pipenv": BuildTool(
        ("python",), "pip", "pipenv sync --dev", within="pipenv run",
        manifests=("Pipfile", "Pipfile.lock"), install=_PIPX.format("pipenv"),
        runner=_PIPX.format("pipenv=={version}"),
    ),
}  # fmt: skip


def build_tool(name: str) -> BuildTool:
    """Return a build tool by its name; one that does nothing for a name that is none, which the check refuses."""
    return BUILD_TOOLS.get(name, BUILD_TOOLS[OURS])


def make_value(text: str) -> str:
    r"""Write text as the value of a variable in a Makefile: make expands ``$``, and begins a comment at ``#``.

    Args:
        text: one line that does not end in a backslash.

    Returns:
        It with ``$$`` and ``\#``; a backslash before a ``#`` counts, so it is written twice (GNU make, 3.1).
    """
    return re.sub(r"(\\*)#", r"\1\1\\#", text).replace("$", "$$")


build_tool.golden_path_reads = make_value.golden_path_reads = ()  # type: ignore[attr-defined] # asked once


class BuildToolsExtension(Extension):
    """Offer the templates the build tools, and the filter ``make_value``."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.globals["build_tool_of"] = build_tool
        environment.filters["make_value"] = make_value
