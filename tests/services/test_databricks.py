"""What is made for Databricks: its pipeline and jobs in Spark itself, its resources by the typed bundle library.

Only a workspace and the real CLI can prove that they are deployed, and who may: that is proven where it is used.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import written
from tests.labs import mlflow, spark
from tests.labs import template as lab
from tests.labs.service import free_port, make
from tests.labs.toolchains import environment

pytestmark = [pytest.mark.models, pytest.mark.only("model")]

REF = f"ghcr.io/acme/model-orders-model@sha256:{'a' * 64}"
RESOURCES = {"jobs": "jobs.Job", "pipelines": "pipelines.Pipeline", "experiments": "experiments.MlflowExperiment",
             "registered_models": "registered_models.RegisteredModel"}  # fmt: skip
# Reads resources as the typed library does, and prints what it refuses.
TYPED = """
import importlib, json, sys
kinds = json.loads(sys.argv[1])
for kind, named in json.load(sys.stdin)["resources"].items():
    module, name = kinds[kind].split(".")
    for one in named.values():
        getattr(importlib.import_module(f"databricks.bundles.{module}"), name).from_dict(one)
"""
SOURCE = """
import os, sys
os.chdir(sys.argv[2])
sys.path[:0] = [os.getcwd(), "src"]
import pandas
from model_orders.model.features import Features
from training.data import load, raw
names = list(Features.model_fields)
frame = pandas.DataFrame(load(raw()).rows[:40].astype(float), columns=names)
frame.insert(0, "id", range(40))
frame.loc[3, names[3]] = 1e9
frame.loc[4, names[0]] = float("nan")
frame.loc[5, names[1]] = -1.0
frame.to_parquet(sys.argv[1])
"""
SHOW = "import json, sys, pandas; print(pandas.read_parquet(sys.argv[1]).to_json(orient='records'))"
SPEC = """
name: features
storage: file://{folder}/storage
database: default
libraries: [{{glob: {{include: features.py}}}}]
configuration: {{service.source: "parquet.`{source}`"}}
"""
CLI = """#!/bin/sh
printf '%s\\n' "$*" >>"{folder}/asked"
case "$*" in *json*) cat "{folder}/bundle.json" ;; *refused*) exit 1 ;; esac
"""


@dataclass(frozen=True)
class Bundle:
    """A service with a bundle, in a folder."""

    folder: Path

    @property
    def resources(self) -> dict[str, Any]:
        found: dict[str, Any] = yaml.safe_load((self.folder / "bundle/resources.yml").read_text())
        return found

    def spark(self, folder: Path, *command: str, **env: str) -> str:
        done = spark.run(folder, *command, env=env)
        assert done.returncode == 0, done.stderr[-5000:]
        return done.stdout

    def rows(self, table: Path) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.spark(table.parent, "python", "-c", SHOW, str(table)))
        return found


@pytest.fixture(scope="module")
def bundle(language: str, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("databricks") / "model-orders"
    service = written(language, template, folder, model_registry="databricks", service_name="model-orders")
    done = make(service, language, "train", ".tools/databricks/ready")
    assert done.returncode == 0, done.stdout
    return Bundle(service)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow.server(tmp_path_factory.mktemp("mlflow")) as url:
        yield url


def typed(resources: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    command = [str(spark.folder() / "bin/python"), "-c", TYPED, json.dumps(RESOURCES)]
    return subprocess.run(
        command, input=json.dumps(resources), capture_output=True, text=True,
        check=False, timeout=300,
    )  # fmt: skip


def test_the_resources_are_what_the_typed_library_takes(bundle: Bundle) -> None:
    done = typed(bundle.resources)
    assert done.returncode == 0, done.stderr
    wrong = bundle.resources
    wrong["resources"]["jobs"]["scoring"]["tasks"][1]["spark_python_tusk"] = {}
    assert "spark_python_tusk" in typed(wrong).stderr


def test_what_resources_name_is_there(bundle: Bundle) -> None:
    settings = yaml.safe_load((bundle.folder / "databricks.yml").read_text())
    resources = bundle.resources["resources"]
    text = (bundle.folder / "bundle/resources.yml").read_text()
    used = {part.partition("}")[0] for part in text.split("${")[1:]}
    own = {f"var.{name}" for name in settings["variables"]}
    named = {f"resources.{kind}.{name}" for kind, all_of in resources.items() for name in all_of}
    context = {"workspace.file_path", "workspace.root_path", "bundle.git.commit"}
    assert {one for one in used if one.rpartition(".")[0] not in named} <= own | context
    for job in resources["jobs"].values():
        known = {one["environment_key"] for one in job["environments"]}
        scripts = [task["spark_python_task"] for task in job["tasks"] if "spark_python_task" in task]
        assert all((bundle.folder / "bundle" / script["python_file"]).exists() for script in scripts)
        assert {task["environment_key"] for task in job["tasks"] if "spark_python_task" in task} <= known
        [dependency] = job["environments"][0]["spec"]["dependencies"]
        assert (bundle.folder / dependency.removeprefix("-r ${workspace.file_path}/")).exists()
    [library] = resources["pipelines"]["features"]["libraries"]
    assert (bundle.folder / "bundle" / library["file"]["path"]).exists()
    assert all(target["variables"]["catalog"] for target in settings["targets"].values())


def test_rows_go_through_the_pipeline_into_a_table_of_predictions(bundle: Bundle, server: str, tmp_path: Path) -> None:
    """Features by a declarative pipeline, a model that the training job registered, scores by that model."""
    source, tables = tmp_path / "source.parquet", tmp_path / "spark-warehouse"
    bundle.spark(tmp_path, "python", "-c", SOURCE, str(source), str(bundle.folder))
    shutil.copy(bundle.folder / "bundle/features.py", tmp_path)
    (tmp_path / "spark-pipeline.yml").write_text(SPEC.format(folder=tmp_path, source=source))
    bundle.spark(tmp_path, "spark-pipelines", "run", "--remote", "local[1]", PYTHONPATH=str(bundle.folder / "src"))
    rejected = {row["id"]: row["reason"] for row in bundle.rows(tables / "rejected")}
    assert rejected == {
        3: "mean_area must be a number from 10 to 5000",
        4: "mean_radius must be a number from 1 to 50",
        5: "mean_texture must be a number from 1 to 100",
    }
    assert [row["id"] for row in bundle.rows(tables / "features")] == [*range(3), *range(6, 40)]

    common = ("--root", str(bundle.folder), "--model", "staging.model_orders.model_orders")
    job = (
        "python",
        str(bundle.folder / "bundle/train.py"),
        *common,
        "--revision",
        "f" * 40,
        "--experiment",
        "training",
    )
    trained = bundle.spark(tmp_path, *job, MLFLOW_TRACKING_URI=server)
    assert trained.endswith("staging.model_orders.model_orders version 1 is the challenger\n")
    bundle.spark(
        tmp_path, "python", str(bundle.folder / "bundle/score.py"), *common, "--version", "challenger",
        "--from", f"parquet.`{tables / 'features'}`", "--to", "predictions", MLFLOW_TRACKING_URI=server,
    )  # fmt: skip
    scored = bundle.rows(tables / "predictions")
    card = json.loads((bundle.folder / "model/model.json").read_text())
    assert {row["model"] for row in scored} == {card["sha256"]}, "the same commit, lock and data: the same model"
    assert {row["prediction"] for row in scored} == {"benign", "malignant"}
    assert all(0.5 <= row["probability"] <= 1 for row in scored)
    assert [row["id"] for row in scored] == [*range(3), *range(6, 40)]


def asked(bundle: Bundle, tmp_path: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the verb beside a stand-in of the CLI, which cannot be had here and records what it is asked."""
    cli = tmp_path / "bin/databricks"
    cli.parent.mkdir(exist_ok=True)
    cli.write_text(CLI.format(folder=tmp_path))
    cli.chmod(0o755)
    whole = environment("python")
    return subprocess.run(
        [sys.executable, ".golden-path", "databricks", *words], cwd=bundle.folder, capture_output=True, text=True,
        check=False, timeout=600, env={**whole, "PATH": f"{cli.parent}:{whole['PATH']}", **env},
    )  # fmt: skip


def test_the_promoted_model_is_registered_in_the_catalog_of_its_environment_and_deployed(
    bundle: Bundle, server: str, tmp_path: Path
) -> None:
    resolved = {
        "registered_models": {"model": {"catalog_name": "prod", "schema_name": "m", "name": "orders"}},
        "experiments": {"training": {"name": "/Shared/training"}},
    }
    (tmp_path / "bundle.json").write_text(json.dumps({"resources": resolved}))
    shutil.copytree(bundle.folder / "model", bundle.folder / "build/registered", dirs_exist_ok=True)
    python = str(bundle.folder / ".tools/databricks/bin/python")
    done = asked(bundle, tmp_path, "register", "production", REF, python, MLFLOW_TRACKING_URI=server,
                 MLFLOW_REGISTRY_URI=server)  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "version=1\n"), done.stderr
    fetched = [python, "-m", "training.registry", "--model", "prod.m.orders", "fetch", "champion", str(tmp_path / "it")]
    env = {"PATH": "/usr/bin:/bin", "MLFLOW_TRACKING_URI": server}
    subprocess.run(fetched, cwd=bundle.folder, check=True, env=env, timeout=600)
    assert (tmp_path / "it/model.onnx").read_bytes() == (bundle.folder / "model/model.onnx").read_bytes()
    assert asked(bundle, tmp_path, "deploy", "production", REF).returncode == 0
    assert asked(bundle, tmp_path, "validate", "staging").returncode == 0
    assert (tmp_path / "asked").read_text().splitlines() == [
        "bundle validate --target production -o json",
        f"bundle deploy --target production --var model={REF}",
        "bundle validate --strict --target staging",
    ]


def test_a_model_is_a_version_once_and_what_is_none_is_said(bundle: Bundle, server: str, tmp_path: Path) -> None:
    def registry(*words: object, **env: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [str(bundle.folder / ".tools/databricks/bin/python"), "-m", "training.registry", *map(str, words)],
            cwd=bundle.folder, capture_output=True, text=True, check=False, timeout=600,
            env={"PATH": "/usr/bin:/bin", "MLFLOW_TRACKING_URI": server, **env},
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    for _ in range(2):
        assert registry("register", "model", "--ref", REF)[:2] == (0, "version=1\n")
    missing = registry("fetch", "challenger", tmp_path / "it")
    assert missing == (1, "", "registry: model_orders has no version challenger: register it first"
                              " (make databricks-register)\n")  # fmt: skip
    shutil.copytree(bundle.folder / "model", tmp_path / "changed")
    (tmp_path / "changed/model.onnx").write_bytes(b"")
    for name, reason in {"missing": "must be a folder with", "changed": "must have the model.onnx that its"}.items():
        code, _, said = registry("register", tmp_path / name)
        assert (code, said.count("\n"), reason in said) == (1, 1, True)
    assert registry("register", "model", MLFLOW_TRACKING_URI="") == (
        2, "", "registry: set MLFLOW_TRACKING_URI: which server?\n"
    )  # fmt: skip
    nobody = {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{free_port()}", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    code, _, said = registry("register", "model", **nobody)
    assert (code, said.count("\n"), "Connection refused" in said) == (1, 1, True)
    assert lab.git(bundle.folder, "status", "--porcelain") == "", "MLflow keeps a registry in the folder if none is set"


@pytest.mark.parametrize(("words", "reason"), [
    (("deploy", "production", "ghcr.io/acme/x:v1"), "name a model by its digest"),
    (("deploy", "production", ""), "name a model by its digest"),
    (("validate", "refused"), "databricks bundle validate failed, see above"),
    (("register", "production", REF, "python"), "the bundle needs registered_models.model"),
])  # fmt: skip
def test_what_cannot_be_done_is_said_in_one_line(
    words: tuple[str, ...], reason: str, bundle: Bundle, tmp_path: Path
) -> None:
    (tmp_path / "bundle.json").write_text("{}")
    done = asked(bundle, tmp_path, *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
    bare = asked(bundle, tmp_path, "validate", "staging", PATH="/usr/bin:/bin")
    assert "the Databricks CLI is missing" in bare.stderr
