"""The tables, in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from benchmarks import copy, fleet, foreign, image_cache, image_run, models, pipeline, services
from benchmarks.samples import Samples, ratio, ratio_of_rounds

NAMES = {"go": "Go", "java": "Java", "node": "Node.js", "python": "Python"}


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def copy_table(result: copy.Result) -> str:
    """Return the table of ``copier copy``: each against the trivial template."""
    small = result[copy.TRIVIAL]
    rows = [
        [
            NAMES.get(name, f"`{name}`" if name == copy.IMPORT else name),
            *(text for one in copy.MEASURES for text in (str(samples[one]), ratio(samples[one], small[one]))),
        ]
        for name, samples in result.items()
    ]
    head = ["`copier copy`", "time", "/ trivial", "CPU", "/ trivial"]
    return _table(head, rows)


def services_table(results: Mapping[str, services.Result]) -> str:
    """Return the table of the services, by language and measure."""
    subjects = (services.SERVICE, services.QUIET, services.BARE)
    rows = []
    for language, by in results.items():
        for one in services.MEASURES:
            bare = by[services.BARE][one]
            compared = (ratio(by[name][one], bare) for name in subjects if name != services.BARE)
            rows.append([NAMES[language], one.name, *(str(by[name][one]) for name in subjects), *compared])
    head = ["language", "measure", *subjects, "service / bare", "without request log / bare"]
    return _table(head, rows)


def model_table(result: models.Result) -> str:
    """Return the table of the service for a model, by size of the requests and measure: each against the bare one."""
    rows = []
    for size, by in result.items():
        for one in models.MEASURES:
            compared = (ratio_of_rounds(by[name][one], by[other][one]) for name, other in models.COMPARED)
            rows.append([size, one.name, *(str(samples[one]) for samples in by.values()), *compared])
    ratios = (f"{name} / {other}" for name, other in models.COMPARED)
    return _table(["requests", "measure", *models.SUBJECTS, *ratios], rows)


def cache_table(results: Mapping[str, image_cache.Result]) -> str:
    """Return the table of the CPU that a build costs an empty builder, by language, Dockerfile and change."""
    rows = []
    for language, by in results.items():
        for kind, samples in by.items():
            cold = samples[image_cache.COLD]
            changes = (samples[change] for change in image_cache.CHANGES if change != image_cache.COLD)
            shares = (f"{one}: {_share(one, cold)}" for one in changes)
            rows.append([NAMES[language], kind, str(cold), *shares, _saved(samples[image_cache.SOURCE], cold)])
    return _table(["language", "Dockerfile", *image_cache.CHANGES, "saved by a source change"], rows)


def extras_table(results: Mapping[str, image_cache.Result]) -> str:
    """Return the table of what was measured once; empty where nothing was."""
    rows = [
        [NAMES[language], kind, *(_first(samples[what]) for what in (image_cache.COLD, *image_cache.EXTRAS))]
        for language, by in results.items()
        for kind, samples in by.items()
        if image_cache.EXTRAS[0] in samples
    ]
    return _table(["language", "Dockerfile", image_cache.COLD, *image_cache.EXTRAS], rows) if rows else ""


def _first(samples: Samples) -> str:
    return f"{samples.values[0]:.1f} {samples.measure.unit}"


def _share(one: Samples, whole: Samples) -> str:
    return f"{one.median / whole.median:.1%}"


def _saved(one: Samples, whole: Samples) -> str:
    return f"{1 - one.median / whole.median:.0%}"


def run_table(results: Mapping[str, image_run.Result]) -> str:
    """Return the table of the images, by language and Dockerfile: those of the content are without spread."""
    rows = [
        [
            NAMES[language],
            kind,
            *(f"{samples[one].median:.3g} {one.unit}".strip() for one in image_run.CONTENT),
            *(str(samples[one]) for one in image_run.RUNNING),
        ]
        for language, by in results.items()
        for kind, samples in by.items()
    ]
    head = ["language", "Dockerfile", *(one.name for one in image_run.MEASURES)]
    return _table(head, rows)


def pipeline_table(results: Mapping[str, pipeline.Result]) -> str:
    """Return the table of the pull-request workflow, by language and state of the caches."""
    names = list(next(iter(next(iter(results.values())).values())).jobs)
    rows = [
        [
            NAMES[language],
            state,
            f"{times.setup:.0f} s",
            *(f"{times.jobs[name]:.0f} s" for name in names),
            f"{times.longest}: {times.critical:.0f} s",
            "yes" if times.critical <= pipeline.TARGET_SECONDS else "no",
            f"{times.cache:.0f} MB",
        ]
        for language, by in results.items()
        for state, times in by.items()
    ]
    target = f"within {pipeline.TARGET_SECONDS // 60} minutes"
    return _table(["language", "caches", "setup", *names, "critical path", target, "cache of the setup"], rows)


def fleet_table(costs: Mapping[str, fleet.Cost]) -> str:
    """Return the table of upgrades, by way: each against ``copier update``, a service.

    Memory is the most that was resident during the first tenth of the services, and during the last.
    """
    slow = costs[fleet.COPIER].cpu / costs[fleet.COPIER].services
    rows = [
        [
            name,
            str(cost.services),
            f"{cost.time:.1f} s",
            f"{cost.cpu / cost.services:.3f} s",
            f"{slow / (cost.cpu / cost.services):.1f}",
            _first_and_last(cost.memory),
        ]
        for name, cost in costs.items()
    ]
    return _table(["way", "services", "time", "CPU a service", "times less CPU than copier update", "memory"], rows)


def foreign_table(spent: Mapping[str, foreign.Spent]) -> str:
    """Return the table of one service, by way: each against the last, by their medians."""
    slowest = list(spent)[-1]
    slow = statistics.median(spent[slowest].cpu)
    rows = [
        [
            name,
            f"{statistics.median(one.cpu):.2f} s ({min(one.cpu):.2f} to {max(one.cpu):.2f})",
            f"{slow / statistics.median(one.cpu):.1f}",
        ]
        for name, one in spent.items()
    ]
    return _table(["way", "CPU", f"times less CPU than {slowest}"], rows)


def _first_and_last(memory: Sequence[float]) -> str:
    tenth = -(-len(memory) // 10)
    return f"{max(memory[:tenth]):.0f} MiB, {max(memory[-tenth:]):.0f} MiB" if memory else ""


def document(facts: Sequence[str], tables: Mapping[str, str]) -> str:
    """Return the whole report.

    Args:
        facts: of the machine and the run, one line each.
        tables: by heading.
    """
    parts = ["\n".join(f"- {fact}" for fact in facts)]
    parts += [f"## {heading}\n\n{table}" for heading, table in tables.items()]
    return "\n\n".join(parts) + "\n"
