"""Rules on workflows, and on what stands before a merge."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from golden_path.doctor.repository import Repository
from golden_path.doctor.rules import ERROR, NOTE, WARNING, Fix, Found, rule

FILES = "/.github/workflows/*.y*ml"
_ACTIONS = (FILES, "/.github/actions/**/action.y*ml", "/action.y*ml")
_USES = re.compile(r"\s*(?:- )?[\"']?uses[\"']?\s*:\s*[\"']?([^\s\"'#]+)")
_BEFORE_A_MERGE = {"pull_request", "pull_request_target", "merge_group"}
_OTHER_CI = (
    "/.gitlab-ci.y*ml", "Jenkinsfile*", "*.[Jj]enkinsfile", "*.jenkins", "/.circleci/config.y*ml",
    "azure-pipelines*.y*ml", "/.azure-pipelines/**", "/.azuredevops/**", "/.travis.y*ml", "/bitbucket-pipelines.y*ml",
    "/.buildkite/**", "/.drone.*", "/.woodpecker*", "/.woodpecker/**", "/.gitea/workflows/**", "/.forgejo/workflows/**",
    "/appveyor.y*ml", "/.appveyor.y*ml", "/.cirrus.y*ml", "/.semaphore/**", "/.teamcity/**", "/.tekton/**",
    "cloudbuild.y*ml", "buildspec*.y*ml", "/.builds/**", "/.build.yml", "/.zuul.*", "/zuul.d/**", "/wercker.yml",
    "/codefresh.y*ml", "/.screwdriver.yaml", "/.prow.yaml", "/concourse/**", "/ci/pipeline.y*ml",
)  # fmt: skip
_PROTECTION = ("/.github/ruleset*.json", "/.github/rulesets/**", "/.github/settings.y*ml")
_OWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS", ".gitea/CODEOWNERS")
_OWNS_ALL = re.compile(r"^(?:/?\*\*?|/(?:\*\*)?)[ \t]+(?:[^#\s]+[ \t]+)*[^#\s]*@\S", re.MULTILINE)
_ALL = "write-all"
_WRITES_ALL = re.compile(r"\s*[\"']?permissions[\"']?\s*:\s*[\"']?write-all\b")
_LEAST = b"permissions:\n  contents: read\n\n"


@rule("GP101", ERROR, "Every action is pinned by commit.", "a tag can be moved to other code", policy="W001")
def pinned_actions(repository: Repository) -> Iterator[Found]:
    """Actions and reusable workflows by tag or branch, and images of actions by tag."""
    for path in repository.own(*_ACTIONS):
        for number, used in _uses(repository.text(path) or "", _used(repository.mapping(path))):
            if used.startswith("./"):
                continue
            digest = r"@sha256:[0-9a-f]{64}$" if used.startswith("docker://") else r"@[0-9a-f]{40}$"
            if not re.search(digest, used):
                yield Found(path, number, f"{used} is not pinned by commit: name it, and the version in a comment")


def _uses(text: str, known: set[str] | None) -> Iterator[tuple[int, str]]:
    """What is used, by line; not what a script has that only looks like it."""
    left = set(known or ())
    for number, line in enumerate(text.splitlines(), 1):
        used = _USES.match(line)
        if used and (known is None or used[1] in known):
            left.discard(used[1])
            yield number, used[1]
    for one in sorted(left):  # steps in braces, on one line
        yield text[: max(0, text.find(one))].count("\n") + 1, one


def _used(data: dict[str, Any]) -> set[str] | None:
    """What a workflow or an action uses; None where it cannot be read."""
    if not data:
        return None
    jobs = data.get("jobs")
    parts = [one for one in jobs.values() if isinstance(one, dict)] if isinstance(jobs, dict) else []
    runs = data.get("runs")
    parts += [runs] if isinstance(runs, dict) else []
    steps = [step for part in parts if isinstance(part.get("steps"), list) for step in part["steps"]]
    return {str(one["uses"]) for one in (*parts, *steps) if isinstance(one, dict) and "uses" in one}


@rule("GP102", WARNING, "A workflow says its permissions.", "the default may write everything", policy="W002")
def permissions(repository: Repository) -> Iterator[Found]:
    """Workflows with no permissions at the top, of which a job says none either; and those that may write all."""
    for path in repository.own(FILES):
        workflow = repository.mapping(path)
        jobs = workflow.get("jobs")
        if not isinstance(jobs, dict):
            continue
        if any(isinstance(one, dict) and one.get("permissions") == _ALL for one in (workflow, *jobs.values())):
            yield from (
                Found(path, number, f"{_ALL} lets every step change everything: name what a job needs")
                for number, line in enumerate((repository.text(path) or "").splitlines(), 1)
                if _WRITES_ALL.match(line)
            )
        if "permissions" in workflow:
            continue
        if all(isinstance(job, dict) and "permissions" in job for job in jobs.values()):
            continue
        text = repository.text(path) or ""
        plain = re.search(r"^jobs:", text, re.MULTILINE)
        fix = Fix(path, _with_permissions) if plain else None
        yield Found(path, 1, "has no permissions at the top: write 'contents: read', and what a job needs there", fix)


def _with_permissions(content: bytes) -> bytes:
    end = b"\r\n" if b"\r\n" in content else b"\n"
    return re.sub(rb"^jobs:", lambda match: _LEAST.replace(b"\n", end) + match[0], content, count=1, flags=re.MULTILINE)


@rule("GP103", WARNING, "A pull request is checked.", "what is not checked before the merge breaks main", scored=False)
def checked(repository: Repository) -> Iterator[Found]:
    """No workflow for pull requests, and no other CI."""
    triggered = {event for path in repository.own(FILES) for event in _triggers(repository.mapping(path))}
    if not triggered & _BEFORE_A_MERGE and not repository.own(*_OTHER_CI):
        yield Found(".github/workflows", 0, "none runs for pull requests: add one that builds and tests")


def _triggers(workflow: dict[str, Any]) -> set[str]:
    on = workflow.get("on", ())
    return {on} if isinstance(on, str) else {str(one) for one in on} if isinstance(on, (list, dict)) else set()


@rule(
    "GP104",
    NOTE,
    "The rules of the main branch are in the repository.",
    "what is only clicked is not reviewed",
    scored=False,
)
def protected(repository: Repository) -> Iterator[Found]:
    """No ruleset."""
    if not repository.own(*_PROTECTION):
        yield Found(
            ".github/ruleset.json", 0, "is missing: keep the rules of the main branch in it, for 'gh api' to import"
        )


@rule("GP105", WARNING, "Every file has an owner.", "who reviews is known before it hurts", policy="R002", scored=False)
def owned(repository: Repository) -> Iterator[Found]:
    """No CODEOWNERS, or one that leaves files to nobody."""
    there = next((path for path in _OWNERS if path in repository.tree), "")
    if not re.search(
        r"^(?:/?\*\*?|/(?:\*\*)?)\s+(?:[^#\s]+\s+)*[^#\s]*@\S", repository.text(there) or "", re.MULTILINE
    ):
        what = "gives * no owner: write '* @OWNER/TEAM'" if there else "is missing: write '* @OWNER/TEAM' into it"
        yield Found(there or _OWNERS[0], 0, what)
