"""What the workflow ci.yml asks besides the verbs.

usage: ci changes             code=true or code=false, for $GITHUB_OUTPUT
       ci ok                  from $NEEDS, the workflow's needs as JSON: did every job do what it had to?
       ci setup               from $CACHE and $CACHE_HIT: did the setup action find its cache, into $GITHUB_STEP_SUMMARY
       ci scorecard FILE      the checks of OpenSSF Scorecard that are not at their best, into $GITHUB_STEP_SUMMARY
       ci summary REPOSITORY  how long the jobs took, and what is not configured, into $GITHUB_STEP_SUMMARY
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

# A pull request that changes nothing else needs no build. Deeper down a document may be part of a program.
DOCUMENT = re.compile(
    r"LICENSE|[^/]+\.(md|rst|adoc)|docs/(.+/)?[^/]+\.(md|rst|adoc|gif|jpe?g|pdf|png|svg|webp)", re.IGNORECASE
)
# Of git: no file, and a file that is neither a link nor a program.
PLAIN = {"000000", "100644"}
GATE = "changes"
RULESETS = (
    ("golden-path", "ruleset.json", "No ruleset of the repository requires `ci-ok` and a review by the code owners"),
    ("golden-path-tags", "ruleset-tags.json", "Tags, which versions are made of, can be moved and deleted"),
)


def changes() -> int:
    code = True
    # The merge queue builds everything: its HEAD may hold several pull requests, and it is what main becomes.
    if os.environ.get("GITHUB_EVENT_NAME") == "pull_request":
        # The checkout is the merge of the pull request: its first parent is what it would be merged into.
        code = not _documents_only("HEAD^1", "HEAD")
    sys.stdout.write(f"code={str(code).lower()}\n")
    return 0


def _documents_only(before: str, after: str) -> bool:
    """Whether git knows what changed, and nothing but documents did; a file that moved counts at both ends."""
    diff = subprocess.run(
        ["git", "diff", "--raw", "-z", "--no-renames", before, after],
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )
    words = diff.stdout.split("\0")[:-1]
    changed = list(zip(words[::2], words[1::2], strict=False))
    return bool(
        diff.returncode == 0
        and changed
        and all({*what[1:14].split()} <= PLAIN and DOCUMENT.fullmatch(name) for what, name in changed)
    )


def problems(needs: dict[str, dict[str, Any]]) -> list[str]:
    """Why the jobs are not all right: skipped is right only where the first job said so, cancelled never."""
    gate = needs[GATE]
    wanted = "skipped" if (gate.get("outputs") or {}).get("code") == "false" else "success"
    found = [] if gate["result"] == "success" else [f"{GATE}: {gate['result']}"]
    return found + [
        f"{name}: {job['result']}" for name, job in needs.items() if name != GATE and job["result"] != wanted
    ]


def ok() -> int:
    found = problems(json.loads(os.environ["NEEDS"]))
    for problem in found:
        sys.stderr.write(f"  FAIL  {problem}\n")
    return 1 if found else 0


def durations() -> list[str]:
    """A table of the jobs of this run; nothing where GitHub cannot be asked."""
    path = f"repos/{os.environ.get('GITHUB_REPOSITORY')}/actions/runs/{os.environ.get('GITHUB_RUN_ID')}/jobs"
    try:
        asked = subprocess.run(["gh", "api", path], capture_output=True, text=True, check=False)
        jobs = [job for job in json.loads(asked.stdout)["jobs"] if job["completed_at"]]
    except (OSError, ValueError, KeyError):
        return []
    if not jobs:
        return []
    times = {job["name"]: (_time(job["started_at"]), _time(job["completed_at"])) for job in jobs}
    whole = max(end for _, end in times.values()) - min(start for start, _ in times.values())
    spans = sorted(((end - start, name) for name, (start, end) in times.items()), reverse=True)
    rows = [f"| {name} | {span.total_seconds():.0f} |" for span, name in spans]
    return ["### Duration", "", "| job | seconds |", "|---|---|", *rows, f"| all | {whole.total_seconds():.0f} |", ""]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def missing(repository: str) -> list[str]:
    """What is not configured: what does not happen without it, and how to set it."""
    unset = {
        name
        for name in ("PACT_BROKER_BASE_URL", "AUTOMATION_APP_ID", "PROMETHEUS_URL", "TEMPLATE_UPDATES")
        if not os.environ.get(name)
    } | {
        name
        for name in ("PACT_BROKER_TOKEN", "AUTOMATION_APP_KEY")
        if os.environ.get(f"HAS_{name}") != "true"
    }  # fmt: skip
    found: list[tuple[str, ...]] = []
    if unset & {"PACT_BROKER_BASE_URL", "PACT_BROKER_TOKEN"}:
        found.append(
            (
                "Contracts are verified from `contracts/` only, not published to a Pact broker",
                f"gh variable set PACT_BROKER_BASE_URL --repo {repository} --body https://...",
                f"gh secret set PACT_BROKER_TOKEN --repo {repository}",
            )
        )
    if unset & {"AUTOMATION_APP_ID", "AUTOMATION_APP_KEY"}:
        found.append(
            (
                "No pull requests are opened by automation, which needs a GitHub App of your organisation",
                f"gh variable set AUTOMATION_APP_ID --repo {repository} --body 123456",
                f"gh secret set AUTOMATION_APP_KEY --repo {repository} <key.pem",
            )
        )
    if "TEMPLATE_UPDATES" in unset:
        found.append(
            (
                "New versions of the template are not proposed; a service of a fleet, which brings them, says false",
                f"gh variable set TEMPLATE_UPDATES --repo {repository} --body true",
            )
        )
    if os.environ.get("DEPENDENCY_REVIEW") == "false":
        found.append(
            (
                "Dependencies of pull requests are not reviewed: a private repository needs GitHub's Code Security",
                f"gh variable set DEPENDENCY_REVIEW --repo {repository} --body true",
            )
        )
    if "PROMETHEUS_URL" in unset:
        found.append(
            (
                "Production takes new versions although its error budget is spent: no Prometheus is set for runners",
                f"gh variable set PROMETHEUS_URL --repo {repository} --body https://...",
                f"gh secret set PROMETHEUS_TOKEN --repo {repository}",
            )
        )
    there = _rulesets(repository)
    for name, file, what in RULESETS:
        if name not in there:
            found.append((what, f"gh api --method POST repos/{repository}/rulesets --input .golden-path/{file}"))
    if not found:
        return []
    lines = ["### Not configured yet", ""]
    for what, *commands in found:
        lines += [f"- {what}:", *(f"  `{command}`" for command in commands)]
    return [*lines, ""]


def _rulesets(repository: str) -> list[str]:
    asked = subprocess.run(
        ["gh", "api", f"repos/{repository}/rulesets", "--jq", ".[].name"], capture_output=True, text=True, check=False
    )
    return asked.stdout.splitlines() if asked.returncode == 0 else []


def setup() -> int:
    """One line; where a job took long, the reader sees whether it had to install everything."""
    if os.environ.get("CACHE") != "true":
        found = "without a cache"
    elif os.environ.get("CACHE_HIT") == "true":
        found = "from the cache"
    else:
        found = "not in the cache, which this run fills"
    return say([f"setup: {found}", ""])


def summary(repository: str) -> int:
    return say([*durations(), *missing(repository)])


def scorecard(file: str) -> int:
    with open(file, encoding="utf-8") as results:
        card = json.load(results)
    rows = [
        f"| {check['name']} | {check['score']} | {check['reason']} |"
        for check in sorted(card["checks"], key=lambda check: check["score"])
        if 0 <= check["score"] < 10  # -1 says that it could not be looked at
    ]
    return say([f"### Scorecard: {card['score']} of 10", "", "| check | score | reason |", "|---|---|---|", *rows, ""])


def say(lines: list[str]) -> int:
    text = "\n".join(lines)
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(path, "a", encoding="utf-8") as file:
            file.write(text + "\n")
    else:
        sys.stdout.write(text + "\n")
    return 0


def main(verb: str, *arguments: str) -> int:
    verbs: dict[str, Callable[..., int]] = {
        "changes": changes, "ok": ok, "scorecard": scorecard, "setup": setup, "summary": summary,
    }  # fmt: skip
    return verbs[verb](*arguments)
