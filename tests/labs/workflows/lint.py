"""The linters of workflows: actionlint, zizmor, and GitHub's schemas."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.labs.errors import LabError, last_line
from tests.labs.workflows.references import files
from tests.labs.workflows.tools import program

# Of this project's own environment.
_OWN = Path(sys.executable).parent
_WORKFLOW_SCHEMAS = ("vendor.github-workflows", "custom.github-workflows-require-timeout")
_ACTION_SCHEMAS = ("vendor.github-actions",)
_DEPENDABOT_SCHEMAS = ("vendor.dependabot",)


def lint(folder: Path) -> list[str]:
    """Lint the workflows, composite actions and the Dependabot settings of a repository.

    Args:
        folder: the repository.

    Returns:
        One line for each finding: linter, file, place, what is wrong; none where all is well.

    Raises:
        LabError: a linter cannot be installed or run.
        MissingToolchainError: Go, which builds actionlint, is missing.
    """
    found = files(folder)
    workflows = [path for path in found if path.parent.name == "workflows"]
    actions = [path for path in found if path not in workflows]
    dependabot = list((folder / ".github").glob("dependabot.y*ml"))
    return [
        *_actionlint(folder, workflows),
        *_zizmor(folder),
        *_schemas(folder, workflows, _WORKFLOW_SCHEMAS),
        *_schemas(folder, actions, _ACTION_SCHEMAS),
        *_schemas(folder, dependabot, _DEPENDABOT_SCHEMAS),
    ]


def _run(
    *command: str | Path, cwd: Path, expected: Iterable[int], env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=300
    )
    if done.returncode not in expected:
        raise LabError(f"{Path(command[0]).name} failed: {last_line(done.stderr or done.stdout)}")
    return done


def _actionlint(folder: Path, workflows: list[Path]) -> list[str]:
    if not workflows:
        return []
    # It finds the local actions and called workflows from the folder above .github, which need not be a git repository.
    options: tuple[str | Path, ...] = ("-no-color", "-oneline", "-shellcheck", _OWN / "shellcheck", "-pyflakes", "")
    done = _run(program("actionlint"), *options, *workflows, cwd=folder, expected=(0, 1))
    return [f"actionlint: {line.removeprefix(f'{folder}/')}" for line in done.stdout.splitlines()]


def _zizmor(folder: Path) -> list[str]:
    options = ("--offline", "--persona", "pedantic", "--no-progress", "--format", "json-v1")
    own = folder / ".golden-path" / "zizmor.yml"
    config = ("--config", own) if own.exists() else ()
    env = {**os.environ, "NO_COLOR": "1"}
    # 11 to 14 tell the severity of the worst finding.
    done = _run(program("zizmor"), *options, *config, ".", cwd=folder, expected=(0, 11, 12, 13, 14), env=env)
    return [_zizmor_line(finding) for finding in json.loads(done.stdout)]


def _zizmor_line(finding: Mapping[str, Any]) -> str:
    locations = finding["locations"]
    place = next((one for one in locations if one["symbolic"]["kind"] == "Primary"), locations[0])
    file = next(iter(place["symbolic"]["key"].values()))["verbatim_path"]
    line = place["concrete"]["location"]["start_point"]["row"] + 1
    return f"zizmor: {file.removeprefix('./')}:{line}: {finding['desc']} [{finding['ident']}]"


def _schemas(folder: Path, paths: list[Path], schemas: Iterable[str]) -> list[str]:
    lines = []
    for schema in schemas if paths else ():
        options = ("--builtin-schema", schema, "--output-format", "json")
        report = json.loads(_run(_OWN / "check-jsonschema", *options, *paths, cwd=folder, expected=(0, 1)).stdout)
        for error in [*report.get("errors", []), *report.get("parse_errors", [])]:
            file = str(error["filename"]).removeprefix(f"{folder}/")
            lines.append(f"{schema}: {file}: {error.get('path', '')}: {error.get('message', '')}")
    return lines
