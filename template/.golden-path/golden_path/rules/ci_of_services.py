"""Rules on the workflows of a service: what its pipeline promises."""

from __future__ import annotations

import re
from collections.abc import Iterator

from golden_path.rules import ci, workflows
from golden_path.rules.book import ERROR, SERVICE, WARNING, Found, rule
from golden_path.rules.documents import line, maps
from golden_path.rules.files import Files

# Text that somebody else chooses in some way: what is free, and what an input, a tag or a name may be.
_CHOSEN = re.compile(r"\$\{\{[^}]*\b(github\.(event|head_ref|base_ref|ref_name|actor)|inputs)\b[^}]*\}\}")
# Events that run with this repository's secrets on what somebody else wrote.
_PRIVILEGED = ("discussion", "issue_comment", "issues", "pull_request_target", "workflow_run")
# What takes an identity: to sign or to attest, and to deploy without a secret that stays.
_IDENTITY = re.compile(
    r"\bmake\b[^\n;&|]*\s(sign|deploy)(?![\w-])|\bcosign\s+(sign|attest)\b"
    r"|^(actions/attest|actions/deploy-pages|aws-actions/configure-aws-credentials|azure/login|google-github-actions/auth"
    r"|databricks/setup-cli)\b",
    re.MULTILINE,
)
_ATTESTATION = re.compile(r"^actions/attest\b", re.MULTILINE)


@rule(
    "GP106", WARNING, "A comment names the version of each pinned action.", "nobody can tell from a hash how old it is",
    scope=SERVICE, former="W001",
)  # fmt: skip
def versions_shown(files: Files) -> Iterator[Found]:
    """Actions by commit, without a comment; a called workflow needs none."""
    for path, number, used in workflows.uses(files):
        if used.startswith(("./", "docker://")) or "/.github/workflows/" in used or not ci.pinned(used):
            continue
        shown = (files.text(path) or "").splitlines()[number - 1]
        if not re.search(rf"{re.escape(used)}[\"']?\s+# v\d", shown):
            yield Found(path, number, f"{used} has no comment that names the version")


@rule(
    "GP107", WARNING, "Workflows grant no permissions; each job asks for its own.",
    "otherwise every job gets what one job needs",
    scope=SERVICE, former="W002",
)  # fmt: skip
def nothing_granted_to_all(files: Files) -> Iterator[Found]:
    """Permissions at the top, and jobs without any."""
    for workflow in workflows.workflows(files):
        if workflow.data and workflow.data.get("permissions") != {} and not ci.unsaid(workflow):
            said = "write 'permissions: {}' at the top, and what a job needs in the job"
            yield Found(workflow.path, line(workflow.data, "permissions"), said)
        for job in workflow.jobs.values():
            if "permissions" not in job.data:
                yield Found(workflow.path, job.line, f"the job {job.name} does not say its permissions")


@rule(
    "GP118", WARNING, "No event runs other people's code or text with the repository's secrets.",
    "one mistake exposes them", scope=SERVICE, former="W004",
)  # fmt: skip
def no_privileged_events(files: Files) -> Iterator[Found]:
    """Events that have the secrets, whatever the jobs do."""
    for workflow in workflows.workflows(files):
        for event, number in sorted(workflow.events().items()):
            if event in _PRIVILEGED:
                said = f"{event} runs with secrets on what anybody may send: use pull_request"
                yield Found(workflow.path, number, said)


@rule(
    "GP119", WARNING, "Scripts get inputs, tags and branch names through variables.",
    "a tag or an input could end the command and start another", scope=SERVICE, former="W005",
)  # fmt: skip
def no_chosen_text(files: Files) -> Iterator[Found]:
    """Inputs, tags and names, put into a script; free text is of GP110."""
    for step in workflows.steps(files):
        script = ci.FREE.sub("", str(step.data.get("run", "")))
        if found := _CHOSEN.search(script):
            said = f"{found[0]} becomes part of the script: pass it through env"
            yield Found(step.path, step.line_of(found[0]), said)


@rule(
    "GP112", ERROR, "Workflows for pull requests can neither sign nor write to the repository.",
    "only a release may sign", scope=SERVICE, former="W007",
)  # fmt: skip
def no_identity_for_pull_requests(files: Files) -> Iterator[Found]:
    """Jobs with id-token, attestations or contents to write."""
    for workflow, job in workflows.jobs(files):
        for scope in ("id-token", "attestations", "contents"):
            if "pull_request" in workflow.events() and job.writes(scope):
                said = f"the job {job.name} has {scope}: write in a pull request"
                yield Found(workflow.path, job.line, said)


@rule(
    "GP114", ERROR, "Every promotion and deployment verifies the image first, in the same run.",
    "the signature makes an image trustworthy, not its name", scope=SERVICE, former="W009",
)  # fmt: skip
def verified_before_promoted(files: Files) -> Iterator[Found]:
    """Jobs called promote... and deploy... that wait for none called verify..."""
    for workflow, job in workflows.jobs(files):
        waits = workflows.before(workflow, job.name)
        if job.name.startswith(("promote", "deploy")) and not any(one.startswith("verify") for one in waits):
            said = f"the job {job.name} does not wait for a job that verifies"
            yield Found(workflow.path, job.line, said)


@rule(
    "GP115", ERROR, "Only jobs that sign, attest or deploy get the identity and permissions for it.",
    "every step of another job could sign with that identity", scope=SERVICE, former="W010",
)  # fmt: skip
def identity_where_used(files: Files) -> Iterator[Found]:
    """Jobs with id-token or attestations to write, and no step that needs it."""
    for workflow, job in workflows.jobs(files):
        # A workflow that is called passes these on; those of pull requests are of GP112.
        if "uses" in job.data or "pull_request" in workflow.events():
            continue
        steps = maps(job.data.get("steps"))
        calls = "\n".join(str(step.get(key, "")) for step in steps for key in ("uses", "run"))
        for scope, use in (("id-token", _IDENTITY), ("attestations", _ATTESTATION)):
            if job.writes(scope) and not use.search(calls):
                said = f"the job {job.name} has {scope}: write and no step that needs it"
                yield Found(workflow.path, job.line, said)
                break
