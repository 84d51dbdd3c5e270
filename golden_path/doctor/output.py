"""What a person or a program reads of a checkup."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

from golden_path import about
from golden_path.doctor.checkup import Report
from golden_path.errors import Exit, FleetError
from golden_path.rules.book import RULES, SEVERITIES, Finding
from golden_path.store.trees import raw
from golden_path.untrusted import inside

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def text(report: Report) -> Iterator[str]:
    """Yield the findings, the worst first, and the score."""
    for one in sorted(report.findings, key=lambda one: SEVERITIES.index(one.rule.severity)):
        yield f"{one.rule.severity:<7} {one.rule.identifier} {one.place}: {one.found.message}"
    if report.skipped:
        yield f"not compared with the template: {report.skipped}"
    counts = ", ".join(
        f"{number} {severity}{'s' if number > 1 else ''}"
        for severity in SEVERITIES
        if (number := sum(one.rule.severity == severity for one in report.findings))
    )
    fixes = sum(one.found.fix is not None for one in report.findings)
    if report.judged:
        yield f"judged: {', '.join(report.judged)}"
        made = " - ".join(["100", *(f"{points} ({identifier})" for identifier, points in report.costs.items())])
        made = f" = {made}" if report.costs and report.score else f": {made}" if report.costs else ""
    else:
        made = " (nothing to judge: no workflow, image, manifest or dependency of its own)"
    yield f"score {report.score} of 100{made}: {counts or 'nothing found'}" + (
        f"; --fix-diff shows the changes that fix {fixes}" if fixes else ""
    )


def as_json(report: Report) -> dict[str, Any]:
    """Return it for a program (docs/reference/doctor.md describes it)."""
    return {
        "path": report.path,
        "score": report.score,
        "findings": [
            {
                "rule": one.rule.identifier,
                "severity": one.rule.severity,
                "path": one.found.path,
                "line": one.found.line,
                "message": one.found.message,
                "fixable": one.found.fix is not None,
            }
            for one in report.findings
        ],
        "costs": dict(report.costs),
        "judged": list(report.judged),
        "failed": list(report.failed),
        "skipped": report.skipped,
        "fixes": report.fixes,
    }


def as_sarif(report: Report) -> dict[str, Any]:
    """Return it as a log of SARIF 2.1.0, with one run."""
    numbers = {identifier: number for number, identifier in enumerate(sorted(RULES))}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "golden-path doctor",
                        "version": about.version(),
                        "rules": [
                            {
                                "id": identifier,
                                "shortDescription": {"text": RULES[identifier].title},
                                "fullDescription": {"text": f"{RULES[identifier].title} {RULES[identifier].reason}"},
                                "defaultConfiguration": {"level": RULES[identifier].severity},
                            }
                            for identifier in numbers
                        ],
                    }
                },
                "results": list(_results(report, numbers)),
                "invocations": [
                    {
                        "executionSuccessful": not report.failed,
                        "toolExecutionNotifications": [
                            {"level": "error", "message": {"text": one}} for one in report.failed
                        ],
                    }
                ],
                "properties": {"score": report.score, "costs": dict(report.costs), "judged": list(report.judged)},
            }
        ],
    }


def write_sarif(report: Report, file: Path) -> None:
    """Write the log.

    Raises:
        FleetError: the file cannot be written.
    """
    try:
        inside.report(file, json.dumps(as_sarif(report), indent=2) + "\n")
    except OSError as error:
        raise FleetError(f"{file} cannot be written: {error.strerror}", Exit.FAILED) from None


def _results(report: Report, numbers: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    """The findings; what is found several times in a file is told apart by its turn."""
    turns: Counter[tuple[str, str, str]] = Counter()
    for one in report.findings:
        same = (one.rule.identifier, one.found.path, one.found.message)
        turns[same] += 1
        yield _result(one, numbers[one.rule.identifier], turns[same])


def _result(one: Finding, number: int, turn: int) -> dict[str, Any]:
    location: dict[str, Any] = {
        "artifactLocation": {"uri": quote_from_bytes(raw(one.found.path)), "uriBaseId": "%SRCROOT%"}
    }
    if one.found.line:
        location["region"] = {"startLine": one.found.line}
    same = f"{one.rule.identifier}\0{one.found.path}\0{one.found.message}" + (f"\0{turn}" if turn > 1 else "")
    return {
        "ruleId": one.rule.identifier,
        "ruleIndex": number,
        "level": one.rule.severity,
        "message": {"text": one.found.message},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {"finding/v1": hashlib.sha256(same.encode(errors="surrogateescape")).hexdigest()},
    }
