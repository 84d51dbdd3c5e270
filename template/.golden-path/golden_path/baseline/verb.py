"""Measure the service of the work tree beside that of its base, and fail where it is worse than slo.yaml allows.

usage: baseline PROGRAM ...    what starts the service, in either folder; it is built in this one

The base is BASE from the environment, or where HEAD left the main branch.
"""

import json
import os
import shlex
import signal
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from golden_path.baseline import base, limits, quality
from golden_path.baseline.compared import NAMES, Found, Instances, Side, compare
from golden_path.baseline.limits import Limits
from golden_path.baseline.running import Running, environment
from golden_path.service.ci import say
from golden_path.service.errors import NoAnswerError, WrongInputError

_PYTHON = ".venv/bin/python"
_MORE_IS_BETTER = {"throughput"}
UNITS = {"latency": (1e3, "ms"), "throughput": (1, "/s"), "memory": (1, "MiB")}


def beyond(found: Found, allowed: Limits) -> list[str]:
    """Return the measures that are beyond their limits in every lap."""
    return [name for name in UNITS if all(_beyond(name, ratio, getattr(allowed, name)) for ratio in found.ratios(name))]


def _beyond(name: str, ratio: float, limit: float) -> bool:
    return ratio < limit if name in _MORE_IS_BETTER else ratio > limit


def judge(found: Found, allowed: Limits) -> tuple[list[str], list[str]]:
    """Hold what was measured against the limits.

    Args:
        found: what was measured.
        allowed: the limits.

    Returns:
        A table in Markdown, by line, and what is worse than it may be.
    """
    rows, worse = [], []
    bad = beyond(found, allowed)
    for name, (factor, unit) in UNITS.items():
        before, after = (f"{value * factor:.3g} {unit}" for value in found.medians(name))
        rule = f"at {'least' if name in _MORE_IS_BETTER else 'most'} {getattr(allowed, name):g}"
        ratio = f"{statistics.median(found.ratios(name)):.2f}"
        rows.append(f"| {name} | {before} | {after} | {ratio} | {rule} |")
        if name in bad:
            worse.append(f"{name} is {ratio} times that of the base, and may be {rule} ({len(found.laps)} laps)")
    one, other = found.metric
    loss = quality.loss(allowed.metric, one, other)
    rule = f"worse by at most {allowed.loss:g}"
    rows.append(f"| {allowed.metric} | {one:.4f} | {other:.4f} | {other - one:+.4f} | {rule} |")
    # Of numbers that are rounded to so many digits, a difference of one limit is no more than that.
    if round(loss - allowed.loss, 9) > 0:
        worse.append(f"{allowed.metric} is worse by {loss:.4f}, and may be by at most {allowed.loss:g}")
    head = [f"| measure | {NAMES[0]} | {NAMES[1]} | head / base | limit |", "|---|---|---|---|---|"]
    return [*head, *rows], worse


def held_out(name: str, folder: Path) -> tuple[Instances, list[str]]:
    """Return the data in a folder that its model is not trained on: instances, and the class of each.

    Raises:
        NoAnswerError: they cannot be had.
    """
    done = subprocess.run(
        [_PYTHON, "-m", "training.held_out"], cwd=folder, env=environment(), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        told = json.loads(done.stdout)
        instances, labels = list(told["instances"]), list(told["labels"])
    except (ValueError, LookupError, TypeError):
        said = done.stderr.strip().splitlines()
        raise NoAnswerError(f"{name}: training.held_out fails: {said[-1] if said else 'it says nothing'}") from None
    if len(instances) != len(labels) or len(instances) < limits.LEAST_HELD_OUT:
        raise NoAnswerError(f"{name}: {len(instances)} held-out instances are too few to judge a model by")
    return instances, labels


def sides(folder: Path, command: Sequence[str]) -> tuple[Side, Side]:
    """Return base and head, with the same data where the model of the base can take those of the head.

    Args:
        folder: of the base, built.
        command: what starts either.

    Raises:
        NoAnswerError: one does not say what it takes, or has no data.
    """
    instances, labels = held_out(NAMES[1], Path())
    with Running(NAMES[0], folder, command) as running:
        features = running.features()
    if set(features) <= instances[0].keys():
        theirs = [{name: one[name] for name in features} for one in instances]
        return Side(folder, command, theirs, labels), Side(Path(), command, instances, labels)
    sys.stdout.write("  The base takes other features: each is judged by held-out data of its own.\n")
    return Side(folder, command, *held_out(NAMES[0], folder)), Side(Path(), command, instances, labels)


def main(*command: str) -> int:
    """Run the verb; returns 1 for a change that is worse than it may be, 2 where that cannot be said."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what runs is ended, and the work tree removed
    try:
        allowed = limits.read(limits.SOURCE.read_text(encoding="utf-8"))
        commit = base.found(os.environ.get("BASE", ""))
        if not commit:
            sys.stdout.write("  skip  baseline: nothing differs from the base; BASE=REVISION names another\n")
            return 0
        with base.checked_out(commit) as folder:
            base.build(folder)
            pair = sides(folder, shlex.split(" ".join(command)))
            found = compare(*pair, allowed.metric, lambda found: bool(beyond(found, allowed)))
    except (OSError, WrongInputError, NoAnswerError) as error:
        sys.stderr.write(f"  FAIL  baseline: {error}\n")
        return 2
    table, worse = judge(found, allowed)
    sys.stdout.write("".join(f"  {line}\n" for line in table))
    if os.environ.get("GITHUB_STEP_SUMMARY"):
        say([f"### Beside the base, {commit[:12]}", "", *table, ""])
    for reason in worse:
        sys.stderr.write(f"  FAIL  baseline: {reason} (slo.yaml)\n")
    return 1 if worse else 0
