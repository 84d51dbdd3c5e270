"""The check of manifests without a cluster, which says what the API server would say of their fields."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cluster.test_lab import CUSTOM, POD, workload
from tests.labs.cluster import offline
from tests.labs.toolchains import ROOT


def test_manifests_that_the_server_accepts_have_no_problems() -> None:
    ours = yaml.safe_dump_all([workload("Rollout"), workload("Deployment"), POD])
    assert offline.problems(f"{CUSTOM}---\n{ours}") == []


ROLLOUT = yaml.safe_dump(workload("Rollout"))


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        (ROLLOUT.replace("setWeight", "setWeigth"), 'unknown field "spec.strategy.canary.steps[0].setWeigth"'),
        (ROLLOUT.replace("setWeight: 20", "setWeight: twenty"), "steps[0].setWeight: 'twenty' is not of type"),
        (ROLLOUT.replace("replicas: 3", "replicas: '3'"), "spec.replicas: '3' is not of type 'integer'"),
        (ROLLOUT.replace("kind: Rollout", "kind: Rolout"), "Rolout orders: the cluster knows no Rolout in argoproj.io"),
        (f"{ROLLOUT}spec: {{}}\n", 'key "spec" already set'),
        ("apiVersion: v1\nkind: Service\nmetadata: {name: x, label: {}}\n", 'unknown field "metadata.label"'),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: 1}\n", "data.a: 1 is not of type 'string'"),
        ("apiVersion: v1\nkind: ResourceQuota\nspec: {hard: {memory: 1mb}}\n", "'1mb' does not match"),
        ("apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nspec: {maxReplicas: 1}\n", "'scaleTargetRef' is"),
        ("- a\n", "a document has no apiVersion or no kind"),
        ("a: [\n", "no valid YAML"),
    ],
)  # fmt: skip
def test_a_problem_names_the_field(manifest: str, problem: str) -> None:
    found = offline.problems(manifest)
    assert any(problem in line for line in found), found
    assert all("\n" not in line for line in found)


def test_a_field_that_is_null_is_one_that_is_not_there() -> None:
    assert (
        offline.problems(ROLLOUT.replace("  name: orders\nspec", "  name: orders\n  creationTimestamp: null\nspec"))
        == []
    )


def test_the_command_prints_the_problems_and_fails(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(ROLLOUT, encoding="utf-8")
    bad.write_text(ROLLOUT.replace("replicas", "replicass"), encoding="utf-8")
    command = [sys.executable, "-m", "tests.labs.cluster.offline"]
    for files, code, printed in (
        ([good], 0, ""),
        ([good, bad], 1, f'{bad}: Rollout orders: unknown field "spec.replicass"\n'),
    ):
        done = subprocess.run([*command, *files], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
        assert (done.returncode, done.stdout) == (code, printed)
