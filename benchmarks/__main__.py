"""Measure ``copier copy``, the services and their images beside something plain; print a report in Markdown."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import (
    copy,
    fleet,
    foreign,
    image_cache,
    image_run,
    load,
    machine,
    models,
    pipeline,
    report,
    services,
    verb,
)
from tests.labs import template as lab
from tests.labs import toolchains
from tests.labs.images import Lab, LabError

PARTS = ("copy", "services", "model", "image-cache", "image-run", "pipeline", "fleet", "foreign", "verb")
DEFAULT_PARTS = ("copy", "services")  # the others need the image lab and more time, the first of them hours


def say(text: str) -> None:
    """Print a line about the progress; the report alone goes to standard output."""
    sys.stderr.write(f"{text}\n")


def _some_of(names: tuple[str, ...]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        chosen = text.split(",")
        if unknown := sorted(set(chosen) - set(names)):
            raise argparse.ArgumentTypeError(
                f"there is no {', '.join(map(repr, unknown))}; there are {', '.join(names)}"
            )
        return list(dict.fromkeys(chosen))

    return parse


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 10000:
        raise argparse.ArgumentTypeError(f"must be an integer from 1 to 10000, not {text!r}")
    return int(text)


def _arguments() -> argparse.Namespace:
    defaults = services.Settings()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--parts", type=_some_of(PARTS), default=list(DEFAULT_PARTS), help=",".join(PARTS))
    parser.add_argument(
        "--languages", type=_some_of(toolchains.LANGUAGES), default=list(toolchains.LANGUAGES), help="go,java,..."
    )
    parser.add_argument("--rounds", type=_count, default=defaults.rounds, help="how often each is measured")
    parser.add_argument("--seconds", type=_count, default=defaults.seconds, help="of load that is counted")
    parser.add_argument("--warm-up", type=_count, default=defaults.warm_up, help="seconds of load before that")
    parser.add_argument("--connections", type=_count, default=defaults.connections, help="requests at once")
    parser.add_argument("--fleet-services", type=_count, default=60, help="of the part fleet, through the engine")
    parser.add_argument("--fleet-compared", type=_count, default=8, help="of them, through copier update as well")
    parser.add_argument("--fleet-before", default="", metavar="COMMIT", help="an older engine, measured beside")
    parser.add_argument("--fleet-names", type=_count, default=0, metavar="N", help="names of them; one each by default")
    parser.add_argument("--output", type=Path, help="a file to write the report to as well")
    arguments = parser.parse_args()
    if arguments.output and not arguments.output.parent.is_dir():
        parser.error(f"argument --output: there is no folder {arguments.output.parent}")
    return arguments


def run(arguments: argparse.Namespace) -> str:
    """Measure, and return the report.

    Raises:
        toolchains.MissingToolchainError: a toolchain is not there.
        RuntimeError: something does not build, start or answer.
    """
    if not sys.platform.startswith("linux"):
        raise RuntimeError("the benchmarks read /proc: run them on Linux")
    for language in arguments.languages:
        toolchains.locate(language)
    facts = machine.facts(arguments.languages)
    tables = {}
    with tempfile.TemporaryDirectory(prefix="golden-path-benchmarks-") as folder:
        work = Path(folder)
        template = lab.snapshot(work / "template")
        if "copy" in arguments.parts:
            copied = copy.measure(arguments.languages, template, work, arguments.rounds, say)
            tables["Copying the template"] = report.copy_table(copied)
        if "services" in arguments.parts:
            settings = services.Settings(arguments.rounds, arguments.seconds, arguments.warm_up, arguments.connections)
            facts.append(_load_fact(settings))
            program = load.install()
            served = {}
            for language in arguments.languages:
                say(f"{language}: building")
                subjects = services.prepare(language, template, work)
                served[language] = services.measure(language, subjects, program, settings, say)
            tables["Services"] = report.services_table(served)
        if "model" in arguments.parts:
            settings = services.Settings(arguments.rounds, arguments.seconds, arguments.warm_up, arguments.connections)
            facts.append(_load_fact(settings))
            predicted = models.measure(models.prepare(template, work), load.install(), settings, say)
            tables["A service for a model"] = report.model_table(predicted)
        if images := [part for part in arguments.parts if part.startswith("image-")]:
            facts.append(f"images: median of {arguments.rounds} rounds (least to greatest)")
            with Lab() as image_lab:
                tables |= _images(images, arguments, template, work, image_lab)
        if "fleet" in arguments.parts:
            number, compared = arguments.fleet_services, min(arguments.fleet_services, arguments.fleet_compared)
            before, names = arguments.fleet_before, arguments.fleet_names
            costs = fleet.measure(template, work, arguments.languages, number, compared, say, before, names)
            tables["Upgrading a fleet"] = report.fleet_table(costs)
        if "foreign" in arguments.parts:
            facts.append(f"foreign: median of {arguments.rounds} rounds (least to greatest)")
            tables["Upgrading a service of another template"] = report.foreign_table(
                foreign.measure(work, arguments.rounds, say)
            )
        if "verb" in arguments.parts:
            facts.append(f"verb: median of {arguments.rounds} rounds (least to greatest)")
            tables["Upgrading a service by its verb"] = report.foreign_table(
                verb.measure(work, arguments.languages[0], arguments.rounds, say, arguments.fleet_before)
            )
        if "pipeline" in arguments.parts:
            with Lab() as image_lab:
                waited = {}
                for language in arguments.languages:
                    waited[language] = pipeline.measure(language, template, work, image_lab, image_lab.registry, say)
                    say(report.pipeline_table(waited))
                tables["The pull-request workflow"] = report.pipeline_table(waited)
    return report.document(facts, tables)


def _load_fact(settings: services.Settings) -> str:
    return (
        f"median of {settings.rounds} rounds (least to greatest); {settings.connections} connections for "
        f"{settings.seconds} s after {settings.warm_up} s of warm-up"
    )


def _images(
    parts: Sequence[str], arguments: argparse.Namespace, template: Path, work: Path, image_lab: Lab
) -> dict[str, str]:
    """Measure what is asked for of the images; returns the tables by heading."""
    tables = {}
    if "image-cache" in parts:
        built = {}
        for language in arguments.languages:
            subjects = image_cache.prepare(language, template, work, image_lab.registry)
            built[language] = image_cache.measure(subjects, image_lab, arguments.rounds, say)
            say(report.cache_table(built))  # an hour's work is not lost to what fails later
        tables["CPU of a build by an empty builder with the registry's cache"] = report.cache_table(built)
        tables["The same with more of a pipeline, once"] = report.extras_table(built)
    if "image-run" in parts:
        ran = {}
        for language in arguments.languages:
            say(f"{language}: building the images")
            images = image_run.prepare(language, template, work, image_lab, image_lab.registry)
            try:
                ran[language] = image_run.measure(language, images, arguments.rounds, say)
            finally:
                image_run.remove(images)
        tables["The image"] = report.run_table(ran)
    return tables


def main() -> int:
    """Command line; returns the exit code."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the service that runs is ended too
    try:
        text = run(arguments)
    except (toolchains.MissingToolchainError, LabError, RuntimeError, subprocess.TimeoutExpired) as error:
        say(f"benchmarks: {error}")
        return 1
    sys.stdout.write(text)
    if arguments.output:
        arguments.output.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
