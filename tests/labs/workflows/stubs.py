"""Actions that stand in for the pinned ones: same inputs and outputs, a stand-in behind them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from tests.labs.errors import LabError
from tests.labs.workflows import metadata
from tests.labs.workflows.recorders import launcher
from tests.labs.workflows.references import scopes


def used(repository: Path) -> set[tuple[str, str]]:
    """Return name and ref of every action that a repository uses.

    Raises:
        LabError: the lab does not know one.
    """
    found = set()
    for scope in scopes(repository):
        for use in scope.uses:
            if not use.repository or use.called:
                continue
            if use.name not in metadata.load():
                raise LabError(
                    f"{scope.file}:{use.line}: the workflow lab does not know {use.name}: add it to actions.json"
                )
            found.add((use.name, use.ref))
    return found


def write(folder: Path, names: Collection[tuple[str, str]]) -> list[str]:
    """Write the stand-ins.

    Args:
        folder: where they go.
        names: name and ref of each action.

    Returns:
        The options with which act takes them for the real ones.
    """
    program = folder / "stub"
    folder.mkdir()
    program.write_text(launcher("stub", ""), encoding="utf-8")
    program.chmod(0o755)
    places = {}
    for name, ref in sorted(names):
        owner, repository, *path = name.split("/")
        place = folder / f"{owner}-{repository}-{ref}"
        places[f"{owner}/{repository}@{ref}"] = place
        file = place.joinpath(*path) / "action.yml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(_action(name, program)), encoding="utf-8")  # JSON is YAML
    return [part for name, place in places.items() for part in ("--local-repository", f"{name}={place}")]


def _action(name: str, program: Path) -> dict[str, Any]:
    action = metadata.load()[name]
    step = {
        "id": "stub",
        "shell": "bash",
        "env": {"LAB_ACTION": name, "LAB_INPUTS": "${{ toJSON(inputs) }}"},
        "run": str(program),
    }
    return {
        "name": name,
        "description": "stands in for the real one",
        "inputs": {key: {"description": "", "required": False} for key in action.inputs},
        "outputs": {
            key: {"description": "", "value": f"${{{{ steps.stub.outputs['{key}'] }}}}"} for key in action.outputs
        },
        "runs": {"using": "composite", "steps": [step]},
    }


def settings(
    values: Mapping[str, Mapping[str, str]], files: Mapping[str, Mapping[str, str]], fails: Collection[str]
) -> dict[str, Any]:
    """Return what the stand-ins of the actions read.

    Args:
        values: outputs by action.
        files: text by path in the workspace, by action.
        fails: actions that fail.

    Raises:
        LabError: the lab does not know an action or an output of it.
    """
    known = metadata.load()
    for name in [*values, *files, *fails]:
        if name not in known:
            raise LabError(f"the workflow lab does not know {name}: there are {', '.join(known)}")
    for name, outputs in values.items():
        if unknown := sorted(set(outputs) - set(known[name].outputs)):
            raise LabError(f"{name} has no output {unknown[0]}: it has {', '.join(known[name].outputs) or 'none'}")
    return {
        name: {
            "inputs": list(action.inputs),
            # A cache is empty where nothing else is said.
            "stub": {key: "false" if key == "cache-hit" else f"stub-{key}" for key in action.outputs},
            "values": dict(values.get(name, {})),
            "files": dict(files.get(name, {})),
            "fails": name in fails,
        }
        for name, action in known.items()
    }
