"""The service of a model beside the same model in ONNX Runtime behind a bare FastAPI."""

from __future__ import annotations

import json
import shlex
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks import load
from benchmarks.process import Running
from benchmarks.samples import Measure, Samples, alternating
from benchmarks.services import BARE, SERVICE, SETTLE_SECONDS, Settings
from tests.labs import template as lab
from tests.labs.service import make, variable
from tests.labs.toolchains import ROOT, answers_of

KIND = "model"
# In `without samples`, no request is looked at for drift: beside the service, that shows what the sample costs.
UNSAMPLED = "without samples"
# It computes where it serves the connections, and answers nothing else meanwhile, not even whether it is alive.
BLOCKING = "bare, blocking"
SUBJECTS = (SERVICE, UNSAMPLED, BARE, BLOCKING)
COMPARED = ((SERVICE, BARE), (SERVICE, BLOCKING), (SERVICE, UNSAMPLED))
BATCH = 20
SIZES = {"one instance": 1, f"a batch of {BATCH}": BATCH}
RATE = Measure("predictions per second", "/s")
P99 = Measure("p99 of a request", "ms")
CPU = Measure("CPU per prediction", "µs")
MEMORY = Measure("RSS, after load", "MiB")
MEASURES = (RATE, P99, CPU, MEMORY)

_JSON = {"Content-Type": "application/json"}

Result = dict[str, dict[str, dict[Measure, Samples]]]  # by size and subject


@dataclass(frozen=True)
class Subject:
    """One of those that are compared: where it is started, and by what."""

    folder: Path
    command: list[str]


def prepare(template: Path, work: Path) -> dict[str, Subject]:
    """Write a service for a model with default answers, train its model, and write the bare one for that model.

    Args:
        template: a snapshot of the template.
        work: a folder for all of it.

    Returns:
        What is compared, by name. All run the same file of the model with the same settings of ONNX Runtime.

    Raises:
        RuntimeError: the service does not build; with the output.
    """
    folder = lab.render(template, work / "model-service", answers_of(KIND))
    lab.commit_all(folder)
    lab.git(folder, "tag", "v1.0.0")
    done = make(folder, "python", "build", env={"CI": "true"})
    if done.returncode != 0:
        raise RuntimeError(f"the service for a model does not build:\n{done.stdout}")
    command = shlex.split(variable(folder, "python", "RUN"))
    plain = work / "model-bare"
    shutil.copytree(Path(__file__).parent / "bare" / KIND, plain)
    card = json.loads((folder / "model/model.json").read_text())
    threads = make(folder, "python", "--silent", "--eval", f"show: ; @{_THREADS}", "show").stdout.strip()
    settings = {
        "MODEL": str(folder.resolve() / "model/model.onnx"),
        "FEATURES": ",".join(column["feature"]["name"] for column in card["columns"]),
        "CLASSES": ",".join(card["target"]["bins"]["names"]),
        "THREADS": threads,
    }

    def bare(*, at_once: str) -> Subject:
        variables = (f"{name}={value}" for name, value in {**settings, "AT_ONCE": at_once}.items())
        return Subject(plain, ["env", *variables, str(folder.resolve() / ".venv/bin/python"), "main.py"])

    return {
        SERVICE: Subject(folder, command),
        UNSAMPLED: Subject(folder, ["env", "DRIFT_SAMPLE_EVERY=0", *command]),
        BARE: bare(at_once="false"),
        BLOCKING: bare(at_once="true"),
    }


_THREADS = "PYTHONPATH=src .venv/bin/python -c 'from $(notdir $(PACKAGE)).model.cpus import threads; print(threads())'"


def measure(subjects: dict[str, Subject], program: Path, settings: Settings, say: Callable[[str], None]) -> Result:
    """Start all subjects, and ask one after the other for predictions, in turns.

    All run all the time, unlike services that are compared by their start, too: the turns are so short that what else
    the machine does falls on all of them, and the ratios of a round can be compared with those of another.

    Args:
        subjects: what ``prepare`` returned.
        program: the load generator.
        settings: how long and how often.
        say: takes a line about the progress.

    Returns:
        By size of the requests and by subject, the samples of every measure.

    Raises:
        RuntimeError: one does not start, fails a request, or answers something else than the others.
    """
    result: Result = {size: {name: {one: Samples(one) for one in MEASURES} for name in subjects} for size in SIZES}
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(Running("python", one.folder, one.command)) for name, one in subjects.items()
        }
        time.sleep(SETTLE_SECONDS)
        for size in SIZES:
            answered = {name: _warmed(one, SIZES[size], program, settings) for name, one in running.items()}
            if len(set(answered.values())) != 1:
                raise RuntimeError(f"they do not predict the same: {answered}")
            for number, name in alternating(list(subjects), settings.rounds):
                say(f"model: {size}, round {number} of {settings.rounds}, {name}")
                for one, value in _loaded(running[name], SIZES[size], program, settings).items():
                    result[size][name][one].values.append(value)
    return result


def _request(running: Running, size: int) -> tuple[str, str]:
    """The address for requests of a size, and the document to send there."""
    instance = json.loads((ROOT / "partials/instance.json.jinja").read_text())
    base = f"http://127.0.0.1:{running.port}/v1/predictions"
    if size == 1:
        return base, json.dumps(instance)
    return f"{base}/batch", json.dumps({"instances": [instance] * size})


def _warmed(running: Running, size: int, program: Path, settings: Settings) -> tuple[str, ...]:
    """What it predicts, after some load."""
    url, document = _request(running, size)
    load.run(program, url, settings.warm_up, settings.connections, document)
    answer = httpx.post(url, content=document, headers=_JSON, trust_env=False, timeout=30).raise_for_status().json()
    return tuple(one["prediction"] for one in answer.get("predictions", [answer]))


def _loaded(running: Running, size: int, program: Path, settings: Settings) -> dict[Measure, float]:
    url, document = _request(running, size)
    before = running.cpu_seconds()
    done = load.run(program, url, settings.seconds, settings.connections, document)
    predictions = done.requests * size
    return {
        RATE: predictions / done.seconds,
        P99: done.p99 * 1e3,
        CPU: (running.cpu_seconds() - before) / predictions * 1e6,
        MEMORY: running.resident_mib(),
    }
