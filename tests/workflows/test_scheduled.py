"""scheduled.yml: the newest release is looked up again; grype, whose database cannot be had here, is recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.labs import sbom
from tests.labs import template as lab
from tests.labs.service import make
from tests.labs.workflows.lab import Lab
from tests.labs.workflows.log import Result
from tests.workflows.conftest import VERSION, Release

pytestmark = [pytest.mark.images, pytest.mark.only("go")]

SCORECARD = {
    "score": 7.5,
    "checks": [
        {"name": "License", "score": 10, "reason": "license file detected"},
        {"name": "Fuzzing", "score": 0, "reason": "project is not fuzzed"},
        {"name": "Branch-Protection", "score": -1, "reason": "cannot be read with this token"},
    ],
}


def grype(folder: Path, code: int) -> Path:
    """Write a grype that keeps the SBOM that it gets, and ends with this code."""
    program = folder / "tools" / "grype"
    program.parent.mkdir(exist_ok=True)
    program.write_text(
        f'#!/bin/sh\necho "$@" >{folder}/asked\ncp build/sbom.spdx.json {folder}/sbom.json\nexit {code}\n'
    )
    program.chmod(0o755)
    return program


def run(runner: Lab, release: Release, program: Path) -> Result:
    return runner.run(
        release.folder,
        "schedule",
        {"repository": {"full_name": "acme/go-orders"}},
        "scheduled.yml",
        env=release.env,
        values={"anchore/scan-action/download-grype": {"cmd": str(program)}},
        files={"ossf/scorecard-action": {"scorecard.json": json.dumps(SCORECARD)}},
    )


@pytest.fixture(scope="module")
def first_release(first_release: Release) -> Release:
    """Its image is in the registry."""
    done = make(first_release.folder, "go", "image", "PUSH=true", env=first_release.env)
    assert done.returncode == 0, done.stdout
    return first_release


@pytest.mark.parametrize("code", [0, 2])
def test_the_newest_release_is_scanned(runner: Lab, release: Release, tmp_path: Path, code: int) -> None:
    # A commit that is not released yet.
    (release.folder / "NOTES").write_text("later\n")
    lab.commit_all(release.folder, "Later")
    result = run(runner, release, grype(tmp_path, code))
    assert result.result("rescan") == ("success" if code == 0 else "failure"), result.stdout[-3000:]
    assert (tmp_path / "asked").read_text().split()[-1] == "sbom:build/sbom.spdx.json"
    assert ("github.com/google/uuid", "v1.6.0") in sbom.listed(sbom.read(tmp_path / "sbom.json"))
    assert result.result("scorecard") == "success"
    summary = next(job for job in result.jobs.values() if job.id == "scorecard").summary
    assert "7.5 of 10" in summary
    assert "| Fuzzing | 0 |" in summary
    assert "License" not in summary
    assert "Branch-Protection" not in summary
    drift = next(job for job in result.jobs.values() if job.id == "drift")
    assert drift.result == "success"
    assert "0 files differ from what it wrote" in drift.summary


def test_before_the_first_release(runner: Lab, release: Release, tmp_path: Path) -> None:
    lab.git(release.folder, "tag", "--delete", VERSION)
    (release.folder / "NOTES").write_text(str(tmp_path))
    lab.commit_all(release.folder, "Never released")
    lab.git(
        release.folder, "update-ref", "HEAD", lab.git(release.folder, "commit-tree", "HEAD^{tree}", "-m", str(tmp_path))
    )
    result = run(runner, release, grype(tmp_path, 0))
    assert result.result("rescan") == "success"
    assert not (tmp_path / "asked").exists()
