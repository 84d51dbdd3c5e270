"""The benchmarks run and measure what they say; how fast anything is, no test asks."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import bare, copy, fleet, foreign, load, machine, models, report, services, verb
from benchmarks.samples import Measure, Samples, alternating, ratio, ratio_of_rounds
from tests.labs.toolchains import LANGUAGES, ROOT
from tests.selection.plugin import chosen


def ignore(_: str) -> None:
    """Take a line about the progress."""


def test_copy_is_measured_beside_a_trivial_template(template: Path, tmp_path: Path) -> None:
    result = copy.measure(["python"], template, tmp_path, 1, ignore)
    assert list(result) == [copy.IMPORT, copy.TRIVIAL, "python"]
    for samples in result.values():
        assert set(samples) == set(copy.MEASURES)
        assert all(len(one.values) == 1 and one.values[0] > 0 for one in samples.values())
    for name in (copy.TRIVIAL, "python"):
        assert result[name][copy.CPU].values > result[copy.IMPORT][copy.CPU].values, "Copier itself was run"
    assert (tmp_path / "copied" / "pyproject.toml").exists(), "the last run was that of the language"
    assert len(report.copy_table(result).splitlines()) == 2 + 3


def test_service_is_measured_beside_a_bare_one(request: pytest.FixtureRequest, template: Path, tmp_path: Path) -> None:
    """In Go, which is cheap to build; all that differs in the others is how the bare one is built."""
    if "go" not in chosen(request.config):
        pytest.skip("--languages leaves Go out")
    settings = services.Settings(rounds=1, seconds=1, warm_up=1, connections=2)
    subjects = services.prepare("go", template, tmp_path)
    result = services.measure("go", subjects, load.install(), settings, ignore)
    assert list(result) == [services.SERVICE, services.QUIET, services.BARE]
    for samples in result.values():
        assert set(samples) == set(services.MEASURES)
        assert all(len(one.values) == 1 and one.values[0] > 0 for one in samples.values())
    assert len(report.services_table({"go": result}).splitlines()) == 2 + len(services.MEASURES)


def test_predictions_are_measured_beside_a_bare_runtime(
    request: pytest.FixtureRequest, template: Path, tmp_path: Path
) -> None:
    """All of them predict the same, or this fails."""
    if "python" not in chosen(request.config):
        pytest.skip("--languages leaves Python out")
    settings = services.Settings(rounds=1, seconds=1, warm_up=1, connections=2)
    result = models.measure(models.prepare(template, tmp_path), load.install(), settings, ignore)
    assert list(result) == list(models.SIZES)
    for by in result.values():
        assert tuple(by) == models.SUBJECTS
        for samples in by.values():
            assert all(len(samples[one].values) == 1 and samples[one].values[0] > 0 for one in models.MEASURES)
    assert len(report.model_table(result).splitlines()) == 2 + len(models.SIZES) * len(models.MEASURES)


def test_fleet_is_measured_beside_copier_update(template: Path, tmp_path: Path) -> None:
    before = dict(os.environ)
    source = tmp_path / "template"
    shutil.copytree(template, source, symlinks=True)
    costs = fleet.measure(source, tmp_path, ["go"], 2, 1, ignore, before="HEAD")
    assert list(costs) == [fleet.ENGINE, "golden-path apply of HEAD", fleet.UNPATCHED, fleet.COPIER]
    assert [cost.services for cost in costs.values()] == [2, 2, 1, 1]
    assert all(cost.cpu > 0 and cost.time > 0 for cost in costs.values())
    assert [len(cost.memory) for cost in costs.values()] == [2, 2, 1, 0]
    assert all(10 < one < 2000 for cost in costs.values() for one in cost.memory)
    assert len(report.fleet_table(costs).splitlines()) == 2 + 4
    assert dict(os.environ) == before, "what runs next in this process would have no guard"


def test_another_template_is_measured_beside_copier_update(tmp_path: Path) -> None:
    """All ways end in one tree, or this fails."""
    spent = foreign.measure(tmp_path, 1, ignore)
    assert [len(one.cpu) for one in spent.values()] == [1, 1, 1]
    assert all(one.cpu[0] > 0 for one in spent.values())
    assert len(report.foreign_table(spent).splitlines()) == 2 + 3
    files = list((tmp_path / "foreign" / "template").rglob("*.*"))
    assert (len(files), foreign.QUESTIONS) == (foreign.FILES, 100)


def test_the_verb_is_measured_beside_copier_update(tmp_path: Path) -> None:
    """All ways end in one tree, or this fails."""
    spent = verb.measure(tmp_path, "go", 1, ignore)
    assert list(spent) == [verb.WARM, verb.COLD, verb.COPIER]
    assert all(one.cpu[0] > 0 for one in spent.values())
    assert report.foreign_table(spent).splitlines()[0].endswith(f"| times less CPU than {verb.COPIER} |")


def test_every_language_has_a_bare_service() -> None:
    assert sorted(path.name for path in Path(bare.__file__).parent.iterdir() if path.name in LANGUAGES) == [*LANGUAGES]


def test_rounds_alternate() -> None:
    assert [name for _, name in alternating(["a", "b"], 3)] == ["a", "b", "b", "a", "a", "b"]


def test_samples_show_median_and_spread() -> None:
    milliseconds = Measure("time", "ms")
    samples = Samples(milliseconds, [1234.5, 20.06, 0.5])
    assert str(samples) == "20.1 ms (0.5 to 1234)"
    assert ratio(samples, Samples(milliseconds, [10.0])) == "2.01"
    assert ratio_of_rounds(samples, Samples(milliseconds, [617.25, 2.006, 1.0])) == "2.00"


def test_facts_hold_no_path() -> None:
    facts = machine.facts([])
    assert re.match(r"\d{4}-\d{2}-\d{2}, commit [0-9a-f]{12}", facts[0])
    assert not any("/" in fact for fact in facts)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--languages", "go,cobol"], "argument --languages: there is no 'cobol'; there are go, java, node, python"),
        (
            ["--parts", "images"],
            "argument --parts: there is no 'images'; there are copy, services, model, image-cache, image-run, "
            "pipeline, fleet, foreign, verb",
        ),
        (["--rounds", "0"], "argument --rounds: must be an integer from 1 to 10000, not '0'"),
        (["--output", "nowhere/report.md"], "argument --output: there is no folder nowhere"),
    ],
)
def test_bad_arguments_are_named(arguments: list[str], message: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"python -m benchmarks: error: {message}"
