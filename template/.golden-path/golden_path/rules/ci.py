"""Rules on the workflows of any repository: what they run, what they are given, and whose text they take."""

from __future__ import annotations

import re
from collections.abc import Iterator

from golden_path.rules import workflows
from golden_path.rules.book import ERROR, NOTE, WARNING, Fix, Found, rule
from golden_path.rules.documents import at, items, line, maps
from golden_path.rules.files import Files

_BEFORE_A_MERGE = {"pull_request", "pull_request_target", "merge_group"}
OTHER_CI = (
    "/.gitlab-ci.y*ml", "Jenkinsfile*", "*.[Jj]enkinsfile", "*.jenkins", "/.circleci/config.y*ml",
    "azure-pipelines*.y*ml", "/.azure-pipelines/**", "/.azuredevops/**", "/.travis.y*ml", "/bitbucket-pipelines.y*ml",
    "/.buildkite/**", "/.drone.*", "/.woodpecker*", "/.woodpecker/**", "/.gitea/workflows/**", "/.forgejo/workflows/**",
    "/appveyor.y*ml", "/.appveyor.y*ml", "/.cirrus.y*ml", "/.semaphore/**", "/.teamcity/**", "/.tekton/**",
    "cloudbuild.y*ml", "buildspec*.y*ml", "/.builds/**", "/.build.yml", "/.zuul.*", "/zuul.d/**", "/wercker.yml",
    "/codefresh.y*ml", "/.screwdriver.yaml", "/.prow.yaml", "/concourse/**", "/ci/pipeline.y*ml",
)  # fmt: skip
_LEAST = b"permissions:\n  contents: read\n\n"
# Events that run with the repository's secrets on what somebody else pushed, and how a checkout names that.
_WITH_SECRETS = {"pull_request_target", "workflow_run", "issue_comment"}
_HEAD = re.compile(
    r"github\.head_ref|github\.event\.pull_request\.(?:head|number|merge_commit_sha)|github\.event\.workflow_run\.head_"
    r"|github\.event\.issue\.number|refs/pull/|pull/\$"
)
# Text that whoever opens a pull request or an issue writes freely.
FREE = re.compile(
    r"\$\{\{[^}]*\bgithub\.(?:head_ref|event\.(?:(?:issue|pull_request|discussion)\.(?:title|body)"
    r"|(?:comment|review|review_comment)\.body|pull_request\.head\.(?:ref|label|repo\.default_branch)"
    r"|workflow_run\.(?:head_branch|display_title|head_commit)|(?:head_commit|commits\S*)\.(?:message|author\.\w+)"
    r"|pages\S*\.page_name))\b[^}]*\}\}"
)
_LATEST = re.compile(r"(?:ubuntu|windows|macos)-latest\S*")


def pinned(used: str) -> bool:
    """Whether what is used is named by what cannot be moved, or lies in the repository."""
    if used.startswith("docker://"):
        return bool(re.search(r"@sha256:[0-9a-f]{64}$", used))
    return used.startswith("./") or bool(re.search(r"@[0-9a-f]{40}$", used))


@rule("GP101", ERROR, "Every action is pinned to a commit.", "a tag can be moved to different code", former="W001")
def pinned_actions(files: Files) -> Iterator[Found]:
    """Actions and reusable workflows by tag or branch, and images of actions by tag."""
    for path, number, used in workflows.uses(files):
        if not pinned(used):
            yield Found(path, number, f"{used} is not pinned by commit: name it, and the version in a comment")


@rule(
    "GP102",
    WARNING,
    "Every workflow declares its permissions.",
    "the default may allow writing everything",
    former="W002",
)
def permissions(files: Files) -> Iterator[Found]:
    """Workflows with no permissions at the top, of which a job says none either; and those that may write all."""
    for workflow in workflows.workflows(files):
        for part in (workflow.data, *(job.data for job in workflow.jobs.values())):
            if part.get("permissions") == workflows.ALL:
                said = f"{workflows.ALL} lets every step change everything: name what a job needs"
                yield Found(workflow.path, line(part, "permissions"), said)
        if unsaid(workflow):
            plain = re.search(r"^jobs:", workflow.text, re.MULTILINE)
            fix = Fix(workflow.path, _with_permissions) if plain else None
            said = "has no permissions at the top: write 'contents: read', and what a job needs there"
            yield Found(workflow.path, 1, said, fix)


def unsaid(workflow: workflows.Workflow) -> bool:
    """Whether a job of a workflow has what the repository's settings give by default."""
    silent = any("permissions" not in job.data for job in workflow.jobs.values())
    return silent and "permissions" not in workflow.data


def _with_permissions(content: bytes) -> bytes:
    end = b"\r\n" if b"\r\n" in content else b"\n"
    return re.sub(rb"^jobs:", lambda match: _LEAST.replace(b"\n", end) + match[0], content, count=1, flags=re.MULTILINE)


@rule(
    "GP103",
    WARNING,
    "A workflow checks pull requests.",
    "changes that are not checked before the merge break main",
    scored=False,
)
def checked(files: Files) -> Iterator[Found]:
    """No workflow for pull requests, and no other CI."""
    events = {event for workflow in workflows.workflows(files) for event in workflow.events()}
    if not events & _BEFORE_A_MERGE and not files.own(*OTHER_CI):
        yield Found(".github/workflows", 0, "none runs for pull requests: add one that builds and tests")


@rule("GP108", NOTE, "Every job has a time limit.", "the default is six hours", former="W003")
def time_limits(files: Files) -> Iterator[Found]:
    """Jobs without timeout-minutes; one that calls a workflow cannot have any."""
    for workflow, job in workflows.jobs(files):
        if "timeout-minutes" not in job.data and "uses" not in job.data:
            yield Found(workflow.path, job.line, f"the job {job.name} has no timeout-minutes: set some")


@rule(
    "GP109", ERROR, "No workflow runs a pull request's code with the repository's secrets.",
    "anybody who opens a pull request could read them and write to the repository",
)  # fmt: skip
def no_foreign_code(files: Files) -> Iterator[Found]:
    """A checkout of what was pushed, in a workflow that has the secrets."""
    for step in workflows.steps(files):
        events = sorted(_WITH_SECRETS & set(step.workflow.events())) if step.workflow else []
        if not events or not str(step.data.get("uses", "")).startswith("actions/checkout@"):
            continue
        wanted = f"{at(step.data, 'with', 'ref')} {at(step.data, 'with', 'repository')}"
        if _HEAD.search(wanted):
            said = f"{events[0]} has the secrets, and this checks out what anybody pushed: use pull_request"
            yield Found(step.path, line(step.data, "uses"), said)


@rule(
    "GP110", ERROR, "No script contains text that outsiders write.",
    "a title could end the command and start another", former="W005",
)  # fmt: skip
def no_free_text(files: Files) -> Iterator[Found]:
    """Titles, bodies, names of branches and messages, put into a script."""
    for step in workflows.steps(files):
        if found := FREE.search(str(step.data.get("run", ""))):
            yield Found(
                step.path, step.line_of(found[0]), f"{found[0]} becomes part of the script: pass it through env"
            )


@rule(
    "GP111", NOTE, "Checkouts leave no token in the working copy.", "every later step could read it",
    former="W006",
)  # fmt: skip
def no_credentials_left(files: Files) -> Iterator[Found]:
    """actions/checkout without persist-credentials: false."""
    for step in workflows.steps(files):
        if str(step.data.get("uses", "")).startswith("actions/checkout@"):
            kept = at(step.data, "with", "persist-credentials")
            if str(kept).lower() != "false":
                said = "the checkout keeps its token: persist-credentials: false"
                yield Found(step.path, line(step.data, "uses"), said)


@rule(
    "GP113",
    NOTE,
    "Runner images are named with their version.",
    "-latest moves to another version without notice",
    former="W008",
)
def pinned_runners(files: Files) -> Iterator[Found]:
    """Runners by -latest, in a list and in a matrix too."""
    for workflow, job in workflows.jobs(files):
        matrix = at(job.data, "strategy", "matrix")
        rows = [matrix, *maps(at(matrix, "include"))] if isinstance(matrix, dict) else []
        places = [(job.data, "runs-on"), *((row, key) for row in rows for key in row if key != "include")]
        for place, key in places:
            value = place.get(key)
            for one in [value] if isinstance(value, str) else items(value):
                if _LATEST.fullmatch(str(one)):
                    yield Found(workflow.path, line(place, key), f"{one} changes under you: name a version")
