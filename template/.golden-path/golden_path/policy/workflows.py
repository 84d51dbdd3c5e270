"""Rules on the workflows: what they are given, and whose code they run."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from golden_path.policy.rules import line_of, rule

Found = Iterator[tuple[Path, int, str]]

# Text that whoever opens a pull request or an issue chooses.
FOREIGN = re.compile(r"\$\{\{[^}]*\b(github\.(event|head_ref|base_ref|ref_name|actor)|inputs)\b[^}]*\}\}")
# Events that run with this repository's secrets on what somebody else wrote.
PRIVILEGED = {"pull_request_target", "workflow_run", "issue_comment", "issues", "discussion"}
# What takes an identity: to sign or to attest, and to deploy without a secret that stays.
IDENTITY = re.compile(
    r"\bmake\b[^\n;&|]*\s(sign|deploy)(?![\w-])|\bcosign\s+(sign|attest)\b"
    r"|^(actions/attest|actions/deploy-pages|aws-actions/configure-aws-credentials|azure/login|google-github-actions/auth)\b",
    re.MULTILINE,
)
ATTESTATION = re.compile(r"^actions/attest\b", re.MULTILINE)


class _Loader(yaml.SafeLoader):
    """YAML 1.2's booleans: `on` is a word."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


@cache
def load(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a safe loader


def workflows(root: Path) -> Iterator[tuple[Path, str, dict[str, Any]]]:
    for path in sorted((root / ".github" / "workflows").glob("*.y*ml")):
        yield path, path.read_text(encoding="utf-8"), load(path)


def steps(root: Path) -> Iterator[tuple[Path, str, dict[str, Any]]]:
    """Every step of every job and of every action of the repository's own."""
    for path, text, workflow in workflows(root):
        for job in workflow["jobs"].values():
            for step in job.get("steps", ()):
                yield path, text, step
    for path in sorted((root / ".github" / "actions").glob("*/action.y*ml")):
        for step in load(path)["runs"].get("steps", ()):
            yield path, path.read_text(encoding="utf-8"), step


def triggers(workflow: dict[str, Any]) -> set[str]:
    on = workflow["on"]
    return {on} if isinstance(on, str) else set(on)


@rule("W001")
def pinned_actions(root: Path) -> Found:
    """Every action is pinned by commit, with its version as a comment."""
    files = [*(root / ".github").glob("workflows/*.y*ml"), *(root / ".github").glob("actions/*/action.y*ml")]
    for path in sorted(files):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            used = re.match(r"\s*(?:- )?uses:\s*(\S+)(.*)", line)
            if used and not used[1].startswith("./"):
                if not re.search(r"@[0-9a-f]{40}$", used[1]):
                    yield path, number, f"{used[1]} is not pinned by commit: a tag can be moved to other code"
                elif "/.github/workflows/" not in used[1] and not re.match(r"\s+# v\d", used[2]):
                    yield path, number, f"{used[1]} has no comment that names the version"


@rule("W002")
def nothing_granted_to_all(root: Path) -> Found:
    """A workflow grants nothing; each job says what it needs."""
    for path, text, workflow in workflows(root):
        if workflow.get("permissions") != {}:
            yield (
                path,
                line_of(text, "permissions"),
                "write 'permissions: {}' at the top, and what a job needs in the job",
            )
        for name, job in workflow["jobs"].items():
            if "permissions" not in job:
                yield path, line_of(text, f"  {name}:"), f"the job {name} does not say its permissions"


@rule("W003")
def time_limits(root: Path) -> Found:
    """Every job has a time limit; the default is six hours."""
    for path, text, workflow in workflows(root):
        for name, job in workflow["jobs"].items():
            if "timeout-minutes" not in job and "uses" not in job:
                yield path, line_of(text, f"  {name}:"), f"the job {name} has no timeout-minutes"


@rule("W004")
def no_privileged_triggers(root: Path) -> Found:
    """No event runs foreign code or text with this repository's secrets."""
    for path, text, workflow in workflows(root):
        for event in sorted(triggers(workflow) & PRIVILEGED):
            yield path, line_of(text, event), f"{event} runs with secrets on what anybody may send: use pull_request"


@rule("W005")
def no_foreign_text_in_scripts(root: Path) -> Found:
    """No script contains text that somebody else chooses; it comes through a variable."""
    for path, text, step in steps(root):
        if found := FOREIGN.search(str(step.get("run", ""))):
            yield path, line_of(text, found[0]), f"{found[0]} becomes part of the script: pass it through env"


@rule("W006")
def no_credentials_left(root: Path) -> Found:
    """A checkout leaves no token in the working copy."""
    for path, text, step in steps(root):
        if str(step.get("uses", "")).startswith("actions/checkout@"):
            if step.get("with", {}).get("persist-credentials") is not False:
                yield path, line_of(text, step["uses"]), "the checkout keeps its token: persist-credentials: false"


@rule("W007")
def no_identity_for_pull_requests(root: Path) -> Found:
    """What runs for pull requests can neither sign nor write to the repository."""
    for path, text, workflow in workflows(root):
        if "pull_request" in triggers(workflow):
            for name, job in workflow["jobs"].items():
                for scope in ("id-token", "attestations", "contents"):
                    if _writes(job, scope):
                        yield path, line_of(text, f"  {name}:"), f"the job {name} has {scope}: write in a pull request"


def _writes(job: dict[str, Any], scope: str) -> bool:
    granted = job.get("permissions", {})
    return granted == "write-all" or (isinstance(granted, dict) and granted.get(scope) == "write")


@rule("W008")
def pinned_runners(root: Path) -> Found:
    """Runner images are named with their version."""
    for path, text, workflow in workflows(root):
        for job in workflow["jobs"].values():
            if str(job.get("runs-on", "")).endswith("-latest"):
                yield path, line_of(text, job["runs-on"]), f"{job['runs-on']} changes under you: name a version"


@rule("W009")
def verified_before_promoted(root: Path) -> Found:
    """Nothing is promoted or deployed that was not verified before, in the same run."""
    for path, text, workflow in workflows(root):
        jobs = workflow["jobs"]
        for name in jobs:
            if re.match("promote|deploy", name) and not any(
                other.startswith("verify") for other in _before(jobs, name)
            ):
                yield path, line_of(text, f"  {name}:"), f"the job {name} does not wait for a job that verifies"


def _before(jobs: dict[str, Any], name: str) -> set[str]:
    needs = jobs[name].get("needs", [])
    direct = {needs} if isinstance(needs, str) else set(needs)
    return direct.union(*(_before(jobs, other) for other in direct)) if direct else set()


@rule("W010")
def identity_where_used(root: Path) -> Found:
    """Only a job that signs, attests or deploys gets the identity and the right for it."""
    for path, text, workflow in workflows(root):
        for name, job in workflow["jobs"].items():
            # A workflow that is called passes these on; those of pull requests are W007's.
            if "uses" in job or "pull_request" in triggers(workflow):
                continue
            calls = "\n".join(str(step.get(key, "")) for step in job.get("steps", ()) for key in ("uses", "run"))
            for scope, use in (("id-token", IDENTITY), ("attestations", ATTESTATION)):
                if _writes(job, scope) and not use.search(calls):
                    yield (
                        path,
                        line_of(text, f"  {name}:"),
                        f"the job {name} has {scope}: write and no step that needs it",
                    )
                    break
