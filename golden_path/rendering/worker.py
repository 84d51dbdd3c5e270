"""The process that renders: reads one job a line, runs ``copier.run_copy``, writes one line about it.

A process of its own, so that the patches, a template's extensions and what they print stay out of the engine, and one
for many services, so that Copier is imported once. It ends when its input does, that is with the engine.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any, TextIO

from golden_path import switch
from golden_path.rendering import exports, migrations, patches

TRUST, ANSWER, OTHER = migrations.TRUST, migrations.ANSWER, migrations.OTHER
TASKS = migrations.TASKS
LONGEST = 40  # lines of what a template says
VARIABLES = (switch.SWITCH,)  # what it sees besides what every program needs
_HOME = "GOLDEN_PATH_HOME"


def settings() -> dict[str, str]:
    """Return what tells the worker where the user's settings of Copier are: whom they trust counts there, too."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    folder = Path(base) if Path(base).is_absolute() else Path.home() / ".config"
    if sys.platform == "darwin" and not base:
        folder = Path.home() / "Library/Application Support"
    path = os.environ.get("COPIER_SETTINGS_PATH") or str(folder / "copier" / "settings.yml")
    return {_HOME: str(Path.home())} | ({"COPIER_SETTINGS_PATH": path} if Path(path).is_file() else {})


def render(job: dict[str, Any]) -> dict[str, Any]:
    """Render a version of a template.

    Args:
        job: ``source``, ``version``, ``export``, ``target``, ``data``, ``answers_file``, ``trust``; and ``objects``,
            ``shared``, ``form`` and ``attributes``, if the files may go to git's objects at once.

    Returns:
        The ``messages`` of an update, and the ``files`` where they did; or ``kind`` and ``reason`` of a failure.
    """
    import copier
    from copier.errors import UnsafeTemplateError

    exports.use_export(job["source"], job["version"], Path(job["export"]))
    sink = None
    if "objects" in job:
        from golden_path.rendering import contents  # the engine, which imports this module, starts without it

        attributes = str(job["attributes"]).encode(errors="surrogateescape")
        sink = contents.Sink(job["objects"], job["shared"], job["form"], attributes)
        patches.sinks.append(sink)
    try:
        done = copier.run_copy(
            job["source"],
            job["target"],
            data=job["data"],
            answers_file=job["answers_file"],
            vcs_ref=job["version"],
            defaults=True,
            overwrite=True,
            quiet=True,
            unsafe=job["trust"],
            skip_tasks=True,  # fleet.tasks runs them, where they count
        )
        return {"messages": _messages(done), **({"files": sink.files} if sink and sink.files is not None else {})}
    except UnsafeTemplateError as error:
        return {"kind": TRUST, "reason": str(error)}
    except ValueError as error:
        return {"kind": ANSWER, "reason": str(error)}
    except (Exception, SystemExit) as error:  # whatever a template's own code raises
        return {"kind": OTHER, "reason": f"{error}" or type(error).__name__}
    finally:
        patches.sinks.clear()


def _messages(done: Any) -> list[str]:
    """The lines of ``_message_before_update`` and ``_message_after_update``."""
    texts = (done.template.message_before_update, done.template.message_after_update)
    if not any(texts):
        return []
    said = [line.rstrip() for text in texts for line in str(done._render_string(text)).splitlines()]
    lines = [line for line in said if line]
    return lines[:LONGEST] + ([f"... and {len(lines) - LONGEST} lines more"] if len(lines) > LONGEST else [])


def serve(jobs: TextIO, results: TextIO) -> None:
    """Do jobs until there are no more.

    Args:
        jobs: one a line, as JSON.
        results: one a line, as JSON.
    """
    for line in jobs:
        job = json.loads(line)
        done: dict[str, Any] = migrations.run(job) if job.get("stage") else render(job)
        results.write(json.dumps(done) + "\n")
        results.flush()


def main() -> None:
    """Take over standard input and output, so that no task of a template reads or writes there."""
    warnings.simplefilter("ignore")
    jobs, results = os.fdopen(os.dup(0), "r"), os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    sys.stdout = sys.stderr = os.fdopen(os.dup(nothing), "w")
    _know_home(os.environ.pop(_HOME, ""))
    os.environ[migrations.GUARD] = "off"
    sys.dont_write_bytecode = True  # an export is not written to
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    if switch.wanted():
        patches.apply()
    with contextlib.suppress(BrokenPipeError):
        serve(jobs, results)
    if switch.wanted():
        from golden_path.rendering import compiled

        compiled.save()


def _know_home(home: str) -> None:
    """Let ``~`` in an address, and in whom Copier's settings trust, be the user's; the programs' home is empty."""
    original = os.path.expanduser

    def expanded(path: Any) -> Any:
        text = os.fspath(path)
        mine = isinstance(text, str) and (text == "~" or text.startswith("~/"))
        return f"{home}{text[1:]}" if mine else original(path)

    if home:
        os.path.expanduser = expanded


if __name__ == "__main__":
    main()
