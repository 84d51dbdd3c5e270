"""Reading workflows and actions of GitHub: jobs, steps, events, what they use, each with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from golden_path.rules.documents import at, line, maps
from golden_path.rules.files import Files

FILES = "/.github/workflows/*.y*ml"
ACTIONS = ("/.github/actions/**/action.y*ml", "/action.y*ml")
ALL = "write-all"
_USES = re.compile(r"\s*(?:- )?[\"']?uses[\"']?\s*:\s*[\"']?([^\s\"'#]+)")
_BLOCK = re.compile(r":\s*[|>][-+\d]*\s*(?:#.*)?$")  # after which the text begins on the next line


class Job(NamedTuple):
    """A job of a workflow.

    Attributes:
        name: its id.
        line: where it begins.
        data: what it says.
    """

    name: str
    line: int
    data: dict[str, Any]

    def writes(self, scope: str) -> bool:
        """Whether it says itself that it may write in a scope."""
        granted = self.data.get("permissions", {})
        return bool(granted == ALL or (isinstance(granted, dict) and granted.get(scope) == "write"))


class Workflow(NamedTuple):
    """A workflow; without data and jobs if it cannot be read.

    Attributes:
        path: of the file.
        text: of it.
        data: what it says.
        jobs: by id.
    """

    path: str
    text: str
    data: dict[str, Any]
    jobs: dict[str, Job]

    def events(self) -> dict[str, int]:
        """Return the events that start it, with their lines."""
        on = self.data.get("on")
        if isinstance(on, str):
            return {on: line(self.data, "on")}
        if isinstance(on, list):
            return {str(one): line(on, number) for number, one in enumerate(on)}
        return {str(one): line(on, one) for one in on} if isinstance(on, dict) else {}


class Step(NamedTuple):
    """A step of a job or of an action.

    Attributes:
        path: of the file.
        text: of the file.
        data: what it says.
        workflow: that it is of; None for an action's.
    """

    path: str
    text: str
    data: dict[str, Any]
    workflow: Workflow | None

    def line_of(self, part: str) -> int:
        """Return the line of its script on which a part of that stands."""
        first = line(self.data, "run")
        lines_before = str(self.data["run"]).partition(part)[0].count("\n")
        shown = self.text.splitlines()[first - 1 : first]
        return first + lines_before + bool(shown and _BLOCK.search(shown[0]))


def workflows(files: Files) -> list[Workflow]:
    """Return the workflows of a repository."""
    return files.once(_workflows)


def _workflows(files: Files) -> list[Workflow]:
    found = []
    for path in files.own(FILES):
        data = files.mapping(path)
        jobs = data.get("jobs")
        known = jobs.items() if isinstance(jobs, dict) else ()
        named = {str(name): Job(str(name), line(jobs, name), one) for name, one in known if isinstance(one, dict)}
        found.append(Workflow(path, files.text(path) or "", data, named))
    return found


def jobs(files: Files) -> Iterator[tuple[Workflow, Job]]:
    """Yield each job of a repository's workflows, with its workflow."""
    for workflow in workflows(files):
        for job in workflow.jobs.values():
            yield workflow, job


def steps(files: Files) -> list[Step]:
    """Return every step of every job, and of every action of the repository's own."""
    return files.once(_steps)


def _steps(files: Files) -> list[Step]:
    found = [
        Step(workflow.path, workflow.text, step, workflow)
        for workflow in workflows(files)
        for job in workflow.jobs.values()
        for step in maps(job.data.get("steps"))
    ]
    for path in files.own(*ACTIONS):
        text = files.text(path) or ""
        found += [Step(path, text, step, None) for step in maps(at(files.mapping(path), "runs", "steps"))]
    return found


def uses(files: Files) -> Iterator[tuple[str, int, str]]:
    """Yield each action and workflow that is used: file, line and name; by lines of text in files that are no YAML."""
    found = {(one.path, line(one.data, "uses"), str(one.data["uses"])) for one in steps(files) if "uses" in one.data}
    for workflow in workflows(files):
        found |= {
            (workflow.path, line(job.data, "uses"), str(job.data["uses"]))
            for job in workflow.jobs.values() if "uses" in job.data
        }  # fmt: skip
    for path in files.own(FILES, *ACTIONS):
        if not files.mapping(path):
            found |= {
                (path, number, used[1])
                for number, text in enumerate((files.text(path) or "").splitlines(), 1) if (used := _USES.match(text))
            }  # fmt: skip
    yield from sorted(found)


def before(workflow: Workflow, name: str) -> set[str]:
    """Return the ids of the jobs that a job waits for, directly or not."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        job = workflow.jobs.get(waiting.pop())
        needs = job.data.get("needs", []) if job else []
        names = {needs} if isinstance(needs, str) else {str(one) for one in needs} if isinstance(needs, list) else set()
        waiting += names - found
        found |= names
    return found
