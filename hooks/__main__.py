"""The commands that ``_migrations`` in copier.yml run, in the root of a service: ``guard``, ``migrate``, ``summary``.

Copier says through the environment from which version to which (``VERSION_FROM``, ``VERSION_TO``). Exit codes: 0; 1, it
cannot be done; 3, a person has to decide something.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # run as a folder, this is in no package

from golden_path import unexpected  # noqa: E402
from golden_path.store.git import GitError  # noqa: E402
from golden_path.untrusted import credentials, foreign  # noqa: E402
from hooks import guard, migration, summary, uncommitted  # noqa: E402

DECIDE = 3


def main() -> int:
    """Run one of them; returns the exit code."""
    options = _parser().parse_args()
    service = Path.cwd()
    try:
        if options.verb == "migrate":
            _say(migration.run(service, options.version))
            return 0
        if options.verb == "guard":
            template, data = Path(options.template), json.loads(options.data)
            problem = guard.guard(service, template, os.environ["VERSION_FROM"], options.answers_file, data)
            aside = uncommitted.folder(service)
            kept = [f"  kept      what no commit has and Copier may remove, in {aside} until the update ends"]
            _say([problem] if problem else kept if aside.is_dir() else [])
            return DECIDE if problem else 0
        told = summary.summary(service)
        _say(told.decide if options.quiet == "True" else [*told.done, *told.decide, *told.next])
        return DECIDE if told.decide else 0
    except (GitError, guard.UnknownOutcomeError, uncommitted.LeftAsideError) as error:
        _say([f"golden-path: {error}"])
        return 1
    except Exception as error:
        _say([f"golden-path: {unexpected.told(error)[0]}"])
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hooks")
    verbs = parser.add_subparsers(required=True, dest="verb")
    one = verbs.add_parser("guard", help="before: refuse an update in which Copier would lose somebody's work")
    one.add_argument("--template", required=True, help="the checkout of the new version")
    one.add_argument("--answers-file", required=True)
    one.add_argument("--data", default="{}", help="what the user gave, as JSON")
    one = verbs.add_parser("migrate", help="run the migrations of a version")
    one.add_argument("version")
    one = verbs.add_parser("summary", help="after: say what changed, what is to be decided, what comes next")
    one.add_argument("--quiet", choices=("True", "False"), default="False", help="only what is to be decided")
    return parser


def _say(lines: list[str]) -> None:
    for line in lines:
        sys.stderr.buffer.write(f"{foreign.line(credentials.masked(line))}\n".encode())
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
