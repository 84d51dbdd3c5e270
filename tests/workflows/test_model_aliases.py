"""Aliases in a real MLflow server follow the pull requests, both ways: `make model-aliases`, and model-aliases.yml."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.labs import mlflow, toolchains
from tests.labs import template as lab
from tests.labs.service import free_port
from tests.labs.toolchains import answers_of
from tests.labs.workflows.lab import Lab
from tests.labs.workflows.recorders import Answer, Recorder

pytestmark = [pytest.mark.models, pytest.mark.only("model")]

NAME = "orders"
BRANCH = "release/staging-model"
FILE = "deploy/releases/staging/model/kustomization.yaml"
A, B = (f"sha256:{letter * 64}" for letter in "ab")
NOTHING = f"sha256:{'0' * 64} # nothing yet"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow.server(tmp_path_factory.mktemp("mlflow")) as url:
        yield url


@pytest.fixture
def service(template: Path, tmp_path: Path, language: str) -> Path:
    """A service with an origin, and a `gh` that finds the pull requests that are in a file."""
    folder = lab.render(
        template, tmp_path / NAME, {**answers_of(language), "service_name": NAME, "model_registry": "mlflow"}
    )
    lab.commit_all(folder)
    lab.git(tmp_path, "clone", "--quiet", "--bare", str(folder), "origin.git")
    lab.git(folder, "remote", "add", "origin", str(tmp_path / "origin.git"))
    gh = tmp_path / "programs/gh"
    gh.parent.mkdir()
    gh.write_text(f'#!/bin/sh\ncase "$*" in "pr list --head {BRANCH} "*) cat {tmp_path}/open ;; *) exit 3 ;; esac\n')
    gh.chmod(0o755)
    (tmp_path / "open").write_text("[]")
    return folder


def offer(service: Path, digest: str, version: str) -> None:
    """Open a pull request."""
    lab.git(service, "switch", "--quiet", "--force-create", BRANCH)
    place = service / FILE
    lines = place.read_text().splitlines(keepends=True)
    place.write_text("".join(f"    digest: {digest} # {version}\n" if "digest: " in one else one for one in lines))
    lab.commit_all(service, f"Release model {version} to staging")
    lab.git(service, "push", "--quiet", "--force", "origin", BRANCH)
    lab.git(service, "switch", "--quiet", "main")
    (service.parent / "open").write_text('[{"number": 3}]')


def merge(service: Path) -> None:
    lab.git(service, "merge", "--quiet", "--no-ff", "--no-edit", BRANCH)
    close(service)


def close(service: Path) -> None:
    """Its branch stays, as on GitHub."""
    (service.parent / "open").write_text("[]")


def follow(service: Path, url: str, **more: str) -> subprocess.CompletedProcess[str]:
    env = {**toolchains.environment("python"), "MLFLOW_URL": url, "MLFLOW_TIMEOUT": "120", **more}
    env["PATH"] = f"{service.parent / 'programs'}:{env['PATH']}"
    return subprocess.run(
        ["make", "--silent", "model-aliases"], cwd=service, env=env, text=True, capture_output=True, check=False
    )


def asked(url: str, path: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url}/api/2.0/mlflow/{path}", timeout=120) as answer:
        found: dict[str, Any] = json.loads(answer.read())
    return found


def aliases(url: str) -> dict[str, str]:
    """What each alias stands for, by the digest of the model."""
    model = asked(url, f"registered-models/get?name={NAME}")["registered_model"]
    versions = asked(url, "model-versions/search").get("model_versions", [])
    sources = {one["version"]: one["source"].rpartition("@")[2] for one in versions}
    return {one["alias"]: sources[one["version"]] for one in model.get("aliases", [])}


def test_they_follow_both_ways(service: Path, server: str, tmp_path: Path) -> None:
    def now(**expected: str) -> None:
        done = follow(service, server)
        assert done.returncode == 0, done.stderr
        assert aliases(server) == expected

    now()
    offer(service, A, "model-v1.0.0")
    now(challenger=A)
    merge(service)
    now(champion=A)
    offer(service, B, "model-retrain-2.1")
    now(champion=A, challenger=B)
    close(service)
    now(champion=A)
    offer(service, B, "model-retrain-2.1")
    merge(service)
    now(champion=B)
    now(champion=B)
    lab.git(service, "revert", "--no-edit", "--mainline", "1", "HEAD")
    now(champion=A)
    versions = asked(server, "model-versions/search")["model_versions"]
    assert len(versions) == 2, "a model is registered once"
    [first] = [one for one in versions if one["version"] == "1"]
    assert first["source"] == f"oci://ghcr.io/acme/{NAME}-model@{A}"
    assert {"key": "version", "value": "model-v1.0.0"} in first["tags"]

    # The workflow does the same; of a pull request from a fork it does nothing.
    offer(service, B, "model-retrain-3.1")
    gh = {"gh": Recorder((Answer("^pr list", stdout='[{"number": 3}]'),), env=("GH_TOKEN",))}
    whole = {"variables": {"MLFLOW_TRACKING_URI": server}, "recorders": gh, "reuse": (), "env": dict(os.environ)}
    runner, full = Lab(tmp_path / "runs"), f"acme/{NAME}"
    for origin, ended in ((full, "success"), ("mallory/orders", "skipped")):
        head = {"ref": BRANCH, "sha": lab.git(service, "rev-parse", BRANCH), "repo": {"full_name": origin}}
        pull = {"number": 3, "head": head, "base": {"ref": "main", "repo": {"full_name": full}}}
        payload = {"action": "opened", "pull_request": pull, "repository": {"full_name": full}}
        result = runner.run(service, "pull_request", payload, "model-aliases.yml", **whole)  # type: ignore[arg-type]
        assert result.result("aliases") == ended, result.stdout[-3000:]
    assert aliases(server) == {"champion": A, "challenger": B}


def test_a_server_that_is_none_is_said(service: Path) -> None:
    done = follow(service, "", MLFLOW_URL="")
    assert (done.returncode, "MLFLOW_URL is not set" in done.stdout) == (0, True)
    done = follow(service, f"http://127.0.0.1:{free_port()}", MLFLOW_TIMEOUT="2")
    assert done.returncode != 0
    assert "FAIL  aliases: http://127.0.0.1:" in done.stderr
    assert "cannot be reached" in done.stderr
    done = follow(service, "mlflow:5000")
    assert "MLFLOW_URL must be an absolute http or https URL" in done.stderr
