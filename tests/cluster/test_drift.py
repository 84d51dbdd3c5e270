"""The rules of drift, in promtool: the index that a service's own code computes of the same counts, or none."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from tests.cluster.promtool import get, promtool, rules
from tests.cluster.services import objects, only, script
from tests.labs import template as lab
from tests.labs.toolchains import answers_of

TRAINED = [10, 20, 30, 40, 0]
HOURS = 3


@pytest.fixture(scope="module", autouse=True)
def _promtool() -> None:
    get()


@pytest.fixture(scope="module")
def service(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lab.render(template, tmp_path_factory.mktemp("drift") / "screening", answers_of("model"))


def index(service: Path, seen: Sequence[int]) -> float:
    """The index that the service's own module gives."""
    code = f"from screening.model.drift import psi; print(psi({TRAINED}, {list(seen)}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=service / "src", capture_output=True, text=True, check=True)
    return float(done.stdout)


def series(
    seen: Sequence[int], model: str = "abc", pods: int = 1, namespace: str = "screening-staging"
) -> list[dict[str, str]]:
    """Counters of bins that grow by so much a minute in each pod, and the reference."""
    found = []
    for pod in range(pods):
        for place, (count, trained) in enumerate(zip(seen, TRAINED, strict=True)):
            labels = (
                f'job="screening", namespace="{namespace}", pod="{pod}", model="{model}", feature="age", bin="{place}"'
            )
            found += [
                {"series": f"model_sampled_values_total{{{labels}}}", "values": f"0+{count}x{60 * HOURS}"},
                {"series": f"model_reference_ratio{{{labels}}}", "values": f"{trained / 100}x{60 * HOURS}"},
            ]
    return found


def found(service: Path, folder: Path, query: str, given: list[dict[str, str]]) -> dict[str, float]:
    """Return what a query gives after some hours, by the labels that promtool prints."""
    file = rules(service, folder, "drift.yaml")
    case = {
        "interval": "1m",
        "input_series": given,
        "promql_expr_test": [{"expr": query, "eval_time": f"{HOURS}h"}],
    }
    test = folder / "test.yaml"
    test.write_text(yaml.safe_dump({"rule_files": [str(file)], "evaluation_interval": "1m", "tests": [case]}))
    done = promtool("test", "rules", test, cwd=folder)
    text = done.stdout + done.stderr
    # The expectation is empty, so promtool prints what it found where there is anything.
    got = text.partition("got: ")[2]
    values = {labels: float(value) for labels, value in re.findall(r"\{([^}]*)\} ([\d.eE+-]+)", got)}
    assert values or done.returncode == 0, text
    return values


PSI = "sum by (model, namespace) (service:model_psi:1h)"


def changed(service: Path, folder: Path, before: str, after: str) -> subprocess.CompletedProcess[str]:
    """Copy the service, replace something in its slo.yaml, and run ``make slo`` there."""
    shutil.copytree(service, folder / "copy", symlinks=True)
    slo = folder / "copy/slo.yaml"
    assert before in slo.read_text()
    slo.write_text(slo.read_text().replace(before, after))
    return script(folder / "copy", "slo", "write")


def test_the_limit_is_that_of_the_objectives(service: Path, tmp_path: Path) -> None:
    """Of the alert, and of the canary: its own pods, and those of the stable version."""
    assert changed(service, tmp_path, "psi: 0.25", "psi: 2").returncode == 0
    assert found(tmp_path / "copy", tmp_path, ALERTS, series([4, 3, 2, 1, 0])) == {}
    written = objects((tmp_path / "copy/.golden-path/slo/drift.yaml").read_text())
    [metric] = only(written, "AnalysisTemplate")["spec"]["metrics"]
    assert metric["successCondition"].endswith("result[0] <= 2")
    assert metric["failureCondition"].endswith("result[0] > 2")
    assert "> 2)" in metric["provider"]["prometheus"]["query"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("psi: 0.25", "psi: 0", "drift.psi must be a number above 0, up to 10, not 0"),
        ("psi: 0.25", "psi: yes", "drift.psi must be a number above 0, up to 10, not True"),
        ("psi: 0.25", "threshold: 1", "drift.psi must be a number above 0, up to 10, not None"),
        ("drift:", "drifts:", "it lacks drift, with psi: how far the model's data may move"),
    ],
)
def test_a_limit_that_makes_no_sense(service: Path, tmp_path: Path, before: str, after: str, said: str) -> None:
    done = changed(service, tmp_path, before, after)
    assert (done.returncode, done.stderr) == (2, f"  FAIL  slo.yaml: {said}\n")


def test_rules_are_valid(service: Path, tmp_path: Path) -> None:
    done = promtool("check", "rules", rules(service, tmp_path, "drift.yaml"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "9 rules found" in done.stdout


@pytest.mark.parametrize(
    "seen",
    [
        [1, 2, 3, 4, 0],  # as in the training
        [4, 3, 2, 1, 0],
        [10, 0, 0, 0, 0],  # bins that are empty now
        [1, 2, 3, 0, 4],  # a bin that was empty
    ],
    ids=str,
)
@pytest.mark.parametrize("pods", [1, 3])
def test_the_index_is_that_of_the_code(service: Path, tmp_path: Path, seen: list[int], pods: int) -> None:
    values = found(service, tmp_path, PSI, series(seen, pods=pods))
    assert list(values.values()) == [pytest.approx(index(service, seen), abs=1e-6)]


def test_models_and_environments_do_not_mix(service: Path, tmp_path: Path) -> None:
    given = [
        *series([1, 2, 3, 4, 0]),
        *series([4, 3, 2, 1, 0], model="def"),
        *series([10, 0, 0, 0, 0], namespace="screening-production"),
    ]
    values = found(service, tmp_path, PSI, given)
    expected = sorted(index(service, seen) for seen in ([1, 2, 3, 4, 0], [4, 3, 2, 1, 0], [10, 0, 0, 0, 0]))
    assert sorted(values.values()) == [pytest.approx(one, abs=1e-6) for one in expected]


@pytest.mark.parametrize("seen", [[0, 0, 0, 0, 0], [1, 0, 0, 1, 1]], ids=["none", "few"])
def test_no_index_of_few_values_or_none(service: Path, tmp_path: Path, seen: list[int]) -> None:
    assert found(service, tmp_path, PSI, series(seen)) == {}


ALERTS = "count by (feature, severity) (ALERTS{alertname='ModelDrift', alertstate='firing'})"


@pytest.mark.parametrize(
    ("seen", "expected"), [([1, 2, 3, 4, 0], {}), ([4, 3, 2, 1, 0], {'feature="age", severity="ticket"': 1})], ids=str
)
def test_an_alert(service: Path, tmp_path: Path, seen: list[int], expected: dict[str, float]) -> None:
    assert found(service, tmp_path, ALERTS, series(seen)) == expected
