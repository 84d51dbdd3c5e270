"""buildx reads docker-bake.hcl under every pair of answers, and finds in it what was answered."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.labs import template as lab
from tests.labs.images import Lab, archive, overrides
from tests.render.test_pairwise import CASES

pytestmark = pytest.mark.images


def test_bake_file(template: Path, image_lab: Lab, tmp_path: Path) -> None:
    for number, answers in enumerate(CASES):
        folder = lab.render(template, tmp_path / f"{number:02}", answers)
        env = image_lab.environment(folder, str(answers["language"]))
        env["BUILDX_BAKE_FILE"] = overrides.BAKE_FILE
        print_ = ["docker", "buildx", "bake", "--print", "release", "check"]
        done = subprocess.run(print_, cwd=folder, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        targets = json.loads(done.stdout)["target"]
        release = targets["release"]
        assert release["tags"] == [f"{answers['registry']}/{answers['service_name']}:0.0.0-dev"]
        # In JSON, bake writes its own escape for ${ and %{.
        description = release["labels"]["org.opencontainers.image.description"]
        assert description.replace("$${", "${").replace("%%{", "%{") == answers["description"]
        assert {item["type"] for item in release["attest"]} == {"sbom", "provenance"}
        assert targets["check"]["call"] == "check"
        assert ("cgr.dev" in (folder / "Dockerfile").read_text()) is (answers.get("base_image") == "wolfi")


def test_description_arrives_as_it_was_given(template: Path, image_lab: Lab, own: str, tmp_path: Path) -> None:
    """The label in a built image, not what bake prints."""
    description = 'It\'s "a" ${x} %{if} $$ $${y} \\ <&> 🔩'
    folder = lab.render(template, tmp_path / "orders", {"language": "python", "description": description})
    lab.commit_all(folder)
    env = image_lab.environment(folder, "python")
    (folder / "Dockerfile").write_text("FROM scratch\nARG VERSION REVISION\nCOPY requirements.txt /\n")
    bake = ["docker", "buildx", "bake", "--progress=quiet", "image"]
    subprocess.run(bake, cwd=folder, env={**env, "IMAGE": f"{own}/described", "TAG": "label"}, check=True)
    labels = archive.inspect(f"{own}/described:label", env)["Config"]["Labels"]
    assert labels["org.opencontainers.image.description"] == description
