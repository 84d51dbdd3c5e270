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

from fleet import migrations, patches

TRUST, ANSWER, OTHER = migrations.TRUST, migrations.ANSWER, migrations.OTHER
TASKS = migrations.TASKS


LONGEST = 40  # lines of what a template says


def render(job: dict[str, Any]) -> dict[str, Any]:
    """Render a version of a template.

    Args:
        job: ``source``, ``version``, ``export``, ``target``, ``data``, ``answers_file``, ``trust``.

    Returns:
        The ``messages`` of an update, or the ``kind`` and the ``reason`` of a failure.
    """
    import copier
    from copier.errors import UnsafeTemplateError

    patches.use_export(job["source"], job["version"], Path(job["export"]))
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
        return {"messages": _messages(done)}
    except UnsafeTemplateError as error:
        return {"kind": TRUST, "reason": str(error)}
    except ValueError as error:
        return {"kind": ANSWER, "reason": str(error)}
    except (Exception, SystemExit) as error:  # whatever a template's own code raises
        return {"kind": OTHER, "reason": f"{error}" or type(error).__name__}


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
    os.environ[migrations.GUARD] = "off"
    sys.dont_write_bytecode = True  # an export is not written to
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    if patches.wanted():
        patches.apply()
    with contextlib.suppress(BrokenPipeError):
        serve(jobs, results)


if __name__ == "__main__":
    main()
