"""The command line ``golden-path``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from golden_path import switch, unexpected
from golden_path.errors import Exit
from golden_path.output import print_json as _print_json
from golden_path.output import print_lines as _print
from golden_path.output import print_patch as _patch
from golden_path.output import say as _say
from golden_path.platform import commands as platform
from golden_path.rehearsal import simulate_cli
from golden_path.rendering.render import Renderer
from golden_path.reporting import report_cli
from golden_path.rollout import options as rollout
from golden_path.rules.book import ERROR, SEVERITIES
from golden_path.source.template import Templates
from golden_path.store import in_the_way, service
from golden_path.upgrade import apply, moved, plan, proposal, report, rollback, status
from golden_path.upgrade.upgrade import between


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    rollout.refuse(parser, options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that temporary folders go
    if options.patches == "off":
        os.environ[switch.SWITCH] = "off"
    try:
        return int(options.run(options))
    except KeyboardInterrupt:
        _say("golden-path: interrupted; nothing was changed, or the branch is complete")
        return 130
    except BrokenPipeError:  # whoever reads our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.FAILED)
    except Exception as error:
        problem, code = unexpected.told(error)
        _say(f"golden-path: {problem}")
        return int(code)


def _on_a_fleet() -> ModuleType:
    from golden_path.rollout import commands  # the other commands start without it

    return commands


def _plan(options: argparse.Namespace) -> int:
    if options.fleet:
        return int(_on_a_fleet().plan(options))
    opened = service.load(options.path, options.answers_file)
    template = Templates().get(opened.answers.source)
    new = plan.target(template, opened.answers.version, options.to)
    with (
        Renderer(trust=options.trust) as renderer,
        between(opened, template.at(opened.answers.version), template.at(new), renderer, options.data) as upgrade,
    ):
        planned, store = plan.compute(upgrade), upgrade.store
        if options.json:
            _print_json(report.plan_json(planned, store, str(options.path), opened.answers.source))
        else:
            _print(*report.plan_text(planned, store, diff=options.diff))
    if line := moved.line(opened, template):
        _say(f"golden-path: {line}")
    if service.uncommitted(opened):
        _say("golden-path: uncommitted changes are not looked at")
    return Exit.CONFLICT if planned.conflicts else Exit.DONE


def _apply(options: argparse.Namespace) -> int:
    with Renderer(trust=options.trust) as renderer:
        done = apply.apply(
            options.path,
            renderer,
            to=options.to,
            data=options.data,
            answers_file=options.answers_file,
            checkout=options.checkout,
        )
    if options.proposal and done.branch:
        proposal.write(options.proposal, options.path, done.branch, done.commit)
    if done.moved:
        _say(f"golden-path: {done.moved}")
    if done.dirty:
        _say("golden-path: uncommitted changes stay in the work tree and are not part of the upgrade")
    if options.json:
        facts = {"status": done.status, "branch": done.branch, "commit": done.commit, "risk": done.plan.risk}
        files = [{"path": one.path, "status": one.status, "reason": one.reason} for one in done.plan.changes]
        _print_json({**facts, "from": done.plan.old, "to": done.plan.new, "files": files,
                     "notes": list(done.plan.notes), "in_the_way": list(done.in_the_way),
                     "earlier": list(done.earlier)})  # fmt: skip
    elif done.status == apply.CURRENT:
        _print(f"nothing to do: the service has {done.plan.old} of the template")
    elif done.status == apply.THERE:
        _print(f"nothing to do: {done.branch} is there already")
    else:
        _print(f"{done.branch}: risk {done.plan.risk}, {report.counts(done.plan)}")
        _print(*(f"  decide    {one.path}: {one.reason}" for one in done.plan.conflicts))
        _print(*(f"  note      {note}" for note in done.plan.notes))
        _print(*in_the_way.next_steps(done.branch, done.in_the_way))
    if not options.json:
        _print(*(f"  close     {one}: of an earlier engine; it can be deleted" for one in done.earlier))
    return Exit.CONFLICT if done.plan.conflicts else Exit.DONE


def _rollback(options: argparse.Namespace) -> int:
    done = rollback.rollback(options.path, answers_file=options.answers_file)
    names = ", ".join(done.branches)
    if options.json:
        _print_json({"status": done.status, "branches": done.branches, "to": done.version, "conflicts": done.conflicts})
    elif done.status == rollback.REMOVED:
        _print(f"removed: {names}; the service stays at {done.version}")
    else:
        made = "nothing to do" if done.status == rollback.THERE else "made"
        _print(f"{made}: {names} goes back to {done.version}; merge it")
        _print(*(f"  decide    {path}: it was changed since, so it is as it was" for path in done.conflicts))
    return Exit.CONFLICT if done.conflicts else Exit.DONE


def _status(options: argparse.Namespace) -> int:
    if options.fleet:
        return int(_on_a_fleet().status(options))
    rows: list[status.Status] = []
    failed: dict[str, str] = {}
    templates, code = Templates(), 0
    with Renderer(trust=options.trust) as renderer:
        for path in options.paths:
            try:
                rows.append(status.status(
                    path, renderer, templates, answers_file=options.answers_file, count_lines=options.drift
                ))  # fmt: skip
                if rows[-1].moved:
                    _say(f"golden-path: {path}: {rows[-1].moved}")
            except Exception as error:
                failed[str(path)], found = unexpected.told(error)
                _say(f"golden-path: {path}: {failed[str(path)]}")
                code = code or int(found)
    if options.json:
        _print_json(report.status_json(rows, failed))
    elif options.drift:
        _print(*(line for row in rows for line in report.drift_markdown(row)))
    elif rows:
        _print(*report.status_table(rows))
    return code


def _adopt(options: argparse.Namespace) -> int:
    from golden_path.adopting import adopt, adopt_text  # the other commands start without it

    with Renderer(trust=options.trust) as renderer:
        done = adopt.adopt(
            options.path,
            renderer,
            source=options.template,
            to=options.to,
            data=options.data,
            answers_file=options.answers_file,
            wanted=options.wanted,
            only=options.only,
            show=options.diff,
        )
    if done.dirty:
        _say("golden-path: uncommitted changes stay in the work tree and are not looked at")
    if options.json:
        _print_json(adopt_text.as_json(done))
    else:
        _print(*adopt_text.text(done))
    return Exit.CONFLICT if done.adoption.open else Exit.DONE


def _doctor(options: argparse.Namespace) -> int:
    from golden_path.doctor import checkup, output  # the other commands start without it
    from golden_path.rules import book

    if options.list:
        _print(*book.lines())
        return Exit.DONE
    with Renderer(trust=options.trust) as renderer:
        report = checkup.examine(options.path, renderer, answers_file=options.answers_file, only=options.only)
    if options.sarif:
        output.write_sarif(report, options.sarif)
    if report.dirty:
        _say("golden-path: uncommitted changes are not looked at")
    for problem in report.failed:
        _say(f"golden-path: {problem}")
    if options.json:
        _print_json(output.as_json(report))
    elif options.fix_diff:
        _patch(report.fixes)
    else:
        _print(*output.text(report))
    if report.failed:
        return Exit.FAILED
    asked = (*SEVERITIES, "none").index(options.fail_on)
    bad = any(SEVERITIES.index(one.rule.severity) <= asked for one in report.findings)
    return Exit.CONFLICT if bad and options.fail_on != "none" else Exit.DONE


class _Data(argparse.Action):
    def __call__(
        self, parser: argparse.ArgumentParser, options: argparse.Namespace, value: Any, _option: str | None = None
    ) -> None:
        name, equals, answer = str(value).partition("=")
        if not name or not equals:
            parser.error(f"argument --data: must be NAME=VALUE, not {value!r}")
        setattr(options, self.dest, {**getattr(options, self.dest), name: answer})


class _Version(argparse.Action):
    def __call__(
        self, parser: argparse.ArgumentParser, _options: argparse.Namespace, _value: Any, _option: str | None = None
    ) -> None:
        from golden_path import about  # the commands start without it

        _print(*about.lines())
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="golden-path", description="Carry new versions of Copier templates into services; nobody's work is lost."
    )
    parser.add_argument(
        "--version", action=_Version, nargs=0, help="say the versions of golden-path, Copier, git and Python"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    rollout.add(commands)
    for name, run, text in (
        ("plan", _plan, "say what an upgrade would do, file by file; change nothing"),
        ("apply", _apply, "make the branch of an upgrade, with one commit"),
        ("rollback", _rollback, "remove the branch of an upgrade, or make one that takes a merged upgrade back"),
        ("status", _status, "list version, versions behind, drift and last upgrade"),
        ("adopt", _adopt, "bring a repository without an answers file into the fleet: a branch, with one commit"),
        ("doctor", _doctor, "check the health of a repository: findings, a score, and fixes as a diff"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run, patches="on", trust=False)
        command.add_argument("--json", action="store_true", help="for programs")
        command.add_argument("--answers-file", default="", help="which, where there are several")
        if name == "status":
            command.add_argument("paths", metavar="PATH", type=Path, nargs="*", help="the root of a repository")
        elif name == "plan":
            command.add_argument("path", metavar="PATH", type=Path, nargs="?", help="the root of a repository")
        else:
            optional: dict[str, Any] = {"nargs": "?", "default": Path()} if name == "doctor" else {}
            command.add_argument("path", metavar="PATH", type=Path, help="the root of a repository", **optional)
        if name in ("plan", "status"):
            rollout.options_of_fleet(command, html=name == "status")
        if name != "rollback":
            command.add_argument("--trust", action="store_true", help="let the template run code of its own")
            command.add_argument(
                "--patches", choices=("on", "off"), help=f"speed patches to Copier, as {switch.SWITCH}"
            )
        if name in ("plan", "apply", "adopt"):
            command.add_argument(
                "--to", default="", metavar="VERSION", help="a tag of the template; the newest by default"
            )
            command.add_argument("--data", action=_Data, default={}, metavar="NAME=VALUE", help="an answer")
        if name == "doctor":
            command.add_argument("--sarif", metavar="FILE", type=Path, help="write the findings as SARIF 2.1.0")
            command.add_argument("--fix-diff", action="store_true", help="print what 'git apply' takes to fix some")
            command.add_argument(
                "--fail-on", choices=(*SEVERITIES, "none"), default=ERROR, help="exit code 3 from here"
            )
            command.add_argument("--only", action="append", default=[], metavar="RULE", help="check this rule alone")
            command.add_argument("--list", action="store_true", help="list the rules")
        if name == "adopt":
            command.add_argument("--template", default="", metavar="URL", help="the template, as copier takes it")
            command.add_argument("--diff", action="store_true", help="show what it would do, line by line; do nothing")
            command.add_argument(
                "--with", dest="wanted", action="append", default=[], metavar="PATTERN",
                help="add these files, too, which would be left out",
            )  # fmt: skip
            command.add_argument(
                "--only", action="append", default=[], metavar="PART,...",
                help="bring these parts of the template alone, and later more",
            )  # fmt: skip
        if name == "plan":
            command.add_argument("--diff", action="store_true", help="with the changed lines")
        if name == "status":
            command.add_argument("--drift", action="store_true", help="list the files that differ, as Markdown")
        if name == "apply":
            command.add_argument(
                "--proposal", metavar="FILE", type=Path, help="write the text of the pull request, as JSON"
            )
            command.add_argument("--checkout", action="store_true", help="switch the work tree to the branch")
    simulate_cli.add(commands)
    report_cli.add(commands)
    platform.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
