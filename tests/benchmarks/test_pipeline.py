"""The benchmark of the pull-request workflow runs what ci.yml runs, away from the caches of this machine."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from benchmarks import images, pipeline, report
from tests.labs import template as lab
from tests.labs.images import Lab
from tests.selection.plugin import chosen

WITH_SETUP = ("lint", "test", "contract", "policy")
JOBS = ("changes", *WITH_SETUP, "image", "ci-ok")
# How each language's tools say where they keep what they download and compile.
CACHES = {
    "go": "go env GOPATH GOMODCACHE GOCACHE",
    "java": "cd / && { mvn --debug --offline validate 2>&1 || true; } | sed -n 's/.*Using local repository at //p'",
    "node": "npm config get cache",
    "python": f"{shlex.quote(str(lab.COPIER.parent / 'uv'))} cache dir; python3 -m pip cache dir",
}


def ignore(_: str) -> None:
    """Take a line about the progress."""


def test_jobs_are_those_of_the_workflow(template: Path, tmp_path: Path, language: str) -> None:
    service = images.write_service(language, template, tmp_path / f"{language}-service")
    jobs = pipeline.jobs(service)
    assert [job.name for job in jobs if job.setup] == [*WITH_SETUP]
    assert [job.name for job in jobs if job.name in JOBS] == [*JOBS]
    assert [job.commands for job in jobs if job.setup] == [(f"make {name}",) for name in WITH_SETUP]
    pipeline.change(service, language, 1)
    assert len(lab.git(service, "diff", "--name-only", "HEAD~1").splitlines()) == 1


def test_no_tool_finds_the_caches_of_this_machine(template: Path, tmp_path: Path, language: str) -> None:
    service = images.write_service(language, template, tmp_path / f"{language}-service")
    runner = pipeline.Runner(tmp_path / "machine", language)
    runner.fresh(service)
    said = tmp_path / "said"
    runner.run([f"({CACHES[language]}) >{shlex.quote(str(said))}"])
    places = said.read_text().split()
    assert places
    assert [place for place in places if not place.startswith(str(tmp_path / "machine" / "runner" / "home"))] == []


def test_a_job_that_fails_is_told(template: Path, tmp_path: Path) -> None:
    service = images.write_service("go", template, tmp_path / "go-service")
    runner = pipeline.Runner(tmp_path / "machine", "go")
    runner.fresh(service)
    with pytest.raises(RuntimeError, match=r"^go: echo why; exit 3 failed:\nwhy\n$"):
        runner.run(["echo why; exit 3"])


@pytest.mark.images
def test_jobs_are_measured_cold_and_warm(
    request: pytest.FixtureRequest,
    template: Path,
    image_lab: Lab,
    own_registry: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In Python, which is the cheapest to set up, and one of the jobs that have a setup."""
    if "python" not in chosen(request.config):
        pytest.skip("--languages leaves Python out")
    measured = ("changes", "policy", "image", "ci-ok")
    every = pipeline.jobs
    monkeypatch.setattr(pipeline, "jobs", lambda service: [job for job in every(service) if job.name in measured])
    result = pipeline.measure("python", template, tmp_path, image_lab, own_registry, ignore)
    assert list(result) == [*pipeline.STATES]
    for times in result.values():
        assert set(times.jobs) == set(measured)
        assert all(seconds > 0 for seconds in times.jobs.values())
        assert times.cache > 10, "tools and dependencies are in it"
        assert times.critical >= max(times.jobs.values())
    assert len(report.pipeline_table({"python": result}).splitlines()) == 4
    assert not (tmp_path / "pipeline" / "python" / "machine").exists()


def test_the_critical_path_is_the_longest_job_between_the_first_and_the_last() -> None:
    by = {
        pipeline.COLD: pipeline.Times({"changes": 1, "lint": 200, "image": 299, "ci-ok": 2}, setup=100, cache=50.4),
        pipeline.WARM: pipeline.Times({"changes": 1, "lint": 297, "image": 20, "ci-ok": 2}, setup=3, cache=50.4),
    }
    assert report.pipeline_table({"go": by}).splitlines()[2:] == [
        "| Go | cold | 100 s | 1 s | 200 s | 299 s | 2 s | image: 302 s | no | 50 MB |",
        "| Go | warm | 3 s | 1 s | 297 s | 20 s | 2 s | lint: 300 s | yes | 50 MB |",
    ]
