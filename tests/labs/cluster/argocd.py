"""Argo CD as a program, and its own code without a cluster: what an ApplicationSet makes, and what a project permits.

``argocd_running`` starts its parts.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.labs import go_tools
from tests.labs.cluster.definitions import Module
from tests.labs.cluster.places import lab_folder
from tests.labs.errors import LabError
from tests.labs.places import digest, once

PACKAGE, MODULE = "./argocd", "github.com/argoproj/argo-cd/v3"
# What the program is, depending on what it is called as.
CONTROLLER, REPO_SERVER = "argocd-application-controller", "argocd-repo-server"
SETS = "argocd-applicationset-controller"
PARTS = (CONTROLLER, REPO_SERVER, SETS)
# Without it the repository server finds no commit, whether signatures are asked for or not.
_SCRIPTS = Module(MODULE, ("hack/git-verify-wrapper.sh",))
Object = Mapping[str, Any]


def folder() -> Path:
    """Return the folder of the program, whether it is there or not."""
    return lab_folder() / f"argocd-{digest(*go_tools.sources([PACKAGE]), PARTS, _SCRIPTS.files)}"


def program() -> Path:
    """Return the program, built unless it is there, which takes some minutes.

    Raises:
        LabError: it cannot be built.
        MissingToolchainError: Go is missing.
    """
    return once(folder(), _build) / "argocd"


def _build(target: Path) -> None:
    version = go_tools.versions()[MODULE].removeprefix("v")
    go_tools.build(target, [PACKAGE], f"-X {MODULE}/common.version={version}", "Argo CD")
    for name in PARTS:
        (target / name).symlink_to("argocd")
    for script in _SCRIPTS.sources():
        shutil.copy(script, target)
        (target / script.name).chmod(0o755)


def _run(verb: str, **given: object) -> Any:
    done = subprocess.run(
        [program(), verb], input=json.dumps(given), capture_output=True, text=True, check=False, timeout=180
    )
    if done.returncode != 0:
        raise LabError(f"argocd {verb}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def application(application_set: Object, parameters: Mapping[str, object]) -> dict[str, Any]:
    """Return the Application that an ApplicationSet makes of what its generator finds.

    Args:
        application_set: the ApplicationSet.
        parameters: what its generator finds, for example the number of a pull request.

    Raises:
        LabError: its template asks for something else.
    """
    made: dict[str, Any] = _run("render", applicationSet=application_set, parameters=parameters)
    return made


def refused(project: Object, asked: Object, resources: Sequence[Object]) -> list[str]:
    """Return what a project does not permit.

    Args:
        project: the AppProject.
        asked: the Application.
        resources: the objects that it would apply.
    """
    listed = [
        {
            "group": one["apiVersion"].rpartition("/")[0],
            "kind": one["kind"],
            "namespace": one["metadata"].get("namespace", ""),
            "name": one["metadata"]["name"],
        }
        for one in resources
    ]
    found: list[str] = _run("refused", project=project, application=asked, resources=listed)
    return found
