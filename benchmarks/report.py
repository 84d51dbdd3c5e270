"""The tables, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks import copy, services
from benchmarks.samples import ratio

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


def document(facts: Sequence[str], tables: Mapping[str, str]) -> str:
    """Return the whole report.

    Args:
        facts: of the machine and the run, one line each.
        tables: by heading.
    """
    parts = ["\n".join(f"- {fact}" for fact in facts)]
    parts += [f"## {heading}\n\n{table}" for heading, table in tables.items()]
    return "\n\n".join(parts) + "\n"
