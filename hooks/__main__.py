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

from golden_path.untrusted import credentials, foreign  # noqa: E402

GUARD, DECIDE = "GOLDEN_PATH_GUARD", 3


def main() -> int:
    """Run one of them; returns the exit code."""
    options = _parser().parse_args()
    service = Path.cwd()
    if options.verb == "migrate":
        from hooks import migrations  # each of these starts without what the others need

        _say(migrations.run(service, options.version))
        return 0
    if os.environ.get(GUARD) == "off":  # who runs Copier sees to it
        return 0
    return _guard(service, options) if options.verb == "guard" else _summary(service, options)


def _guard(service: Path, options: argparse.Namespace) -> int:
    from golden_path.store import aside
    from hooks import guard

    template, data = Path(options.template), json.loads(options.data)
    problem = guard.guard(service, template, os.environ["VERSION_FROM"], options.answers_file, data)
    place = aside.folder(service)
    kept = [f"  kept      what no commit has and Copier may remove, in {place} until the update ends"]
    _say([problem] if problem else kept if place.is_dir() else [])
    return DECIDE if problem else 0


def _summary(service: Path, options: argparse.Namespace) -> int:
    from golden_path.upgrade import after_copier

    told = after_copier.summary(service)
    _say(told.decide if options.quiet == "True" else [*told.done, *told.decide, *told.next])
    return DECIDE if told.decide else 0


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


def _run() -> int:
    try:
        return main()
    except Exception as error:
        from golden_path import unexpected
        from golden_path.store import aside
        from hooks import guard

        ours = isinstance(error, guard.UnknownOutcomeError | aside.LeftAsideError)
        _say([f"golden-path: {error if ours else unexpected.told(error)[0]}"])
        return 1


if __name__ == "__main__":
    sys.exit(_run())
