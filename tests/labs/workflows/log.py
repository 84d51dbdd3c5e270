"""What a run did, read from act's log and from the log of the stand-ins."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.labs.workflows.stand_ins.record import MARK

_MARK = re.compile(rf"{MARK}([0-9a-f]{{32}})\r?\n?")
_RUNNER = re.compile(r"Skipping unsupported platform .* `-P (\S+)=")
# Between several jobs of one id: what GitHub makes of a matrix, or of the jobs of a called workflow.
_ORDER = ("failure", "cancelled", "success", "skipped")


@dataclass(frozen=True)
class Call:
    """One call of an action or of a recorded program.

    Attributes:
        kind: ``action`` or ``command``.
        name: of the action or program.
        job: key of the job in ``Result.jobs``.
        step: id of the step, its number where it has none; behind it, after ``/``, that of the step in its action.
        inputs: what an action was given.
        arguments: what a program was given.
        env: the variables of a program that its recorder names.
        stdin: what a program read.
        folder: where a program ran.
    """

    kind: str
    name: str
    job: str
    step: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: str = ""
    folder: str = ""

    @property
    def line(self) -> str:
        """A program and its arguments, joined by spaces."""
        return " ".join((self.name, *self.arguments))


@dataclass
class Step:
    """One step of a job.

    Attributes:
        id: its id, its number where it has none.
        name: its name; what it runs or uses where it has none.
        result: ``success``, ``failure`` or ``skipped``, before ``continue-on-error``; empty if it never ended.
        output: what it printed, lines such as ``::error::text`` too.
        outputs: its outputs.
    """

    id: str
    name: str
    result: str = ""
    output: str = ""
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass
class Job:
    """One job, or one leg of a matrix.

    Attributes:
        id: its id; ``caller/id`` in a called workflow.
        matrix: its leg.
        result: ``success``, ``failure``, ``skipped`` or, where a test wanted that, ``cancelled``.
        steps: in order, those that were skipped too.
        summary: all that its steps wrote to ``GITHUB_STEP_SUMMARY``.
        began: place of its first line in the log.
        ended: place of its last line in the log.
    """

    id: str
    matrix: Mapping[str, Any]
    result: str = ""
    steps: list[Step] = field(default_factory=list)
    summary: str = ""
    began: int = 0
    ended: int = 0

    @property
    def key(self) -> str:
        """The id, and the leg as GitHub shows it."""
        return f"{self.id} ({', '.join(map(str, self.matrix.values()))})" if self.matrix else self.id

    def step(self, name: str) -> Step:
        """Return a step by name or id.

        Raises:
            AssertionError: there is none, or more than one.
        """
        found = [step for step in self.steps if name in (step.name, step.id)]
        if len(found) != 1:
            raise AssertionError(f"job {self.key}: {len(found)} steps {name!r} in {[s.name for s in self.steps]}")
        return found[0]

    @property
    def output(self) -> str:
        """What its steps printed."""
        return "".join(step.output for step in self.steps)


@dataclass(frozen=True)
class Result:
    """One run.

    Attributes:
        code: act's exit code: not 0 where a job failed.
        jobs: by key: ``build``, ``build (arm64)`` for a leg of a matrix, ``call/build`` in a called workflow.
        calls: of actions and recorded programs, in order.
        stdout: what all steps printed, and act's own errors.
        missing: jobs that act never came to: it stops where a job of a called workflow fails.
        artifacts: folder of what was uploaded, one folder an artifact.
        remotes: folder of the repositories, bare, as ``owner/name``: what a job pushed is in them.
    """

    code: int
    jobs: Mapping[str, Job]
    calls: tuple[Call, ...]
    stdout: str
    missing: tuple[str, ...]
    artifacts: Path
    remotes: Path

    def result(self, job: str) -> str:
        """Return how a job ended: all legs of a matrix, all jobs of a called workflow.

        Raises:
            AssertionError: there is no such job, or act never came to it.
        """
        found = {one.result for key, one in self.jobs.items() if key == job or one.id == job}
        found = found or {one.result for one in self.jobs.values() if one.id.startswith(f"{job}/")}
        if not found:
            why = "act stops where a called workflow fails: give run() how that ended" if job in self.missing else ""
            raise AssertionError(f"job {job} did not run: {why or ', '.join(self.jobs)}")
        return next(result for result in _ORDER if result in found)

    @property
    def results(self) -> dict[str, str]:
        """How every job ended, by key."""
        return {key: job.result for key, job in self.jobs.items()}

    def called(self, name: str, job: str = "") -> list[Call]:
        """Return the calls of an action or program, of one job if that is given."""
        return [call for call in self.calls if call.name == name and job in ("", call.job)]


class Reader:
    """Reads act's JSON log.

    Args:
        workflow: name of the workflow as act has it.
        callers: ids of the jobs that call a workflow, by the name that act has for them.
    """

    def __init__(self, workflow: str, callers: Mapping[str, str]) -> None:
        self._workflow = workflow
        self._callers = callers
        self._jobs: dict[tuple[str, str], Job] = {}
        self._marks: dict[str, tuple[str, str]] = {}
        self._nested: set[tuple[str, str]] = set()
        self._failed: set[str] = set()
        self.text: list[str] = []

    def read(self, lines: Iterable[str]) -> None:
        """Read all lines."""
        for place, line in enumerate(lines):
            try:
                event = json.loads(line)
            except ValueError:
                event = None
            if isinstance(event, dict):
                self._event(place, event)
            # Those that begin so act writes before it knows that it is to write JSON.
            elif line.strip() and not line.startswith('time="'):
                self.text.append(line.rstrip())

    def jobs(self) -> dict[str, Job]:
        """Return the jobs, in the order in which they began."""
        for job in self._jobs.values():
            # act has one result for all legs of a matrix.
            if job.matrix and job.result == "failure" and job.key not in self._failed:
                job.result = "success"
        return {job.key: job for job in sorted(self._jobs.values(), key=lambda job: job.began)}

    def place(self, key: str) -> tuple[str, str] | None:
        """Return job and step of the call with this key, if its mark is in the log."""
        return self._marks.get(key)

    def _id(self, event: Mapping[str, Any]) -> str:
        name, job = event["job"].strip(), str(event["jobID"])
        if name.startswith(f"{self._workflow}/"):
            return job
        caller = next((key for text, key in self._callers.items() if name.startswith(f"{text}/")), "")
        return f"{caller}/{job}" if caller else job

    def _event(self, place: int, event: Mapping[str, Any]) -> None:
        if "jobID" not in event:
            if event.get("level") in ("error", "fatal"):
                self.text.append(event["msg"])
            return
        matrix = event.get("matrix") or {}
        job = Job(self._id(event), matrix, began=place)
        job = self._jobs.setdefault((job.id, json.dumps(matrix, sort_keys=True)), job)
        job.ended = place
        job.result = event.get("jobResult", job.result)
        if missing := _RUNNER.search(event["msg"]):
            self.text.append(f"the lab has no runner {missing[1]}")
        path = event.get("stepID", [])
        if event.get("raw_output"):
            self._output(job, path, event, event["msg"])
        elif "raw" in event and event["command"] != "add-mask":
            # A line such as ::error::text, which act has understood.
            self._output(job, path, event, f"{event['raw']}\n")
        elif event.get("command") == "set-output" and len(path) == 1:
            self._step(job, path, event).outputs[event["name"]] = event["arg"]
        elif event.get("command") == "summary":
            # A step that runs an action finds the last summary of that action's steps again.
            if len(path) > 1:
                self._nested.add((job.key, path[0]))
            if len(path) > 1 or (job.key, path[0]) not in self._nested:
                job.summary += event["content"]
        elif event.get("level") == "error" and not path[1:]:
            self._failed.add(job.key)
            self.text.append(f"[{job.key}] {event['msg']}")
        if len(path) == 1 and event.get("stage") == "Main":
            step = self._step(job, path, event)
            step.result = event.get("stepResult", step.result)

    @staticmethod
    def _step(job: Job, path: list[str], event: Mapping[str, Any]) -> Step:
        for step in job.steps:
            if step.id == path[0]:
                return step
        job.steps.append(Step(path[0], event.get("step", "")))
        return job.steps[-1]

    def _output(self, job: Job, path: list[str], event: Mapping[str, Any], text: str) -> None:
        text = text.replace("\x04", "")
        for key in _MARK.findall(text):
            self._marks[key] = (job.key, "/".join(path))
        text = _MARK.sub("", text)
        if not text:
            return
        if path and event.get("stage") == "Main":
            self._step(job, path, event).output += text
        self.text.append(f"[{job.key}] {text.rstrip()}")


def calls(file: Path, reader: Reader) -> tuple[Call, ...]:
    """Read the log of the stand-ins.

    Args:
        file: the log; it may be missing.
        reader: of act's log, which tells where each call was made.
    """
    found = []
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
        entry = json.loads(line)
        job, step = reader.place(entry.pop("key")) or (entry["job"], entry["step"])
        entry["arguments"] = tuple(entry.get("arguments", ()))
        found.append(Call(**{**entry, "job": job, "step": step.removesuffix("/stub")}))
    return tuple(found)
