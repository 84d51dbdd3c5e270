"""A template's ``_migrations`` and ``_tasks``, run as ``copier update`` runs them, in a checkout of a service's tree.

Copier's public API runs them only within an update of a work tree, so this module uses its ``Worker``; a test compares
the outcome with ``copier update``. ``run`` is for the worker process, ``stage`` for the engine
(``golden_path.upgrade.tasks`` has the engine's part of the tasks).
"""

from __future__ import annotations

import contextlib
import os
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from golden_path.rendering import patches

if TYPE_CHECKING:
    from golden_path.source.template import Template
    from golden_path.store.trees import Store, Tree

TRUST, ANSWER, OTHER = "trust", "answer", "other"
BEFORE, AFTER, TASKS = "before", "after", "tasks"
GUARD = "GOLDEN_PATH_GUARD"  # "off" tells the hooks of our template that this engine sees to it that nothing is lost
LONGEST = 40  # lines of what a stage says
SAID = 1 << 16  # bytes that are kept of the beginning of an output, and of its end
LAST, LAST_CHARACTERS = 5, 600  # lines and characters of what a failed command said last
# Steps and stages in which there is nothing to run, whatever was answered.
_nothing: set[tuple[str, str, str, str]] = set()


class Runner(Protocol):
    """What ``stage`` needs of ``golden_path.rendering.render.Renderer``."""

    def migrate(
        self, template: Template, old: str, new: str, stage: str, target: Path, answers_file: str, *, dry: bool
    ) -> tuple[int, str]:
        """Run a stage, or count what there is to run."""


def stage(
    name: str, tree: Tree, template: Template, old: str, new: str, rendering: Path, answers_file: str,
    runner: Runner, store: Store,
) -> tuple[Tree, list[str]]:  # fmt: skip
    """Run a stage on a tree.

    Args:
        name: ``before`` or ``after``.
        tree: of the service; it is not changed.
        template: its template.
        old: the version that the service has.
        new: the version that it gets.
        rendering: a folder with the answers that the stage sees.
        answers_file: their name.
        runner: a worker.
        store: where trees are.

    Returns:
        The tree afterwards, and what the migrations said, in lines; the same tree where there is nothing to run.

    Raises:
        FleetError: the template is not trusted, or a migration failed.
    """
    if not template.config(new).migrations:
        return tree, []
    count, _ = runner.migrate(template, old, new, name, rendering, answers_file, dry=True)
    if not count:
        return tree, []
    folder = store.folder / name / rendering.name
    folder.mkdir(parents=True)
    with store.checkout(tree, folder) as work:
        _, said = runner.migrate(template, old, new, name, folder, answers_file, dry=False)
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        lines += inner_repositories(folder)
        more = [f"... and {len(lines) - LONGEST} lines more"] if len(lines) > LONGEST else []
        return work(), lines[:LONGEST] + more


def set_aside(store: Store, base: Tree, has: Tree, ours: Tree, theirs: Tree) -> tuple[Tree, Tree, Tree]:
    """Keep out of the merge what ``before`` migrations moved to where the template has nothing: ``after`` wants it.

    It was not a person who moved it, so at the old place the template's new version arrives, as with Copier.

    Args:
        store: that has the trees.
        base: the rendering of the version that the service has.
        has: the service.
        ours: the service after the migrations.
        theirs: the rendering of the version that it gets.

    Returns:
        ``base`` and ``ours`` for the merge, and the files to put beside what it makes.
    """
    if ours is has:
        return base, ours, {}
    from golden_path.store import renames  # the worker starts without it

    moved = renames.find(store, has, ours).moved
    parked = {old: new for old, new in moved.items() if old in base and new not in base and new not in theirs}
    rest = {path: entry for path, entry in ours.items() if path not in parked.values()}
    return (
        {path: entry for path, entry in base.items() if path not in parked},
        rest,
        {new: ours[new] for new in parked.values()},
    )


def inner_repositories(folder: Path) -> list[str]:
    """Return a line for each repository that was made in a folder: none of its files is taken along."""
    from golden_path.store import trees

    return [f"left out, since it is a repository of its own: {path}" for path in trees.nested(folder)]


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
        patches.use_export(job["source"], version, Path(folder))
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
