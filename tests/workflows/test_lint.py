"""The linters find nothing in what the template writes, nor in this project's own workflows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from extensions.build_tools import BUILD_TOOLS
from tests.labs import template as lab
from tests.labs.toolchains import LANGUAGES, ROOT
from tests.labs.workflows import inputs
from tests.labs.workflows.lint import lint

# What changes the text of a workflow.
ANSWERS: dict[str, dict[str, object]] = {
    "defaults": {},
    "alone": {"provides": False},
    "called-build": {
        "build_workflow": "organisation",
        "release_workflow": f"acme/golden-path/.github/workflows/service-release.yml@{'1' * 40}",
    },
    "other-registry": {"registry": "registry.example.com:5000/team", "upstream": "inventory"},
}
OWN = {
    language: [name for name, tool in BUILD_TOOLS.items() if tool.languages == (language,)] for language in LANGUAGES
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_service(template: Path, tmp_path: Path, language: str, name: str) -> None:
    """actionlint, zizmor at its strictest, GitHub's schemas; and every input and output of every action."""
    folder = lab.render(template, tmp_path / "orders", {"language": language, **ANSWERS[name]})
    lab.commit_all(folder)
    assert lint(folder) == []
    assert inputs.check(folder) == []


@pytest.mark.parametrize(("name", "registry"), [
    ("defaults", "oci"), ("called-build", "mlflow"), ("other-registry", "databricks"),
])  # fmt: skip
def test_a_service_for_a_model(template: Path, tmp_path: Path, name: str, registry: str) -> None:
    answers = {key: value for key, value in ANSWERS[name].items() if key != "upstream"}
    folder = lab.render(template, tmp_path / "orders", {"kind": "model", "model_registry": registry, **answers})
    lab.commit_all(folder)
    assert lint(folder) == []
    assert inputs.check(folder) == []


@pytest.mark.each("tool", OWN)
def test_a_service_with_its_own_build_tool(template: Path, tmp_path: Path, language: str, tool: str) -> None:
    """Whose runner gets the tool, and whose image has a Dockerfile of its own."""
    answers = {"language": language, "build_tool": tool, "dockerfile": "docker/Dockerfile"}
    folder = lab.render(template, tmp_path / "orders", answers)
    lab.commit_all(folder)
    assert lint(folder) == []
    assert inputs.check(folder) == []


def test_this_project() -> None:
    assert lint(ROOT) == []
    assert inputs.check(ROOT) == []
    policy = [sys.executable, str(ROOT / "template/.golden-path"), "policy", str(ROOT)]
    findings = subprocess.run(policy, capture_output=True, text=True, check=False).stdout.splitlines()
    assert [line for line in findings if line.startswith(".github/workflows/")] == []
