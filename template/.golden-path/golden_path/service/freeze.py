"""The deploy freeze: nothing new goes to production while the error budget of one of its objectives is spent.

usage: freeze, with from the environment:
       PROMETHEUS_URL     that of a Prometheus which has the rules of .golden-path/slo; without it nothing is frozen
       PROMETHEUS_TOKEN   a bearer token for it, PROMETHEUS_TIMEOUT seconds an attempt (10)
       FREEZE_OVERRIDE    why something goes out all the same, in a sentence

The verb promote asks it. Exit code 1: frozen; 2: an input is wrong.
"""

import json
import math
import re
import sys
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from golden_path.service.errors import NoAnswerError, RefusedError, WrongInputError
from golden_path.service.web import host, read, receiver, send

# Recorded by the rules that the verb slo writes; its module is not imported: promoting needs no package.
METRIC = "service:error_budget:remaining_ratio"
OBJECTIVES = ("availability", "latency")
OVERLAY = Path("deploy/overlays/production/kustomization.yaml")
SLO = Path("slo.yaml")
LIMIT = 100_000  # bytes of an answer


class FrozenError(RefusedError):
    """Why nothing new may go to production, in one line that says what to do; `what` is the reason alone."""

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(f'{what}: {todo}, or ship a fix with FREEZE_OVERRIDE="reason" (docs/runbook.md#error-budget)')
        self.what = what


def field(file: Path, name: str) -> str:
    """The value of a field at the top of a YAML file that is a name; raises RefusedError."""
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    found = re.findall(rf"^{name}: *[\"']?([a-z0-9][a-z0-9-]{{0,62}})[\"']? *(?:#.*)?$", text, re.MULTILINE)
    if len(found) != 1:
        raise RefusedError(f"{file} must have one line '{name}: NAME', which says whose error budget it is")
    return str(found[0])


def remaining(url: str, headers: dict[str, str], seconds: int, labels: str) -> dict[str, float]:
    """What is left of each budget that Prometheus knows, as a share of it, NaN where there were no requests.

    Raises:
        NoAnswerError: Prometheus does not answer, or that is not its answer.
    """
    query = urlencode({"query": f"min by (objective) ({METRIC}{labels})"})
    answer = send(f"{url.rstrip('/')}/api/v1/query?{query}", headers, None, seconds, limit=LIMIT)
    try:
        found = json.loads(answer)
        if found["status"] != "success":
            raise ValueError(found["status"])
        return {one["metric"]["objective"]: float(one["value"][1]) for one in found["data"]["result"]}
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        raise NoAnswerError(f"{host(url)} did not send a Prometheus response: check PROMETHEUS_URL") from None


def left(budgets: dict[str, float]) -> str:
    return ", ".join(
        f"{name} {'had no requests' if math.isnan(share) else f'{share:.1%}'}" for name, share in budgets.items()
    )


def judge() -> str:
    """What is left of the budgets of production, in one line.

    Raises:
        FrozenError: one is spent, or whether it is cannot be found out.
        RefusedError: the repository does not say whose budgets they are.
        WrongInputError: a variable is wrong.
    """
    url, headers, seconds = receiver("PROMETHEUS")
    if not url:
        return "not asked, since PROMETHEUS_URL is not set (`gh variable set PROMETHEUS_URL --body https://...`)"
    if urlsplit(url).query or urlsplit(url).fragment:
        raise WrongInputError("PROMETHEUS_URL must be the base of the API, without ? and #")
    service, namespace = field(SLO, "service"), field(OVERLAY, "namespace")
    try:
        budgets = remaining(url, headers, seconds, f'{{service="{service}", namespace="{namespace}"}}')
    except NoAnswerError as error:
        raise FrozenError(f"what is left of the error budget is not known, {error}", "repair that") from None
    if missing := [name for name in OBJECTIVES if name not in budgets]:
        raise FrozenError(
            f"{host(url)} has no {METRIC} of {' and '.join(missing)} for {service} in {namespace}, "
            "which runs something",
            "look at its rules and targets",
        )
    if any(share <= 0 for share in budgets.values()):
        raise FrozenError(
            f"the error budget of {namespace} is spent (left of 30 days: {left(budgets)})", "wait until it recovers"
        )
    return f"error budget left of 30 days: {left(budgets)}"


def check() -> str:
    """What to record of a new version for production, a line: what is left of the budgets, or why that does not count.

    Raises:
        RefusedError: production is frozen and nobody says why this goes out all the same, or an input is wrong.
    """
    try:
        reason = read("FREEZE_OVERRIDE", r"(?=.*\S)[^\x00-\x1f\x7f]{1,500}", "a sentence in one line", optional=True)
    except WrongInputError as wrong:
        raise RefusedError(str(wrong)) from None
    try:
        found = judge()
    except (RefusedError, WrongInputError) as why:
        if reason:
            return f"Deploy freeze overridden: {reason} ({why.what if isinstance(why, FrozenError) else why})"
        if isinstance(why, WrongInputError):
            raise RefusedError(str(why)) from None
        raise
    return f"Deploy freeze: {found}" + (f"; nothing had to be overridden ({reason})" if reason else "")


def main() -> int:
    try:
        sys.stdout.write(f"{check()}\n")
    except RefusedError as reason:
        sys.stderr.write(f"  FAIL  freeze: {reason}\n")
        return 1 if isinstance(reason, FrozenError) else 2
    return 0
