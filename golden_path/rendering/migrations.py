"""A template's ``_migrations`` and ``_tasks``, run as ``copier update`` runs them, in a checkout of a service's tree.

Copier's public API runs them only within an update of a work tree, so this module uses its ``Worker``; a test compares
the outcome with ``copier update``. For the worker process; the engine's part is in ``golden_path.upgrade``,
``migrated`` and ``tasks``.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from golden_path.rendering import exports

TRUST, ANSWER, OTHER = "trust", "answer", "other"
BEFORE, AFTER, TASKS = "before", "after", "tasks"
GUARD = "GOLDEN_PATH_GUARD"  # "off" tells the hooks of our template that this engine sees to it that nothing is lost
SAID = 1 << 16  # bytes that are kept of the beginning of an output, and of its end
LAST, LAST_CHARACTERS = 5, 600  # lines and characters of what a failed command said last
# Steps and stages in which there is nothing to run, whatever was answered.
_nothing: set[tuple[str, str, str, str]] = set()


def run(job: Mapping[str, Any]) -> dict[str, Any]:
    """Run a stage, or the tasks, in the worker process.

    Args:
        job: ``stage``, ``source``, ``old``, ``version``, ``exports`` by version, ``target``, ``answers_file``,
            ``trust``, ``dry``, and ``data`` for the tasks.

    Returns:
        ``count``, ``said`` and, of tasks, their ``commands``; or ``kind`` and ``reason`` of a failure.
    """
    from copier import Phase, _main, _template
    from copier._settings import is_trusted_repository
    from copier.errors import TaskError

    step = (job["source"], *job["exports"].values(), job["stage"])
    if step in _nothing:
        return {"count": 0, "said": "", "commands": []}
    tasked = job["stage"] == TASKS
    for version, folder in job["exports"].items():
        exports.use_export(job["source"], version, Path(folder))
    operation = _main._operation.set("update")
    said, output = "", [""]
    try:
        with (
            Phase.use(Phase.TASKS if tasked else Phase.MIGRATE),
            _main.Worker(
                src_path=job["source"], dst_path=Path(job["target"]), vcs_ref=job["version"],
                answers_file=Path(job["answers_file"]), defaults=True, overwrite=True, quiet=True,
                unsafe=job["trust"], data=job.get("data", {}),
            ) as worker,
        ):  # fmt: skip
            before = _template.Template(url=job["source"], ref=job["old"])
            every = worker.template.tasks if tasked else worker.template.migration_tasks(job["stage"], before)
            tasks = [task for task in every if _wanted(worker, task, job["stage"])]
            if not tasks and all(_names(worker, task) <= _fixed(worker, task) for task in every):
                _nothing.add(step)
            trusted = job["trust"] or is_trusted_repository(worker.settings.trust, worker.template.url)
            if tasks and not trusted and not (tasked and job["dry"]):  # to say which tasks there are runs none
                return {"kind": TRUST, "reason": f"it uses features: {'tasks' if tasked else 'migrations'}."}
            commands = [_command(worker, task, job["stage"]) for task in tasks] if tasked else []
            if tasks and not job["dry"]:
                _ask_once(worker, job["stage"])
                with _captured(output):
                    worker._execute_tasks(tasks)
                said = output[0]
        return {"count": len(tasks), "said": said, "commands": commands}
    except TaskError as error:
        return {"kind": OTHER, "reason": f"{_last(output[0]) or error} (exit code {error.returncode})"}
    except (Exception, SystemExit) as error:  # whatever a template's own code raises
        return {"kind": OTHER, "reason": f"{error}" or type(error).__name__}
    finally:
        _main._operation.reset(operation)


def _names(worker: Any, task: Any) -> set[str]:
    """What a condition asks for."""
    from jinja2 import TemplateError, meta

    try:
        return set(meta.find_undeclared_variables(worker.jinja_env.parse(str(task.condition))))
    except TemplateError:
        return set(worker.template.questions_data)


def _fixed(worker: Any, task: Any) -> set[str]:
    """What is the same for each service that takes a step."""
    return {"_copier_operation", *(f"_{name}" for name in task.extra_vars), *worker.jinja_env.globals}


def _wanted(worker: Any, task: Any, stage: str) -> bool:
    """Whether Copier would run a task. Answers are only computed where the condition uses one: that takes long."""
    from copier._tools import cast_to_bool

    if isinstance(task.condition, bool):
        return task.condition
    if _names(worker, task) & set(worker.template.questions_data):
        _ask_once(worker, stage)
    context = {f"_{name}": value for name, value in task.extra_vars.items()} | {"_copier_operation": "update"}
    return bool(cast_to_bool(worker._render_value(task.condition, context)))


def _command(worker: Any, task: Any, stage: str) -> str:
    """What a task runs, as a person would type it."""
    _ask_once(worker, stage)
    context = {f"_{name}": value for name, value in task.extra_vars.items()} | {"_copier_operation": "update"}
    if isinstance(task.cmd, str):
        return str(worker._render_string(task.cmd, context))
    return shlex.join(str(worker._render_string(str(part), context)) for part in task.cmd)


def _last(output: str) -> str:
    """The last lines of what a failed command said, as one."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return " | ".join(lines[-LAST:])[-LAST_CHARACTERS:]


def _ask_once(worker: Any, stage: str) -> None:
    """Before an update, Copier has asked nothing yet; a condition that needs an answer fails there, as with Copier."""
    if stage != BEFORE and not worker.answers.last:
        worker._ask()


@contextlib.contextmanager
def _captured(output: list[str]) -> Iterator[None]:
    """Catch what programs print into a list's first item; the worker's own standard output and error lead nowhere."""
    with tempfile.TemporaryFile() as file:
        kept = [os.dup(number) for number in (1, 2)]
        try:
            for number in (1, 2):
                os.dup2(file.fileno(), number)
            yield
        finally:
            for number, old in zip((1, 2), kept, strict=True):
                os.dup2(old, number)
                os.close(old)
            size = os.fstat(file.fileno()).st_size
            said = [os.pread(file.fileno(), SAID, at) for at in sorted({0, max(size - SAID, 0)})]
            output[0] = (b"".join(said) if size <= SAID else b"\n...\n".join(said)).decode(errors="replace")
