"""Each generated service beside a bare one of the same framework: start, memory, requests."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks import bare, load
from benchmarks.process import Running
from benchmarks.samples import Measure, Samples, alternating
from tests.labs import template as lab
from tests.labs.service import make, variable

START = Measure("start to ready", "ms")
START_CPU = Measure("CPU until ready", "ms")
IDLE = Measure("RSS, idle", "MiB")
LOADED = Measure("RSS, after load", "MiB")
RATE = Measure("requests per second", "/s")
REQUEST_CPU = Measure("CPU per request", "µs")
MEASURES = (START, START_CPU, IDLE, LOADED, RATE, REQUEST_CPU)
# What is measured, by the names that the tables show.
SERVICE = "service"
QUIET = "without request log"
BARE = "bare"
SETTLE_SECONDS = 1  # what a start leaves to do in the background is done by then

Say = Callable[[str], None]
Result = dict[str, dict[Measure, Samples]]  # by subject


@dataclass(frozen=True)
class Settings:
    """How to measure.

    Attributes:
        rounds: how often each is started and loaded.
        seconds: how long requests are counted.
        warm_up: seconds of load before that, for caches and compilers at run time.
        connections: requests at once.
    """

    rounds: int = 3
    seconds: int = 5
    warm_up: int = 10
    connections: int = 16


@dataclass(frozen=True)
class Subject:
    """One of those that are compared.

    Attributes:
        folder: where it is started.
        command: what starts it.
        item: makes the item to ask for at a base URL, and returns its path.
    """

    folder: Path
    command: list[str]
    item: Callable[[str], str]


def prepare(language: str, template: Path, work: Path) -> dict[str, Subject]:
    """Write and build the service with default answers, and the bare one.

    Args:
        language: ``go``, ``java``, ``node`` or ``python``.
        template: a snapshot of the template.
        work: a folder for all of it.

    Returns:
        The service, the same with only its log of requests switched off (which shows what that log costs, and for
        start and memory, where it is idle, how far two runs of the same thing are apart), and the bare one.

    Raises:
        RuntimeError: one of them cannot be written or built; with its output.
    """
    folder = lab.render(template, work / f"{language}-service", {"language": language})
    lab.commit_all(folder)
    lab.git(folder, "tag", "v1.0.0")
    # Not `make setup`: it also installs the linters, which for Go takes minutes.
    done = make(folder, language, "build", env={"CI": "true"})
    if done.returncode != 0:
        raise RuntimeError(f"the {language} service does not build:\n{done.stdout}")
    # As the image runs it: without what makes Java start faster and then run slower.
    command = shlex.split(variable(folder, language, "RUN", "QUICK="))
    plain = work / f"{language}-bare"
    return {
        SERVICE: Subject(folder, command, _create),
        QUIET: Subject(folder, ["env", "LOG_LEVEL=warn", *command], _create),
        BARE: Subject(plain, bare.build(language, folder, plain), _any),
    }


def _create(url: str) -> str:
    answer = httpx.post(f"{url}/v1/items", json={"name": "first", "quantity": 3}, trust_env=False, timeout=30)
    return f"/v1/items/{answer.raise_for_status().json()['id']}"


def _any(_: str) -> str:
    return "/items/6b1f8d2e-0d3c-4c57-9b0a-5a3c1f0e7d42"


def measure(language: str, subjects: dict[str, Subject], program: Path, settings: Settings, say: Say) -> Result:
    """Start each subject in turn and measure it.

    Args:
        language: of all of them.
        subjects: what ``prepare`` returned.
        program: the load generator.
        settings: how long and how often.
        say: takes a line about the progress.

    Returns:
        By subject, the samples of every measure.

    Raises:
        RuntimeError: one does not start, or fails a request.
    """
    result: Result = {name: {one: Samples(one) for one in MEASURES} for name in subjects}
    for number, name in alternating(list(subjects), settings.rounds):
        say(f"{language}: round {number} of {settings.rounds}, {name}")
        for one, value in _once(language, subjects[name], program, settings).items():
            result[name][one].values.append(value)
    return result


def _once(language: str, subject: Subject, program: Path, settings: Settings) -> dict[Measure, float]:
    with Running(language, subject.folder, subject.command) as running:
        time.sleep(SETTLE_SECONDS)
        idle = running.resident_mib()
        base = f"http://127.0.0.1:{running.port}"
        url = base + subject.item(base)
        _check_item(url)
        load.run(program, url, settings.warm_up, settings.connections)
        before = running.cpu_seconds()
        done = load.run(program, url, settings.seconds, settings.connections)
        cpu = running.cpu_seconds() - before
        return {
            START: running.seconds_to_ready * 1e3,
            START_CPU: running.cpu_to_ready * 1e3,
            IDLE: idle,
            LOADED: running.resident_mib(),
            RATE: done.requests / done.seconds,
            REQUEST_CPU: cpu / done.requests * 1e6,
        }


def _check_item(url: str) -> None:
    """All must answer with the same amount of JSON, or the comparison means nothing."""
    answer = httpx.get(url, trust_env=False, timeout=30)
    item = json.loads(answer.raise_for_status().text)
    if len(item) != 4 or not 110 <= len(answer.content) <= 140:
        raise RuntimeError(f"{url} answers with something else than the item: {answer.text}")
