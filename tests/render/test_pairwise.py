"""Every pair of answers renders, and every file of the output is parsed and linted by its own tool."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import pytest
import yaml
from allpairspy import AllPairs

from extensions.build_tools import BUILD_TOOLS
from tests.cluster import policies
from tests.labs import template as lab
from tests.labs import warm
from tests.labs.cluster import offline
from tests.labs.service import make
from tests.labs.toolchains import LANGUAGES, answers_of
from tests.render.alike import whole

BIN = Path(sys.executable).parent
NASTY = 'Orders\' "best" <b>&amp; C:\\new\\t [% 50 %] {{ x }} ${HOME} $(id) `id` 🔩 */ -- ]]> --> 100 %'
ANSWERS: dict[str, list[object]] = {
    "language": list(LANGUAGES),
    "upstream": ["", "inventory", "u"],
    "provides": [True, False],
    "service_name": ["orders", "a", "x9-y", "a" * 40],
    "organisation": ["acme", "9-Lives", "New"],
    "description": ["The orders API", NASTY],
    "licence": ["proprietary", "Apache-2.0", "MIT", "AGPL-3.0-only"],
    "tier": ["critical", "standard", "internal"],
    "port": [8080, 65535],
    "registry": ["ghcr.io/acme", "localhost:5000"],
    "slo_availability": [99.9, 90],
    "go_workspace": [False, True],
    "java_group": ["com.acme", "io.acme_labs.x"],
    "base_image": ["distroless", "wolfi"],
    "build_workflow": ["local", "organisation"],
    "secrets": ["none", "vault", "aws", "gcp"],
    "delivery": ["canary", "blue-green"],
    "traffic": ["replicas", "gateway"],
    "model_delivery": ["init", "volume", "image"],
    "model_registry": ["oci", "mlflow", "databricks"],
}
CASES = [dict(zip(ANSWERS, values, strict=True)) for values in AllPairs(list(ANSWERS.values()))]
# A model's answers in pairs, too: it has no upstream.
CASES += [
    {**dict(zip(ANSWERS, values, strict=True)), **answers_of("model")}
    for values in AllPairs([["python"], [""], *list(ANSWERS.values())[2:]], n=1)
]
for _case in CASES:
    if _case["build_workflow"] == "organisation":
        _case["release_workflow"] = f"acme/workflows/.github/workflows/release.yml@{'1' * 40}"
    if _case["language"] != "go":
        del _case["base_image"]  # there is no choice
    if _case["delivery"] != "canary":
        del _case["traffic"]
    del _case["upstream" if _case.get("kind") == "model" else "model_delivery"]
    if _case.get("model_delivery", "image") == "image":
        del _case["model_registry"]
# Services with a build tool of their own, each a plain one otherwise.
OWN: dict[str, dict[str, object]] = {
    name: {"language": tool.languages[0], "build_tool": name, "lint_command": 'a "$B" # c', **more}
    for (name, tool), more in zip(
        list(BUILD_TOOLS.items())[1:],
        cycle(({"dockerfile": "docker/Dockerfile"}, {"own_makefile": "Makefile"})),
        strict=False,
    )
}

# Hosts of package registries, in halves so that this file does not name one: a lock file that holds one works in one
# network only.
REGISTRY_HOSTS = re.compile(
    "|".join(("pypi\\.o" "rg", "pythonhos" "ted", "registry\\.npm" "js", "repo1?\\.maven" "\\.", "proxy\\.gol" "ang"))
)  # fmt: skip


@pytest.fixture(scope="module")
def services(template: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One service a case."""
    folder = tmp_path_factory.mktemp("pairwise")
    return [lab.render(template, folder / f"{i:02}", answers) for i, answers in enumerate(CASES)]


@pytest.fixture(scope="module")
def owned(template: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One service a build tool of its own."""
    folder = tmp_path_factory.mktemp("owned")
    return {name: lab.render(template, folder / name, answers) for name, answers in OWN.items()}


@pytest.fixture(scope="module")
def files(services: list[Path], owned: dict[str, Path]) -> list[Path]:
    """Every file of every service."""
    return [path for service in (*services, *owned.values()) for path in service.rglob("*") if path.is_file()]


def named(files: list[Path], *patterns: str) -> list[Path]:
    found = [path for path in files if any(path.match(pattern) for pattern in patterns)]
    assert found, f"no file matches {patterns}"
    return found


def unlike(files: list[Path]) -> list[Path]:
    """One file of each name and content: of another one its tool would say the same."""
    return list({(path.name, path.read_bytes()): path for path in files}.values())


def run(*command: str | Path) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def test_every_pair_is_there() -> None:
    for name in ("upstream", "provides", "service_name", "organisation", "description"):
        pairs = {(case["language"], case[name]) for case in CASES if "kind" not in case}
        assert len(pairs) == len(LANGUAGES) * len(ANSWERS[name])


def test_text_files_are_tidy(files: list[Path]) -> None:
    for path in files:
        text = path.read_bytes().decode("utf-8")
        assert text.endswith("\n") or not text, path
        assert "\r" not in text, path
        assert not text.endswith("\n\n"), path
        if path.name != "LICENSE":
            assert not re.search(r"[ \t]+$", text, re.MULTILINE), path


def test_nothing_is_left_unrendered(services: list[Path], files: list[Path]) -> None:
    for path in files:
        text = path.read_text(encoding="utf-8").replace("[% 50 %]", "")  # of the description
        assert not re.search(r"\[%|%\]|\[# | #\]", text), path
        assert "TODO" not in text, path
    assert not [path for service in services for path in service.rglob("*") if "[" in path.name]


def test_no_registry_host(files: list[Path]) -> None:
    for path in files:
        assert not REGISTRY_HOSTS.search(path.read_text(encoding="utf-8")), path


def test_yaml(files: list[Path]) -> None:
    found = unlike(named(files, "*.yml", "*.yaml"))
    for path in found:
        assert list(yaml.load_all(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)), path
    rules = "{extends: default, rules: {document-start: disable, line-length: {max: 200}, comments: {min-spaces-from-content: 1}, braces: {max-spaces-inside: 1}, indentation: disable, truthy: {check-keys: false}}}"  # noqa: E501
    # Not the answers file, which is Copier's, nor pnpm's lock.
    ours = [path for path in found if path.name not in {".copier-answers.yml", "pnpm-lock.yaml"}]
    run(BIN / "yamllint", "--strict", "-d", rules, *ours)


def test_answers_file_remembers_the_answers(services: list[Path]) -> None:
    for service, answers in zip(services, CASES, strict=True):
        remembered = yaml.safe_load((service / ".copier-answers.yml").read_text(encoding="utf-8"))
        asked = {name: value for name, value in answers.items() if name in remembered}
        assert {name: remembered[name] for name in asked} == asked
        hidden = {"java": {"go_workspace"}, "go": {"java_group"}}
        assert set(answers) - set(remembered) == hidden.get(str(answers["language"]), {"go_workspace", "java_group"})


def test_schemas(files: list[Path]) -> None:
    found = unlike(named(files, ".github/dependabot.yml"))
    run(BIN / "check-jsonschema", "--builtin-schema", "vendor.dependabot", *found)


def test_pre_commit_configuration(services: list[Path], files: list[Path], tmp_path: Path) -> None:
    """Its own tool reads it, the one that `make setup` installs."""
    tools = tmp_path / "tools"
    run(BIN / "uv", "venv", "--quiet", tools)
    run(
        BIN / "uv",
        "pip",
        "sync",
        "--quiet",
        "--require-hashes",
        "--python",
        tools,
        services[0] / ".golden-path/locks/tools.txt",
    )
    run(tools / "bin" / "pre-commit", "validate-config", *named(files, ".pre-commit-config.yaml"))
    for hook in yaml.safe_load((services[0] / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]:
        if (name := hook["entry"].split("/")[-1]) != "make lint":
            assert (tools / "bin" / name).exists(), name


def test_toml(files: list[Path]) -> None:
    for path in named(files, "*.toml"):
        tomllib.loads(path.read_text(encoding="utf-8"))


def test_json(files: list[Path]) -> None:
    for path in named(files, "*.json"):
        text = path.read_text(encoding="utf-8")
        if path.name.startswith(("tsconfig", "biome")):
            text = re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)
        json.loads(text)


def test_xml(files: list[Path]) -> None:
    for path in named(files, "pom.xml", "*.xml"):
        ET.fromstring(path.read_text(encoding="utf-8"))


def _description(service: Path, language: str) -> str:
    """The description in the service's manifest, read by a parser of its format; Go's has none."""
    readers: dict[str, Callable[[], object]] = {
        "node": lambda: json.loads((service / "package.json").read_text())["description"],
        "python": lambda: tomllib.loads((service / "pyproject.toml").read_text())["project"]["description"],
        "java": lambda: ET.fromstring((service / "pom.xml").read_text()).findtext("{*}description"),
        "go": lambda: (service / "README.md").read_text().split("\n")[2],
    }
    return str(readers[language]())


def test_description_arrives_whole(services: list[Path]) -> None:
    for service, answers in zip(services, CASES, strict=True):
        assert _description(service, str(answers["language"])) == answers["description"]
        assert str(answers["description"]) in (service / "README.md").read_text()


def test_shell(files: list[Path]) -> None:
    scripts = [path for path in files if path.read_bytes().startswith(b"#!") and b"sh\n" in path.read_bytes()[:30]]
    assert scripts
    for path in scripts:
        assert os.access(path, os.X_OK), path
    run(BIN / "shellcheck", "--severity", "style", *unlike(scripts))


def test_dockerfile(files: list[Path]) -> None:
    """hadolint, with nothing left out but what a Dockerfile says itself; `make image-check` is in tests/images."""
    run(BIN / "hadolint", "--failure-threshold", "style", *unlike(named(files, "Dockerfile")))


def test_manifests(services: list[Path]) -> None:
    """Every environment is built by Kustomize, and has no field that the cluster does not know."""
    for service in services:
        for overlay in sorted((service / "deploy/overlays").iterdir()):
            assert offline.problems(policies.manifests(overlay)) == [], overlay


def test_makefile(services: list[Path]) -> None:
    for service, answers in zip(services, CASES, strict=True):
        done = make(service, str(answers["language"]), "help", "--warn-undefined-variables")
        assert done.returncode == 0, done.stdout
        assert "make check " in done.stdout
        assert "overriding recipe" not in done.stdout


def test_own_build_tools(owned: dict[str, Path]) -> None:
    """The verbs, and the command as it was answered; no application of ours, and no release without an image."""
    for name, service in owned.items():
        answers = OWN[name]
        if "own_makefile" in answers:
            (service / "Makefile").write_text("theirs:\n\t@echo it is theirs\n")
            assert make(service, str(answers["language"]), "theirs").stdout == "it is theirs\n"
            assert make(service, str(answers["language"]), "nothing").returncode != 0
        done = make(service, str(answers["language"]), "help", "--warn-undefined-variables")
        assert "make check " in done.stdout
        assert [line for line in done.stdout.splitlines() if "warning" in line and "BUILDX_BAKE_FILE" not in line] == []
        shown = make(service, str(answers["language"]), "--silent", "--eval", "show: ; @printenv LINT_COMMAND", "show")
        assert shown.stdout == f"{answers['lint_command']}\n"
        assert not [one for one in ("src", "cmd", "package.json", "go.mod", "Dockerfile") if (service / one).exists()]
        assert (service / ".github/workflows/release.yml").exists() == ("dockerfile" in answers)
        assert ("image" in (service / ".github/workflows/ci.yml").read_text().split("needs: [")[1].split("]")[0]) == (
            "dockerfile" in answers
        )


def test_same_answers_same_output(template: Path, services: list[Path], tmp_path: Path, language: str) -> None:
    """Of Copier's command line, as users run it, and of the engine's renderer, which wrote the services here.

    The golden trees say the same of other answers.
    """
    number = next(number for number, answers in enumerate(CASES) if answers["language"] == language)
    again = lab.write(template, tmp_path / f"{number:02}", CASES[number], warm.copier)
    assert whole(again) == whole(services[number])
