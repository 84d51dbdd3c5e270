"""databricks.yml: what it deploys where, for which event.

What the verbs do is proven where a server is (tests/services/test_databricks.py); here they are recorded.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.labs import template as lab
from tests.labs.toolchains import answers_of, environment
from tests.labs.workflows.lab import Lab
from tests.labs.workflows.log import Result

pytestmark = [pytest.mark.models, pytest.mark.only("model")]

NAME = "ghcr.io/acme/scores"
NOTHING, A, B = (f"sha256:{letter * 64}" for letter in "0ab")
HEAD = {"full_name": "acme/scores"}
WORKSPACE = {"DATABRICKS_HOST": "https://dbc.example.test", "DATABRICKS_CLIENT_ID": "1f"}
RECORDED = """
NAMES := IMAGE_REF|MODEL_REF|TARGET|DATABRICKS_
verify model-verify databricks-register databricks-deploy databricks-validate:
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
    image, model, target = f"IMAGE_REF={NAME}@{A}", f"MODEL_REF={NAME}-model@{B}", "TARGET=staging"
    login = [f"DATABRICKS_{name}" for name in ("AUTH_TYPE=github-oidc", "CLIENT_ID=1f")]
    login.append(f"DATABRICKS_HOST={WORKSPACE['DATABRICKS_HOST']}")
    assert did(done) == [f"{verb}: {line}" for verb, lines in (
        ("verify in hostexecutor", [image, model]),
        ("model-verify in hostexecutor", [image, model]),
        ("databricks-validate in released", [*login, target]),
        ("databricks-register in hostexecutor", [*login, model, target]),
        ("databricks-deploy in released", [*login, model, target]),
    ) for line in lines], "production has no model of its own"  # fmt: skip
    nowhere = runner.run(folder, "push", {"repository": HEAD}, "databricks.yml", env=environment("python"))
    assert (nowhere.code, [line for line in did(nowhere) if line.startswith("databricks")]) == (0, [])


def test_what_is_not_verified_is_not_deployed(runner: Lab, template: Path, tmp_path: Path) -> None:
    folder = service(template, tmp_path / "scores")
    (folder / "local.mk").write_text(f"{RECORDED}\nmodel-verify: refused\nrefused:\n\t@exit 1\n")
    lab.commit_all(folder, "Nothing is verified")
    done = runner.run(folder, "push", {"repository": HEAD}, "databricks.yml", env=environment("python"),
                      variables=WORKSPACE)  # fmt: skip
    assert done.code != 0
    assert not [line for line in did(done) if line.startswith("databricks")]
