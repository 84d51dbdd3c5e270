"""Validate or deploy the bundle with the Databricks CLI, or make a model a version in Unity Catalog.

usage: databricks validate TARGET
       databricks register TARGET NAME@sha256:... PYTHON    once it is verified; it is the champion of TARGET then
       databricks deploy TARGET NAME@sha256:...             jobs score with it from then on

PYTHON is the interpreter of the environment that can reach MLflow.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from typing import Any

from golden_path.service.errors import RefusedError
from golden_path.service.model import REFERENCE

PULLED = "build/registered"


def databricks(*arguments: str, capture: bool = False) -> str:
    """Run the CLI; returns what it printed, if that is captured; raises RefusedError."""
    if shutil.which("databricks") is None:
        raise RefusedError("the Databricks CLI is missing: docs.databricks.com/dev-tools/cli says how to install it")
    done = subprocess.run(
        ["databricks", *arguments], stdout=subprocess.PIPE if capture else None, text=True, check=False
    )
    if done.returncode != 0:
        raise RefusedError(f"databricks {' '.join(arguments[:2])} failed, see above")
    return done.stdout or ""


def named(bundle: dict[str, Any]) -> tuple[str, str]:
    """Return the registered model's and the experiment's name, of the bundle as the CLI resolves it.

    Raises:
        RefusedError: it has none.
    """
    try:
        resources = bundle["resources"]
        model, experiment = resources["registered_models"]["model"], resources["experiments"]["training"]
        return ".".join(model[part] for part in ("catalog_name", "schema_name", "name")), experiment["name"]
    except (KeyError, TypeError):
        raise RefusedError("the bundle needs registered_models.model and experiments.training") from None


def register(target: str, reference: str, python: str) -> None:
    """Make the model that was pulled a version of the target's catalog, and its champion; raises RefusedError."""
    resolved = databricks("bundle", "validate", "--target", target, "-o", "json", capture=True)
    model, experiment = named(json.loads(resolved))
    env = {
        "MLFLOW_TRACKING_URI": "databricks",
        "MLFLOW_REGISTRY_URI": "databricks-uc",
        **os.environ,
        "MLFLOW_EXPERIMENT_NAME": experiment,
    }
    command = [python, "-m", "training.registry", "--model", model, "register", PULLED, "--ref", reference]
    if subprocess.run([*command, "--as", "champion"], env=env, check=False).returncode != 0:
        raise RefusedError(f"{model} was not registered, see above")


def main(verb: str, target: str, reference: str = "", python: str = "") -> int:
    try:
        if verb != "validate" and not re.fullmatch(REFERENCE, reference):
            raise RefusedError("name a model by its digest, MODEL_REF=name@sha256:...; a tag can be moved")
        if verb == "validate":
            databricks("bundle", "validate", "--strict", "--target", target)
        elif verb == "register":
            register(target, reference, python)
        else:
            databricks("bundle", "deploy", "--target", target, "--var", f"model={reference}")
    except RefusedError as reason:
        sys.stderr.write(f"  FAIL  databricks-{verb}: {reason}\n")
        return 1
    return 0
