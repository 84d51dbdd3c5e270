"""Challenger and champion on the same data: the better one is proposed; worse, alike or not comparable is not."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.labs import toolchains

pytestmark = [pytest.mark.models, pytest.mark.only("model")]

# Two trees guess; the data of another clinic are not those that the model was trained on.
OTHERS = """
import sys
sys.path[:0] = ["src", "."]
from pathlib import Path
from sklearn.ensemble import RandomForestClassifier
import training.__main__ as training
from training.data import raw
training.fit = lambda data: RandomForestClassifier(2, random_state=1, n_jobs=1).fit(data.rows, data.labels)
training.train(raw(), Path("build/few"))
training.train(raw().iloc[:300], Path("build/less"))
"""


def python(service: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [".venv/bin/python", *arguments], cwd=service, env={**toolchains.environment("model"), **env}, text=True,
        capture_output=True, check=False,
    )  # fmt: skip


def compared(service: Path, challenger: str, champion: str) -> tuple[int, str, str, str]:
    """Exit code, what is printed for $GITHUB_OUTPUT, what is said, and the text for the pull request."""
    done = python(
        service, ".golden-path", "data", "compare", "model-orders", "acme/model-orders", "model_orders", challenger,
        CHAMPION=champion, CHAMPION_REF="registry.example/m@sha256:1" if champion else "", GITHUB_STEP_SUMMARY="",
    )  # fmt: skip
    notes = service / "build/retrain/notes.md"
    return done.returncode, done.stdout, done.stderr, notes.read_text() if notes.exists() else ""


def test_the_better_one_is_proposed(model_service: Path) -> None:
    done = python(model_service, "-c", OTHERS)
    assert done.returncode == 0, done.stderr
    code, printed, said, notes = compared(model_service, "model", "build/few")
    assert (code, printed) == (0, "propose=true\n")
    assert "better than the champion on the same held-out data" in said
    rows = {line.split("|")[1].strip(): line.split("|")[2:5] for line in notes.splitlines() if line.startswith("| ")}
    champion, challenger, moved = (float(one) for one in rows["log_loss"])
    assert challenger < champion
    assert moved == pytest.approx(challenger - champion, abs=1e-5)
    assert "The champion is `registry.example/m@sha256:1`." in notes

    code, printed, said, notes = compared(model_service, "build/few", "model")
    assert (code, printed) == (0, "propose=false\n")
    assert "log_loss is" in said
    assert "and not below the champion's" in said
    assert notes.startswith("Not proposed: log_loss is")

    code, printed, said, notes = compared(model_service, "model", "model")
    assert (code, printed) == (0, "propose=false\n")
    assert "the same data and code gave the model that runs already" in said

    code, printed, said, notes = compared(model_service, "model", "")
    assert (code, printed) == (0, "propose=true\n")
    assert notes.startswith("Proposed: there is no champion")

    code, printed, said, _ = compared(model_service, "build/less", "model")
    assert (code, printed) == (2, "")
    assert "the data have changed since the model was trained: train again" in said

    (model_service / "build/few/model.onnx").write_bytes(b"no model")
    code, printed, said, _ = compared(model_service, "model", "build/few")
    assert (code, printed) == (2, "")
    assert "build/few must have the model.onnx that its model.json describes" in said


def test_a_violation_asks_for_a_retraining_where_that_is_wanted(model_service: Path, tmp_path: Path) -> None:
    """gh is a stand-in, which keeps what it is asked."""
    gh = tmp_path / "gh"
    gh.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\ncat >>{tmp_path}/asked\n')
    gh.chmod(0o755)
    (model_service / "rows.csv").write_text("mean radius\n0.1\n")
    given = {"INPUT": "rows.csv", "OUTPUT": "told.csv", "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    score = (".golden-path", "data", "score", "model-orders", "acme/model-orders", "model_orders", "model")
    assert python(model_service, *score, **given).returncode == 1
    assert not (tmp_path / "asked").exists()
    done = python(model_service, *score, ON_VIOLATION="retrain", **given)
    assert done.returncode == 1
    assert "a retraining is asked for" in done.stderr
    asked = (tmp_path / "asked").read_text()
    assert asked.startswith("api --silent --method POST repos/acme/model-orders/dispatches --input -\n")
    assert '"event_type": "retrain"' in asked
    assert "mean radius: 1 of 1 rows is not at least 1" in asked
