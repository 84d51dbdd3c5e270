"""databricks.yml: what it deploys where, for which event.

What the verbs do is proven where a server is (tests/services/test_databricks.py); here they are recorded.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.labs import template as lab
from tests.labs.toolchains import answers_of, environment
from tests.labs.workflows.lab import Lab
from tests.labs.workflows.log import Result

pytestmark = [pytest.mark.models, pytest.mark.only("model")]

NAME = "ghcr.io/acme/scores"
NOTHING, A, B = (f"sha256:{letter * 64}" for letter in "0ab")
HEAD, FORK = {"full_name": "acme/scores"}, {"full_name": "mallory/scores"}
WORKSPACE = {"DATABRICKS_HOST": "https://dbc.example.test", "DATABRICKS_CLIENT_ID": "1f"}
RECORDED = """
NAMES := MODEL_REF|TARGET|DATABRICKS_
databricks-register databricks-deploy databricks-validate:
	@env | grep -E '^($(NAMES))' | sort | sed 's/^/did $@ in $(notdir $(CURDIR)): /'
"""


def service(template: Path, folder: Path) -> Path:
    """A service that runs model A everywhere, released as v1.0.0; its verbs are recorded."""
    made = lab.render(
        template, folder, {**answers_of("model"), "service_name": "scores", "model_registry": "databricks"}
    )
    (made / "local.mk").write_text(RECORDED)
    release(made, staging=A, production=A)
    lab.git(made, "tag", "v1.0.0")
    return made


def release(folder: Path, **models: str) -> str:
    """Let environments run these models, and the image of v1.0.0; return the commit."""
    for environment_, model in models.items():
        for path, digest, version in (("model/", model, "model-v1.0.0"), ("", A, "v1.0.0")):
            file = folder / f"deploy/releases/{environment_}/{path}kustomization.yaml"
            head, _, _ = file.read_text().rpartition("digest: ")
            file.write_text(f"{head}digest: {digest} # {version}\n")
    lab.commit_all(folder, "Release")
    return lab.git(folder, "rev-parse", "HEAD")


def did(result: Result) -> list[str]:
    """What the verbs were asked, in the order in which they were."""
    text = "\n".join(job.output for job in result.jobs.values())
    return [line.partition("did ")[2] for line in text.splitlines() if "did " in line and "$@" not in line]


def test_a_release_is_deployed_to_its_workspace_with_the_code_of_its_version(
    runner: Lab, template: Path, tmp_path: Path
) -> None:
    folder = service(template, tmp_path / "scores")
    release(folder, production=NOTHING, staging=B)
    done = runner.run(folder, "push", {"repository": HEAD}, "databricks.yml", env=environment("python"),
                      variables=WORKSPACE)  # fmt: skip
    assert done.code == 0, done.stdout[-5000:]
    login = [f"DATABRICKS_{name}" for name in ("AUTH_TYPE=github-oidc", "CLIENT_ID=1f")]
    login.append(f"DATABRICKS_HOST={WORKSPACE['DATABRICKS_HOST']}")
    model = [f"MODEL_REF={NAME}-model@{B}", "TARGET=staging"]
    lines = did(done)
    assert [line.partition(": ")[2] for line in lines] == [*login, *model] * 2, "production has no model of its own"
    assert [line.partition(" ")[0] for line in lines] == ["databricks-register"] * 5 + ["databricks-deploy"] * 5
    assert {line.partition(": ")[0] for line in lines[5:]} == {"databricks-deploy in released"}
    nowhere = runner.run(folder, "push", {"repository": HEAD}, "databricks.yml", env=environment("python"))
    assert (nowhere.code, did(nowhere)) == (0, [])


def test_a_change_of_the_bundle_is_validated(runner: Lab, template: Path, tmp_path: Path) -> None:
    folder = service(template, tmp_path / "scores")
    sha = lab.git(folder, "rev-parse", "HEAD")
    head: dict[str, Any] = {"ref": "change", "sha": sha, "repo": HEAD}
    pull = {"number": 7, "base": {"ref": "main", "sha": sha}, "head": head}
    payload = {"action": "opened", "repository": HEAD, "pull_request": pull}
    done = runner.run(folder, "pull_request", payload, "databricks.yml", env=environment("python"), variables=WORKSPACE)
    assert done.code == 0, done.stdout[-5000:]
    assert {line.partition(":")[0] for line in did(done)} == {"databricks-validate in hostexecutor"}
    fork = {**payload, "pull_request": {**pull, "head": {**head, "repo": FORK}}}
    left = runner.run(folder, "pull_request", fork, "databricks.yml", env=environment("python"), variables=WORKSPACE)
    assert left.result("validate") == "skipped"
